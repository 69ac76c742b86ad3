import type { Body, CallNode, Expression, Parameter, Statement, Target } from './ast.ts'
import { Expressions } from './expressions.ts'
import { tokenize } from './lexer.ts'
import { Stream } from './stream.ts'
import { describeToken, syntaxError, type Token } from './tokens.ts'

/** Parses a template as Jinja 3.1 does with the extensions that transformers adds: loop controls and `generation`. */
export function parse(source: string): Body {
  return new Parser(new Stream(tokenize(source))).template()
}

const constants = new Set(['true', 'false', 'none', 'True', 'False', 'None'])

class Parser {
  readonly #stream: Stream
  readonly #expressions: Expressions
  readonly #open: string[] = []
  readonly #awaited: (readonly string[])[] = []

  constructor(stream: Stream) {
    this.#stream = stream
    this.#expressions = new Expressions(stream)
  }

  template(): Body {
    return this.#body()
  }

  /** Statements up to a tag that ends them; that tag's name is the next token. */
  #body(ends: readonly string[] = []): Statement[] {
    const body: Statement[] = []
    if (ends.length > 0) this.#awaited.push(ends)
    for (;;) {
      const { type, value, line } = this.#stream.current
      if (type === 'eof') {
        if (ends.length > 0) throw this.#unexpected(undefined, line)
        return body
      }
      this.#stream.next()
      if (type === 'data') body.push({ kind: 'text', text: value, line })
      else if (type === 'variable_begin') {
        body.push({ kind: 'print', value: this.#expressions.tuple(), line })
        this.#stream.expect('variable_end')
      } else {
        if (this.#stream.is('name') && ends.includes(this.#stream.current.value)) break
        const statement = this.#stream.nested(() => this.#statement())
        if (Array.isArray(statement)) body.push(...statement)
        else body.push(statement)
        this.#stream.expect('block_end')
      }
    }
    this.#awaited.pop()
    return body
  }

  /** The end of a tag, statements, and (unless `keep`) the name of the tag that ends them. */
  #block(ends: readonly string[], keep = false): Body {
    this.#stream.skipIf(':')
    this.#stream.expect('block_end')
    const body = this.#body(ends)
    if (!keep) this.#stream.next()
    return body
  }

  #unexpected(name: string | undefined, line: number) {
    const looking = this.#awaited
      .at(-1)
      ?.map(tag => `'${tag}'`)
      .join(' or ')
    const parts = [name === undefined ? 'Unexpected end of template.' : `Encountered unknown tag '${name}'.`]
    if (looking !== undefined) parts.push(`Jinja was looking for the following tags: ${looking}.`)
    const open = this.#open.at(-1)
    if (open !== undefined) parts.push(`The innermost block that needs to be closed is '${open}'.`)
    return syntaxError(parts.join(' '), line)
  }

