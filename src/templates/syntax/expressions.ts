import { Exceeded } from '../errors.ts'
import { normalInt } from '../values/numbers.ts'
import { Float, type Value } from '../values/objects.ts'
import type { Operator } from '../values/operators.ts'
import type { Arguments, CallNode, Comparison, Expression, FilterNode } from './ast.ts'
import type { Stream } from './stream.ts'
import { describeToken, syntaxError, type Token, type TokenType } from './tokens.ts'

/** Deepest tree of an expression: long chains of operators grow it without nesting the text. */
const MAX_TREE = 250

type Parts = readonly (Expression | undefined)[]

/** One more than the deepest of these. */
function above(parts: Parts, line: number): number {
  let depth = 0
  for (const part of parts) if (part !== undefined && part.depth > depth) depth = part.depth
  if (depth >= MAX_TREE) throw new Exceeded(`has an expression of more than ${MAX_TREE} steps in a row (line ${line})`)
  return depth + 1
}

/** The parser of expressions, with Jinja's precedence. */
export class Expressions {
  readonly stream: Stream

  constructor(stream: Stream) {
    this.stream = stream
  }

  expression(withCondition = true): Expression {
    return this.stream.nested(() => (withCondition ? this.#condition() : this.#or()))
  }

  /** One expression, or a tuple where there are commas. */
  tuple(withCondition = true, end?: (stream: Stream) => boolean, parenthesised = false): Expression {
    const { line } = this.stream.current
    const items: Expression[] = []
    let isTuple = false
    for (;;) {
      if (items.length > 0) this.stream.expect(',')
      if (this.#tupleEnds(end)) break
      items.push(this.expression(withCondition))
      if (!this.stream.is(',')) break
      isTuple = true
    }
    if (!isTuple) {
      if (items[0] !== undefined) return items[0]
      if (!parenthesised) {
        const met = describeToken(this.stream.current)
        throw syntaxError(`Expected an expression, got '${met}'`, this.stream.current.line)
      }
    }
    return { kind: 'tuple', items, line, depth: above(items, line) }
  }

  #tupleEnds(end?: (stream: Stream) => boolean): boolean {
    const { type } = this.stream.current
    return type === 'variable_end' || type === 'block_end' || type === ')' || (end?.(this.stream) ?? false)
  }

  #condition(): Expression {
    let { line } = this.stream.current
    let result = this.#or()
    while (this.stream.skipIf('name', 'if')) {
      const test = this.#or()
      const otherwise = this.stream.skipIf('name', 'else') ? this.stream.nested(() => this.#condition()) : undefined
      result = {
        kind: 'conditional',
        test,
        value: result,
        otherwise,
        line,
        depth: above([test, result, otherwise], line),
      }
      line = this.stream.current.line
    }
    return result
  }

  #or(): Expression {
    let left = this.#and()
    while (this.stream.is('name', 'or')) {
      const { line } = this.stream.next()
      const right = this.#and()
      left = { kind: 'or', left, right, line, depth: above([left, right], line) }
    }
    return left
  }

  #and(): Expression {
    let left = this.#not()
    while (this.stream.is('name', 'and')) {
      const { line } = this.stream.next()
      const right = this.#not()
      left = { kind: 'and', left, right, line, depth: above([left, right], line) }
    }
    return left
  }

  #not(): Expression {
    if (!this.stream.is('name', 'not')) return this.#compare()
    const { line } = this.stream.next()
    const of = this.stream.nested(() => this.#not())
    return { kind: 'unary', op: 'not', of, line, depth: above([of], line) }
  }

  #compare(): Expression {
    const { line } = this.stream.current
    const first = this.#sum()
    const rest: [Comparison, Expression][] = []
    for (let op = this.#comparison(); op !== undefined; op = this.#comparison()) rest.push([op, this.#sum()])
    if (rest.length === 0) return first
    return { kind: 'compare', first, rest, line, depth: above([first, ...rest.map(([, part]) => part)], line) }
  }

