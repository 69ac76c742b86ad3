import { DistinctMatcher } from './distinct/matcher.ts'
import { readingParts } from './distinct/parts.ts'
import { type Reading, readingAfter, readingOf } from './distinct/reading.ts'
import { shapeOf } from './distinct/shapes.ts'
import { Ending } from './ending.ts'
import { EndingSearch } from './ending-search.ts'
import { GrammarError } from './errors.ts'
import { literalsOf } from './literals.ts'
import type { TextMatcher } from './text-matcher.ts'
import { TokenTexts } from './token-texts.ts'
import { maskWords, type Vocabulary } from './vocabulary.ts'
import { type GrammarModule, Instance, type SourceKind } from './wasm/instance.ts'

/** What the library compiles: a JSON schema (as text), a regular expression (of Rust's syntax), or its form of Lark. */
export interface GrammarSource {
  readonly kind: SourceKind
  readonly text: string
  /** Of a JSON schema: the same with `uniqueItems`, which the library does not hold. Default: no list has it. */
  readonly distinct?: string
  /** Of Lark: the same of the JSON after texts in which null stands for digits. Default: none. */
  readonly distinctAfter?: readonly { readonly before: readonly (string | null)[]; readonly schema: string }[]
  /** Of Lark: the same of calls whose arguments stand apart. Default: none. */
  readonly distinctParts?: readonly DistinctParts[]
  /**
   * Of Lark, if its texts end by themselves, so that they can be brought to an end as those of the other kinds: texts, and ids of
   * control tokens, that end free text in them. Default: they need not end.
   */
  readonly marks?: readonly (string | number)[]
}

/** A call after a text in which null stands for digits; each argument is a text, or JSON by a schema. */
export interface DistinctParts {
  readonly before: readonly (string | null)[]
  /** Numbers are ids of control tokens. */
  readonly parts: readonly {
    readonly begin: string
    readonly end: readonly (string | number)[]
    readonly schema: string | null
  }[]
  readonly between: string
  readonly end: string
}

/** Memory at which an instance is thrown away before the next grammar is compiled: it never gives memory back. */
const MAX_MEMORY = 384 << 20

/**
 * Grammars and matchers over one vocabulary. After a trap, the instance is thrown away and the next call gets a fresh
 * one, on which matchers repeat their ids; only the call that failed throws.
 */
export class GrammarLibrary {
  readonly #module: GrammarModule
  readonly #vocabulary: Vocabulary
  readonly #ends: ReadonlySet<number>
  #instance: Instance | undefined
  #texts: TokenTexts | undefined

  constructor(module: GrammarModule, vocabulary: Vocabulary) {
    this.#module = module
    this.#vocabulary = vocabulary
    this.#ends = new Set(vocabulary.ends)
  }

