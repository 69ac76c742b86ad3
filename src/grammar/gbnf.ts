import { OptionError } from '../errors.ts'

/**
 * llama.cpp's form of grammars (GBNF), rewritten in llguidance's form of Lark. What does not refer to itself becomes one
 * regular expression: written piece by piece, a lexer would cut at the wrong places.
 */
export function larkOfGbnf(text: string): string {
  const rules = new Parser(text).rules()
  return new Writer(rules).write()
}

/** Whether a grammar is in this form. */
export const isGbnf = (text: string): boolean => /^[ \t]*[A-Za-z][\w-]*[ \t]*::=/m.test(text)

type Node =
  | { readonly kind: 'set'; readonly regex: string }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Node[] }
  | { readonly kind: 'repeat'; readonly part: Node; readonly min: number; readonly max: number | null }

const MAX_LENGTH = 1_000_000
const MAX_REPEAT = 2000
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '\\': '\\',
  '"': '"',
  '[': '[',
  ']': ']',
}
const HEX: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  rules(): Map<string, Node> {
    const rules = new Map<string, Node>()
    for (this.#blanks(); this.#at < this.#text.length; this.#blanks()) {
      const name = this.#match(/[A-Za-z0-9][\w-]*/y) ?? this.#fail('expected the name of a rule')
      this.#blanks()
      if (this.#match(/::=/y) === undefined) this.#fail(`expected ::= after ${name}`)
      rules.set(name, this.#alternatives())
    }
    if (!rules.has('root')) throw new OptionError('grammar has no rule root; expected one, as llama.cpp begins with it')
    for (const [name, rule] of rules) {
      const missing = namesIn(rule).find(one => !rules.has(one))
      if (missing) throw new OptionError(`grammar: the rule ${name} has ${missing}, which is no rule of the grammar`)
    }
    return rules
  }

  #alternatives(): Node {
    const parts = [this.#sequence()]
    while (this.#match(/\|/y)) parts.push(this.#sequence())
    return parts.length === 1 ? (parts[0] as Node) : { kind: 'any', parts }
  }

  #sequence(): Node {
    const parts: Node[] = []
    for (;;) {
      this.#blanks()
      const item = this.#item()
      if (item === undefined) return { kind: 'all', parts }
      parts.push(this.#repeated(item))
    }
  }

  #item(): Node | undefined {
    // A rule that begins here ends this one.
    if (/[A-Za-z0-9][\w-]*\s*::=/y.test(this.#text.slice(this.#at, this.#at + 200))) return undefined
    const name = this.#match(/[A-Za-z0-9][\w-]*/y)
    if (name !== undefined) return { kind: 'rule', name }
    if (this.#match(/"/y)) return this.#literal()
    if (this.#match(/\[/y)) return this.#class()
    if (this.#match(/\./y)) return { kind: 'set', regex: '(?s:.)' }
    if (this.#match(/\(/y)) {
      const inside = this.#alternatives()
      if (this.#match(/\)/y) === undefined) this.#fail('expected )')
      return inside
    }
    if (/[|)]/.test(this.#text[this.#at] ?? '|')) return undefined
    return this.#fail('met what is no part of GBNF that can be held')
  }

  #repeated(part: Node): Node {
    const sign = this.#match(/[ \t]*[*+?]/y)?.trim()
    if (sign) return this.#repeated({ kind: 'repeat', part, min: sign === '+' ? 1 : 0, max: sign === '?' ? 1 : null })
    const counts = this.#match(/[ \t]*\{\s*\d+\s*(,\s*\d*\s*)?\}/y)
      ?.replace(/[\s{}]/g, '')
      .split(',')
    if (counts === undefined) return part
    const [low, high] = counts as [string, string?]
    const max = high === undefined ? Number(low) : high === '' ? null : Number(high)
    if (Math.max(Number(low), max ?? 0) > MAX_REPEAT) this.#fail(`a repetition is above ${MAX_REPEAT}`)
    return this.#repeated({ kind: 'repeat', part, min: Number(low), max })
  }

  #literal(): Node {
    const parts: Node[] = []
    while (this.#match(/"/y) === undefined) parts.push({ kind: 'set', regex: code(this.#character()) })
    return { kind: 'all', parts }
  }

  #class(): Node {
    let regex = this.#match(/\^/y) ? '[^' : '['
    let empty = true
    while (this.#match(/\]/y) === undefined) {
      const low = this.#character()
      const high = this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']' ? this.#range() : low
      regex += low === high ? code(low) : `${code(low)}-${code(high)}`
      empty = false
    }
    if (empty) this.#fail('a class of characters is empty')
    return { kind: 'set', regex: `${regex}]` }
  }

  #range(): number {
    this.#at++
    return this.#character()
  }

  #character(): number {
    if (this.#at >= this.#text.length) this.#fail('a text or a class of characters does not end')
    if (this.#match(/\\/y) === undefined) {
      const point = this.#text.codePointAt(this.#at) as number
      this.#at += point > 0xffff ? 2 : 1
      return point
    }
    const letter = this.#text[this.#at++] ?? ''
    const length = HEX[letter]
    if (length === undefined) return (ESCAPES[letter] ?? this.#fail(`\\${letter} is no escape`)).charCodeAt(0)
    const digits = this.#text.slice(this.#at, this.#at + length)
    if (!/^[0-9A-Fa-f]+$/.test(digits) || digits.length < length) this.#fail(`\\${letter} needs ${length} digits`)
    this.#at += length
    return Number.parseInt(digits, 16)
  }

  #blanks(): void {
    this.#match(/(?:\s|#[^\n]*)*/y)
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const met = pattern.exec(this.#text)?.[0]
    this.#at += met?.length ?? 0
    return met
  }

  #fail(what: string): never {
    const line = this.#text.slice(0, this.#at).split('\n').length
    throw new OptionError(
      `grammar, line ${line}: ${what}; it reads ${JSON.stringify(this.#text.slice(this.#at, this.#at + 20))}`,
    )
  }
}

function namesIn(node: Node): readonly string[] {
  if (node.kind === 'rule') return [node.name]
  if (node.kind === 'repeat') return namesIn(node.part)
  return node.kind === 'set' ? [] : node.parts.flatMap(namesIn)
}

const code = (point: number): string => `\\x{${point.toString(16)}}`

class Writer {
  readonly #rules: ReadonlyMap<string, Node>
  readonly #recursive: ReadonlySet<string>
  readonly #nullable: ReadonlySet<string>
  readonly #regexes = new Map<string, string>()
  readonly #out: string[] = []
  readonly #numbers = new Map<string, number>()

  constructor(rules: ReadonlyMap<string, Node>) {
    this.#rules = rules
    const reached = (from: string): Set<string> => {
      const seen = new Set<string>()
      const open = [...namesIn(rules.get(from) as Node)]
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (seen.has(next)) continue
        seen.add(next)
        open.push(...namesIn(rules.get(next) as Node))
      }
      return seen
    }
    const circular = new Set([...rules.keys()].filter(name => reached(name).has(name)))
    this.#recursive = new Set(
      [...rules.keys()].filter(name => circular.has(name) || [...reached(name)].some(one => circular.has(one))),
    )
    this.#nullable = this.#findNullable()
  }

  write(): string {
    this.#out.push(`start: ${this.#item({ kind: 'rule', name: 'root' })}`)
    for (const name of this.#recursive)
      this.#out.push(`${this.#name(name)}: ${this.#item(this.#rules.get(name) as Node)}`)
    const text = this.#out.join('\n')
    if (text.length > MAX_LENGTH)
      throw new OptionError(`grammar is ${text.length} characters of Lark; expected at most ${MAX_LENGTH}`)
    return text
  }

  #name(name: string): string {
    const number = this.#numbers.get(name) ?? this.#numbers.size
    this.#numbers.set(name, number)
    return `g${number}`
  }

  #isRecursive(node: Node): boolean {
    return namesIn(node).some(name => this.#recursive.has(name))
  }

  /** A node in a rule. */
  #item(node: Node): string {
    if (!this.#isRecursive(node)) return this.#terminal(node)
    switch (node.kind) {
      case 'rule':
        return this.#name(node.name)
      case 'repeat':
        return `(${this.#item(node.part)})${node.max === null && node.min < 2 ? (node.min === 1 ? '+' : '*') : `{${node.min},${node.max ?? ''}}`}`
      case 'any':
        return `(${node.parts.map(part => this.#item(part)).join(' | ')})`
      default:
        return this.#runs(node.kind === 'all' ? node.parts : []).join(' ')
    }
  }

  /** A sequence, in which neighbours that do not refer to themselves are one expression. */
  #runs(parts: readonly Node[]): string[] {
    const written: string[] = []
    let run: Node[] = []
    const flush = () => {
      if (run.length > 0) written.push(this.#terminal({ kind: 'all', parts: run }))
      run = []
    }
    for (const part of parts) {
      if (!this.#isRecursive(part)) run.push(part)
      else {
        flush()
        written.push(this.#item(part))
      }
    }
    flush()
    return written
  }

  /** A regular expression as a terminal, which must not be empty. */
  #terminal(node: Node): string {
    const regex = this.#regex(node)
    if (regex === '') return '""'
    const isNullable = this.#isNullable(node, this.#nullable)
    const name = `T${this.#out.length}`
    this.#out.push(`${name}: /${regex}/${isNullable ? ' & /(?s:.+)/' : ''}`)
    return isNullable ? `${name}?` : name
  }

  #regex(node: Node): string {
    switch (node.kind) {
      case 'set':
        return node.regex
      case 'rule': {
        let known = this.#regexes.get(node.name)
        if (known === undefined) {
          known = `(?:${this.#regex(this.#rules.get(node.name) as Node)})`
          this.#regexes.set(node.name, known)
        }
        return known
      }
      case 'repeat':
        return `(?:${this.#regex(node.part)}){${node.min},${node.max ?? ''}}`
      case 'all':
      case 'any': {
        const parts = node.parts.map(part => this.#regex(part))
        if (parts.reduce((sum, part) => sum + part.length, 0) > MAX_LENGTH) {
          throw new OptionError(`grammar has an expression of more than ${MAX_LENGTH} characters; use a smaller one`)
        }
        return node.kind === 'all' ? parts.join('') : `(?:${parts.join('|')})`
      }
    }
  }

  #findNullable(): ReadonlySet<string> {
    const found = new Set<string>()
    for (let before = -1; before !== found.size; ) {
      before = found.size
      for (const [name, rule] of this.#rules) if (this.#isNullable(rule, found)) found.add(name)
    }
    return found
  }

  #isNullable(node: Node, known: ReadonlySet<string>): boolean {
    if (node.kind === 'set') return false
    if (node.kind === 'rule') return known.has(node.name)
    if (node.kind === 'repeat') return node.min === 0 || this.#isNullable(node.part, known)
    const test = (part: Node) => this.#isNullable(part, known)
    return node.kind === 'all' ? node.parts.every(test) : node.parts.some(test)
  }
}