  #comparison(): Comparison | undefined {
    const { type } = this.stream.current
    if (type === '==' || type === '!=' || type === '<' || type === '<=' || type === '>' || type === '>=') {
      this.stream.next()
      return type
    }
    if (this.stream.skipIf('name', 'in')) return 'in'
    if (
      this.stream.is('name', 'not') &&
      this.stream.following.type === 'name' &&
      this.stream.following.value === 'in'
    ) {
      this.stream.next()
      this.stream.next()
      return 'not in'
    }
    return undefined
  }

  #chain(operators: readonly TokenType[], operand: () => Expression): Expression {
    let left = operand()
    while (operators.includes(this.stream.current.type)) {
      const { type, line } = this.stream.next()
      const right = operand()
      left = { kind: 'binary', op: type as Operator, left, right, line, depth: above([left, right], line) }
    }
    return left
  }

  #sum(): Expression {
    return this.#chain(['+', '-'], () => this.#concat())
  }

  #concat(): Expression {
    const { line } = this.stream.current
    const parts = [this.#product()]
    while (this.stream.skipIf('~')) parts.push(this.#product())
    return parts.length === 1 ? parts[0]! : { kind: 'concat', parts, line, depth: above(parts, line) }
  }

  #product(): Expression {
    return this.#chain(['*', '/', '//', '%'], () => this.#chain(['**'], () => this.#unary(true)))
  }

  #unary(withFilter: boolean): Expression {
    const { type, line } = this.stream.current
    let node: Expression
    if (type === '-' || type === '+') {
      this.stream.next()
      const of = this.stream.nested(() => this.#unary(false))
      node = { kind: 'unary', op: type, of, line, depth: above([of], line) }
    } else node = this.primary()
    node = this.#postfix(node)
    return withFilter ? this.#filtersAndTests(node) : node
  }

  primary(): Expression {
    const token = this.stream.next()
    const { type, value, line } = token
    const constant = (of: Value): Expression => ({ kind: 'constant', value: of, line, depth: 1 })
    if (type === 'name') {
      if (value === 'true' || value === 'True') return constant(true)
      if (value === 'false' || value === 'False') return constant(false)
      if (value === 'none' || value === 'None') return constant(null)
      return { kind: 'name', name: value, line, depth: 1 }
    }
    if (type === 'string') {
      let text = value
      while (this.stream.is('string')) text += this.stream.next().value
      return constant(text)
    }
    if (type === 'integer') return constant(integer(value, token))
    if (type === 'float') return constant(new Float(Number(value.replaceAll('_', ''))))
    if (type === '(') {
      const inside = this.tuple(true, undefined, true)
      this.stream.expect(')')
      return inside
    }
    if (type === '[') {
      const items = this.#list(']', () => this.expression())
      return { kind: 'list', items, line, depth: above(items, line) }
    }
    if (type === '{') {
      const pairs = this.#list('}', () => {
        const key = this.expression()
        this.stream.expect(':')
        return [key, this.expression()] as const
      })
      return { kind: 'dict', pairs, line, depth: above(pairs.flat(), line) }
    }
    throw syntaxError(`unexpected '${describeToken(token)}'`, line)
  }

  #list<T>(close: TokenType, parse: () => T): T[] {
    const items: T[] = []
    while (!this.stream.is(close)) {
      if (items.length > 0) this.stream.expect(',')
      if (this.stream.is(close)) break
      items.push(parse())
    }
    this.stream.expect(close)
    return items
  }

  #postfix(start: Expression): Expression {
    let node = start
    for (;;) {
      const { type } = this.stream.current
      if (type === '.') node = this.#attribute(node)
      else if (type === '[') node = this.#subscript(node)
      else if (type === '(') node = this.#call(node)
      else return node
    }
  }

  #filtersAndTests(start: Expression): Expression {
    let node = start
    for (;;) {
      if (this.stream.is('|')) node = this.filter(node)!
      else if (this.stream.is('name', 'is')) node = this.#test(node)
      else if (this.stream.is('(')) node = this.#call(node)
      else return node
    }
  }

  #attribute(of: Expression): Expression {
    const { line } = this.stream.next()
    const token = this.stream.next()
    const depth = above([of], line)
    if (token.type === 'name') return { kind: 'attribute', of, name: token.value, line, depth }
    if (token.type !== 'integer') throw syntaxError('expected name or number', token.line)
    const key: Expression = { kind: 'constant', value: integer(token.value, token), line, depth: 1 }
    return { kind: 'item', of, key, line, depth }
  }

  #subscript(of: Expression): Expression {
    const { line } = this.stream.next()
    const keys: ((of: Expression) => Expression)[] = []
    const plain: Expression[] = []
    while (!this.stream.is(']')) {
      if (keys.length > 0) this.stream.expect(',')
      keys.push(this.#subscripted(line, plain))
    }
    this.stream.expect(']')
    if (keys.length === 1) return keys[0]!(of)
    if (plain.length < keys.length) throw syntaxError('a slice inside a tuple of keys is not supported', line)
    const key: Expression = { kind: 'tuple', items: plain, line, depth: above(plain, line) }
    return { kind: 'item', of, key, line, depth: above([of, key], line) }
  }

  /** A key or a slice; a key is also added to `plain`. */
  #subscripted(line: number, plain: Expression[]): (of: Expression) => Expression {
    const bound = () =>
      this.stream.is(':') || this.stream.is(']') || this.stream.is(',') ? undefined : this.expression()
    const start = this.stream.is(':') ? undefined : this.expression()
    if (!this.stream.skipIf(':')) {
      plain.push(start!)
      return of => ({ kind: 'item', of, key: start!, line, depth: above([of, start], line) })
    }
    const stop = bound()
    const step = this.stream.skipIf(':') ? bound() : undefined
    return of => ({ kind: 'slice', of, start, stop, step, line, depth: above([of, start, stop, step], line) })
  }

  #call(of: Expression): CallNode {
    const { line } = this.stream.current
    const given = this.callArguments()
    return { kind: 'call', of, arguments: given, line, depth: above([of, ...partsOf(given)], line) }
  }

  callArguments(): Arguments {
    const { line } = this.stream.expect('(')
    const args: Expression[] = []
    const kwargs: [string, Expression][] = []
    let moreArgs: Expression | undefined
    let moreKwargs: Expression | undefined
    const ensure = (good: boolean) => {
      if (!good) throw syntaxError('invalid syntax for function call expression', line)
    }
    let first = true
    while (!this.stream.is(')')) {
      if (!first) {
        this.stream.expect(',')
        if (this.stream.is(')')) break
      }
      first = false
      if (this.stream.skipIf('*')) {
        ensure(moreArgs === undefined && moreKwargs === undefined)
        moreArgs = this.expression()
      } else if (this.stream.skipIf('**')) {
        ensure(moreKwargs === undefined)
        moreKwargs = this.expression()
      } else if (this.stream.is('name') && this.stream.following.type === '=') {
        ensure(moreKwargs === undefined)
        const name = this.stream.next().value
        this.stream.next()
        if (kwargs.some(([other]) => other === name)) throw syntaxError(`keyword argument repeated: ${name}`, line)
        kwargs.push([name, this.expression()])
      } else {
        ensure(moreArgs === undefined && moreKwargs === undefined && kwargs.length === 0)
        args.push(this.expression())
      }
    }
    this.stream.expect(')')
    return { args, kwargs, moreArgs, moreKwargs }
  }

  /** `| name(…)` as often as it stands there; `inline`: the first without its bar. */
  filter(start: Expression | undefined, inline = false): FilterNode | undefined {
    let node = start as FilterNode | undefined
    let bare = inline
    while (bare || this.stream.is('|')) {
      if (!bare) this.stream.next()
      bare = false
      const { line } = this.stream.current
      const name = this.#dottedName()
      const given = this.stream.is('(') ? this.callArguments() : NOTHING
      node = { kind: 'filter', of: node, name, arguments: given, line, depth: above([node, ...partsOf(given)], line) }
    }
    return node
  }

  #dottedName(): string {
    let name = this.stream.expect('name').value
    while (this.stream.skipIf('.')) name += `.${this.stream.expect('name').value}`
    return name
  }

  #test(of: Expression): Expression {
    const { line } = this.stream.next()
    const negated = this.stream.skipIf('name', 'not')
    const name = this.#dottedName()
    let given = NOTHING
    if (this.stream.is('(')) given = this.callArguments()
    else if (this.#argumentFollows()) {
      if (this.stream.is('name', 'is')) throw syntaxError('You cannot chain multiple tests with is', line)
      given = { ...NOTHING, args: [this.stream.nested(() => this.#postfix(this.primary()))] }
    }
    const depth = above([of, ...partsOf(given)], line)
    const test: Expression = { kind: 'test', of, name, arguments: given, line, depth }
    return negated ? { kind: 'unary', op: 'not', of: test, line, depth: depth + 1 } : test
  }

  #argumentFollows(): boolean {
    const { type, value } = this.stream.current
    if (type === 'name') return value !== 'else' && value !== 'or' && value !== 'and'
    return type === 'string' || type === 'integer' || type === 'float' || type === '[' || type === '{'
  }
}

const NOTHING: Arguments = { args: [], kwargs: [], moreArgs: undefined, moreKwargs: undefined }

export function partsOf({ args, kwargs, moreArgs, moreKwargs }: Arguments): Expression[] {
  const more = [moreArgs, moreKwargs].filter(part => part !== undefined)
  return [...args, ...kwargs.map(([, value]) => value), ...more]
}

/** Longest number in digits; Python takes no decimal one beyond. */
const MAX_DIGITS = 4300

function integer(text: string, { line }: Token): Value {
  const digits = text.replaceAll('_', '').toLowerCase()
  if (digits.length > MAX_DIGITS) throw syntaxError(`a number of more than ${MAX_DIGITS} digits`, line)
  return normalInt(BigInt(digits))
}