  /** Words of a mask over this vocabulary; one of a model whose vocabulary is longer may be used. */
  get maskWords(): number {
    return maskWords(this.#vocabulary.lengths.length)
  }

  /** @internal Ids at which generation stops. */
  get ends(): readonly number[] {
    return [...this.#ends]
  }

  /** Whether generation stops at the id. */
  endsText(id: number): boolean {
    return this.#ends.has(id)
  }

  /** Compiles a grammar. Throws GrammarError with the library's reason. */
  compile(source: GrammarSource): Grammar {
    if ((this.#instance?.memoryBytes ?? 0) > MAX_MEMORY) this.#instance = undefined
    const grammar = new Grammar(this, source)
    grammar.start()
    return grammar
  }

  /** @internal What the tokens are. */
  get texts(): TokenTexts {
    this.#texts ??= new TokenTexts(this.#vocabulary)
    return this.#texts
  }

  /** @internal The instance that works. */
  instance(): Instance {
    if (this.#instance === undefined || this.#instance.broken) {
      this.#instance = new Instance(this.#module, this.#vocabulary)
    }
    return this.#instance
  }
}

/** As Lark has one by its id. */
const CONTROL_TOKEN = /<\[\d+\]>/

/** A compiled grammar. Its matchers share what they learn of it, so the same one serves many texts. */
export class Grammar {
  readonly #library: GrammarLibrary
  readonly #source: GrammarSource
  readonly #reading: Reading | null
  /** Whether control tokens are forced. */
  readonly hasControls: boolean
  #search: EndingSearch | undefined
  #instance: Instance | undefined
  #start = 0

  /** @internal Use `library.compile`. */
  constructor(library: GrammarLibrary, source: GrammarSource) {
    this.#library = library
    this.#source = source
    this.#reading = readingFor(source, id => library.texts.of(id))
    this.hasControls = source.kind === 'lark' && CONTROL_TOKEN.test(source.text)
  }

  /** What brings a text of this grammar to its end; undefined: nothing does. */
  ending(): Ending | undefined {
    const { kind, text, marks } = this.#source
    if (kind === 'lark' && marks === undefined) return undefined
    // In a regular expression, brackets and quotes are characters like others.
    this.#search ??= new EndingSearch(
      this.#library.texts,
      kind === 'regex' ? null : (marks ?? []),
      literalsOf(kind, text),
    )
    return new Ending(this.#search, this.#library.ends)
  }

  /** Tokens of what has to come next, the first `most` of them; none where there is a choice. */
  forcedIds(matcher: TextMatcher, most: number): readonly number[] {
    return this.#library.texts.forcedBy(matcher, most) ?? []
  }

  /** A matcher at the start of the grammar. */
  matcher(): TextMatcher {
    const matcher = new Matcher(this.#library, this)
    return this.#reading ? new DistinctMatcher(matcher, this.#reading, this.#library.texts) : matcher
  }

  /** @internal The address of a matcher at the start, on the instance that works. */
  start(): number {
    const instance = this.#library.instance()
    if (this.#instance !== instance) {
      this.#start = instance.compile(this.#source.kind, this.#source.text).matcher
      this.#instance = instance
    }
    return this.#start
  }

  /** Gives its memory back; matchers that exist go on. */
  dispose(): void {
    if (this.#instance !== undefined && !this.#instance.broken) this.#instance.free(this.#start)
    this.#instance = undefined
  }
}

/** How lists of distinct items are read; null: there are none. `textOf`: a token's bytes. */
function readingFor(
  { distinct, distinctAfter, distinctParts }: GrammarSource,
  textOf: (id: number) => string,
): Reading | null {
  if (distinctParts) {
    const calls = distinctParts.map(call => {
      const parts = call.parts.map(({ begin, end, schema }) => ({
        begin,
        end: end.map(piece => (typeof piece === 'number' ? { control: textOf(piece) } : piece)),
        json: schema === null ? null : { shape: shapeOf(JSON.parse(schema)) },
      }))
      return { ...call, parts }
    })
    return readingParts(calls)
  }
  if (distinctAfter) {
    return readingAfter(distinctAfter.map(({ before, schema }) => ({ before, shape: shapeOf(JSON.parse(schema)) })))
  }
  const shape = distinct === undefined ? null : shapeOf(JSON.parse(distinct))
  return shape && readingOf(shape)
}

/** A matcher of the library's. */
class Matcher implements TextMatcher {
  readonly #library: GrammarLibrary
  readonly #grammar: Grammar
  #ids: number[] = []
  /** The text has ended with one of the vocabulary's ends: the last of `#ids`, which the library is not given. */
  #ended = false
  #instance: Instance | undefined
  #address = 0
  #failure: GrammarError | undefined

  /** @internal Use `grammar.matcher()`. */
  constructor(library: GrammarLibrary, grammar: Grammar, ids: readonly number[] = [], ended = false) {
    this.#library = library
    this.#grammar = grammar
    this.#ids = [...ids]
    this.#ended = ended
  }

  get length(): number {
    return this.#ids.length
  }

  mask(into: Uint32Array): void {
    if (this.#ended) into.fill(0)
    else this.#call((instance, address) => instance.mask(address, into))
  }

  accept(ids: readonly number[]): number {
    const { text, end } = this.#split(ids)
    if (this.#ended) return 0
    let count = text.length === 0 ? 0 : this.#call((instance, address) => instance.accept(address, text))
    for (let i = 0; i < count; i++) this.#ids.push(text[i] as number)
    if (count === text.length && end !== undefined && this.accepting) {
      this.#ids.push(end)
      this.#ended = true
      count++
    }
    return count
  }

  validPrefix(ids: readonly number[]): number {
    const { text, end } = this.#split(ids)
    if (this.#ended || ids.length === 0) return 0
    if (text.length === 0) return this.accepting ? 1 : 0
    const known = end === undefined ? text : [...text, end]
    return this.#call((instance, address) => instance.validPrefix(address, known))
  }

  get looksQuickly(): boolean {
    return true
  }

  firstAllowed(ids: readonly number[]): number | undefined {
    return ids.find(id => this.validPrefix([id]) === 1)
  }

  rollback(count: number): void {
    if (count > this.#ids.length) {
      throw new GrammarError(`${count} ids cannot be taken back; ${this.#ids.length} were accepted`)
    }
    if (count === 0) return
    const text = this.#ended ? count - 1 : count
    if (text > 0) this.#call((instance, address) => instance.rollback(address, text))
    this.#ids.length -= count
    this.#ended = false
  }

  get accepting(): boolean {
    return this.#ended || this.#call((instance, address) => instance.state(address)).accepting
  }

  get stopped(): boolean {
    if (this.#ended) return true
    return this.#call((instance, address) => instance.state(address)).stopped
  }

  forced(): Uint8Array {
    if (this.#ended) return new Uint8Array(0)
    return this.#call((instance, address) => {
      if (!this.#grammar.hasControls) return instance.forced(address)
      // The library commits itself to these bytes, and a control token among them would have no mask any more: a copy may.
      const copy = instance.clone(address)
      try {
        return instance.forced(copy)
      } finally {
        if (!instance.broken) instance.free(copy)
      }
    })
  }

  fork(): Matcher {
    const copy = new Matcher(this.#library, this.#grammar, this.#ids, this.#ended)
    if (this.#instance !== undefined && !this.#instance.broken) {
      copy.#address = this.#call((instance, address) => instance.clone(address))
      copy.#instance = this.#instance
    }
    return copy
  }

  dispose(): void {
    if (this.#instance !== undefined && !this.#instance.broken) this.#instance.free(this.#address)
    this.#instance = undefined
    this.#failure ??= new GrammarError('This matcher has been disposed of')
  }

  /** The ids up to the first that ends a text, and that one. */
  #split(ids: readonly number[]): { text: readonly number[]; end: number | undefined } {
    const at = ids.findIndex(id => this.#library.endsText(id))
    return at < 0 ? { text: ids, end: undefined } : { text: ids.slice(0, at), end: ids[at] }
  }

  #call<T>(call: (instance: Instance, address: number) => T): T {
    if (this.#failure !== undefined) throw this.#failure
    try {
      const instance = this.#library.instance()
      if (this.#instance !== instance) this.#rebuild(instance)
      return call(instance, this.#address)
    } catch (error) {
      this.#failure = error as GrammarError
      throw error
    }
  }

  #rebuild(instance: Instance): void {
    this.#address = instance.clone(this.#grammar.start())
    this.#instance = instance
    const text = this.#ended ? this.#ids.slice(0, -1) : this.#ids
    const count = instance.accept(this.#address, text)
    if (count !== text.length) throw new GrammarError(`${count} of ${text.length} ids were accepted again`)
  }
}
