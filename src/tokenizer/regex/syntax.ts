/** The syntax tree of a regular expression. A set matches one code point; it is kept as source: `[a-z]`, `\p{L}`, `x`. */
export type Part =
  | { readonly kind: 'set'; readonly source: string }
  | { readonly kind: 'sequence'; readonly parts: readonly Part[] }
  | { readonly kind: 'choice'; readonly parts: readonly Part[] }
  | { readonly kind: 'repeat'; readonly part: Part; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: 'look'; readonly part: Part; readonly behind: boolean; readonly negative: boolean }

/** Deeper than any published tokenizer's expression. */
const MAX_DEPTH = 200

const ESCAPE =
  /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[dD][89abAB][\dA-Fa-f]{2}\\u[dD][c-fC-F][\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|x[\dA-Fa-f]{2}|c[A-Za-z]|[\s\S])/uy
const CLASS = /\[(?:\\[\s\S]|[^\]\\])*\]/uy
const QUANTIFIER = /(?:([*+?])|\{(\d+)(,?)(\d*)\})(\??)/y
const GROUP = /\((?:\?(?:([:=!])|<([=!])|<[^>]*>))?/y

/**
 * Parses an expression in JavaScript's syntax with the flag u that JavaScript has accepted. Sets are not parsed: RegExp
 * evaluates them. Throws an Error for features that no published tokenizer uses: backreferences, deep nesting.
 */
export function parseExpression(source: string): Part {
  return new Parser(source).whole()
}

class Parser {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  whole(): Part {
    const part = this.#choice(0)
    if (this.#at < this.#source.length) throw this.#strange()
    return part
  }

  #choice(depth: number): Part {
    if (depth > MAX_DEPTH) throw new Error(`it has more than ${MAX_DEPTH} groups inside one another`)
    const parts = [this.#sequence(depth)]
    while (this.#source[this.#at] === '|') {
      this.#at++
      parts.push(this.#sequence(depth))
    }
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts }
  }

  #sequence(depth: number): Part {
    const parts: Part[] = []
    for (;;) {
      const next = this.#source[this.#at]
      if (next === undefined || next === '|' || next === ')') break
      parts.push(this.#quantified(this.#atom(next, depth)))
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts }
  }

  #atom(next: string, depth: number): Part {
    if (next === '(') return this.#group(depth)
    if (next === '[') return { kind: 'set', source: this.#take(CLASS)[0] }
    if (next === '\\') return this.#escape()
    if (next === '^') return this.#edge(true)
    if (next === '$') return this.#edge(false)
    const source = String.fromCodePoint(this.#source.codePointAt(this.#at)!)
    this.#at += source.length
    return { kind: 'set', source }
  }

  #group(depth: number): Part {
    const [, ahead, behind] = this.#take(GROUP)
    if (this.#source[this.#at] === '?') throw this.#strange()
    const part = this.#choice(depth + 1)
    if (this.#source[this.#at] !== ')') throw this.#strange()
    this.#at++
    const sign = behind ?? ahead
    if (sign !== '=' && sign !== '!') return part
    return { kind: 'look', part, behind: behind !== undefined, negative: sign === '!' }
  }

  #escape(): Part {
    const [source] = this.#take(ESCAPE)
    if (/^\\[1-9k]/.test(source)) throw new Error('it refers back to what a group has matched')
    if (/^\\[bB]$/.test(source)) throw this.#strange()
    return { kind: 'set', source }
  }

  /** An assertion of the text's start or end. */
  #edge(behind: boolean): Part {
    this.#at++
    return { kind: 'look', part: { kind: 'set', source: '[\\s\\S]' }, behind, negative: true }
  }

  #quantified(part: Part): Part {
    QUANTIFIER.lastIndex = this.#at
    const found = QUANTIFIER.exec(this.#source)
    if (!found) return part
    this.#at = QUANTIFIER.lastIndex
    const [, sign, from, comma, to, lazy] = found
    const min = sign ? (sign === '+' ? 1 : 0) : Number(from)
    const most = sign
      ? sign === '?'
        ? 1
        : Number.POSITIVE_INFINITY
      : comma
        ? Number(to || Number.POSITIVE_INFINITY)
        : min
    return { kind: 'repeat', part, min, max: most, lazy: lazy === '?' }
  }

  #take(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#source)
    if (!found) throw this.#strange()
    this.#at = pattern.lastIndex
    return found
  }

  #strange(): Error {
    return new Error(
      `latentkit does not know what ${JSON.stringify(this.#source.slice(this.#at, this.#at + 20))} means`,
    )
  }
}