  #statement(): Statement | Statement[] {
    const token = this.#stream.current
    if (token.type !== 'name') throw syntaxError('tag name expected', token.line)
    const parse = this.#tags[token.value]
    if (parse === undefined) throw this.#unexpected(token.value, token.line)
    this.#open.push(token.value)
    this.#stream.next()
    const statement = parse(token)
    this.#open.pop()
    return statement
  }

  readonly #tags: Readonly<Record<string, ((token: Token) => Statement | Statement[]) | undefined>> = Object.assign(
    Object.create(null),
    {
      for: (token: Token) => this.#for(token),
      if: (token: Token) => this.#if(token),
      set: (token: Token) => this.#set(token),
      with: (token: Token) => this.#with(token),
      macro: (token: Token) => this.#macro(token),
      call: (token: Token) => this.#callBlock(token),
      filter: (token: Token) => this.#filterBlock(token),
      print: (token: Token) => this.#print(token),
      block: (token: Token) => this.#namedBlock(token),
      autoescape: (token: Token) => this.#autoescape(token),
      generation: ({ line }: Token) => ({ kind: 'capture', body: this.#block(['endgeneration']), line }),
      break: ({ line }: Token) => ({ kind: 'break', line }),
      continue: ({ line }: Token) => ({ kind: 'continue', line }),
      extends: noLoader,
      include: noLoader,
      import: noLoader,
      from: noLoader,
    },
  )

  #for({ line }: Token): Statement {
    const target = this.#target({ fields: false, end: stream => stream.is('name', 'in') })
    this.#stream.expect('name', 'in')
    const over = this.#expressions.tuple(false, stream => stream.is('name', 'recursive'))
    const test = this.#stream.skipIf('name', 'if') ? this.#expressions.expression() : undefined
    const recursive = this.#stream.skipIf('name', 'recursive')
    const body = this.#block(['endfor', 'else'], true)
    const otherwise = this.#stream.next().value === 'else' ? this.#block(['endfor']) : []
    return { kind: 'for', target, over, test, recursive, body, otherwise, line }
  }

  #if({ line }: Token): Statement {
    const branches: { test: Expression; body: Body }[] = []
    for (;;) {
      const test = this.#expressions.tuple(false)
      branches.push({ test, body: this.#block(['elif', 'else', 'endif'], true) })
      const { value } = this.#stream.next()
      if (value === 'elif') continue
      return { kind: 'if', branches, otherwise: value === 'else' ? this.#block(['endif']) : [], line }
    }
  }

  #set({ line }: Token): Statement {
    const target = this.#target({ fields: true })
    if (this.#stream.skipIf('=')) return { kind: 'set', target, value: this.#expressions.tuple(), line }
    const filter = this.#expressions.filter(undefined)
    return { kind: 'set block', target, filter, body: this.#block(['endset']), line }
  }

  #with({ line }: Token): Statement {
    const targets: [Target, Expression][] = []
    while (!this.#stream.is('block_end')) {
      if (targets.length > 0) this.#stream.expect(',')
      const target = this.#target({ fields: false })
      this.#stream.expect('=')
      targets.push([target, this.#expressions.expression()])
    }
    return { kind: 'with', targets, body: this.#block(['endwith']), line }
  }

  #signature(): Parameter[] {
    const parameters: Parameter[] = []
    this.#stream.expect('(')
    while (!this.#stream.is(')')) {
      if (parameters.length > 0) this.#stream.expect(',')
      const { value: name, line } = this.#name()
      const standard = this.#stream.skipIf('=') ? this.#expressions.expression() : undefined
      if (standard === undefined && parameters.at(-1)?.standard !== undefined) {
        throw syntaxError('non-default argument follows default argument', line)
      }
      if (parameters.some(other => other.name === name)) {
        throw syntaxError(`duplicate argument '${name}' in function definition`, line)
      }
      parameters.push({ name, standard })
    }
    this.#stream.expect(')')
    return parameters
  }

  #macro({ line }: Token): Statement {
    const { value: name } = this.#name()
    const parameters = this.#signature()
    return { kind: 'macro', name, parameters, body: this.#block(['endmacro']), line }
  }

  #callBlock({ line }: Token): Statement {
    const parameters = this.#stream.is('(') ? this.#signature() : []
    const call = this.#expressions.expression()
    if (call.kind !== 'call') throw syntaxError('expected call', line)
    return { kind: 'call block', parameters, call: call as CallNode, body: this.#block(['endcall']), line }
  }

  #filterBlock({ line }: Token): Statement {
    const filter = this.#expressions.filter(undefined, true)!
    return { kind: 'filter block', filter, body: this.#block(['endfilter']), line }
  }

  #print({ line }: Token): Statement[] {
    const printed: Statement[] = []
    while (!this.#stream.is('block_end')) {
      if (printed.length > 0) this.#stream.expect(',')
      printed.push({ kind: 'print', value: this.#expressions.expression(), line })
    }
    return printed
  }

  /** Without inheritance a named block is a scope of its own. */
  #namedBlock({ line }: Token): Statement {
    const { value: name } = this.#stream.expect('name')
    this.#stream.skipIf('name', 'scoped')
    if (this.#stream.skipIf('name', 'required')) {
      throw syntaxError(`Required block '${name}' not found: a chat template stands alone`, line)
    }
    const body = this.#block(['endblock'])
    this.#stream.skipIf('name', name)
    return { kind: 'scope', body, line }
  }

  #autoescape({ line }: Token): Statement {
    const on = this.#expressions.expression()
    return { kind: 'autoescape', on, body: this.#block(['endautoescape']), line }
  }

  /** A name that is assigned to. */
  #name(): Token {
    const token = this.#stream.expect('name')
    if (constants.has(token.value)) throw syntaxError(`can't assign to '${token.value}'`, token.line)
    return token
  }

  #target(options: { fields: boolean; end?: (stream: Stream) => boolean }): Target {
    const { line } = this.#stream.current
    const items: Target[] = []
    let isTuple = false
    for (;;) {
      if (items.length > 0) this.#stream.expect(',')
      const { type } = this.#stream.current
      if (type === 'variable_end' || type === 'block_end' || type === ')' || options.end?.(this.#stream)) break
      items.push(this.#stream.nested(() => this.#targetPart(options)))
      if (!this.#stream.is(',')) break
      isTuple = true
    }
    if (!isTuple && items[0] !== undefined) return items[0]
    if (!isTuple) throw syntaxError(`Expected an expression, got '${describeToken(this.#stream.current)}'`, line)
    return { kind: 'tuple', items, line }
  }

  #targetPart(options: { fields: boolean }): Target {
    const { type, value, line } = this.#stream.current
    if (type === '(') {
      this.#stream.next()
      // Jinja reads a full expression here: fields of namespaces are none.
      const inner = this.#target({ fields: false })
      this.#stream.expect(')')
      return inner
    }
    if (type !== 'name') throw syntaxError(`can't assign to '${describeToken(this.#stream.current)}'`, line)
    const { value: name } = this.#name()
    if (!options.fields || !this.#stream.is('.')) return { kind: 'name', name, line }
    this.#stream.next()
    return { kind: 'field', name: value, field: this.#stream.expect('name').value, line }
  }
}

function noLoader({ value, line }: Token): never {
  throw syntaxError(`'${value}' asks for another template, but a chat template stands alone`, line)
}
