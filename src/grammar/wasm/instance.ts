import { GrammarError } from '../errors.ts'
import type { Vocabulary } from '../vocabulary.ts'

/** What native-grammar/src/lib.rs exports. Numbers are addresses, counts, or the results that it describes. */
interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  allocate(bytes: number): number
  release(address: number, bytes: number): void
  text_address(): number
  text_length(): number
  new_vocabulary(lengths: number, tokens: number, bytes: number, ends: number, endCount: number): number
  new_matcher(vocabulary: number, kind: number, source: number, length: number): number
  clone_matcher(matcher: number): number
  free_matcher(matcher: number): void
  compute_mask(matcher: number, into: number, words: number): number
  accept(matcher: number, ids: number, count: number): number
  valid_prefix(matcher: number, ids: number, count: number): number
  rollback(matcher: number, count: number): number
  state(matcher: number): number
  forced(matcher: number): void
}

/** A compiled module; opaque. */
export type GrammarModule = object

interface WebAssemblyApi {
  readonly Instance: new (module: GrammarModule, imports: object) => { readonly exports: object }
  compile(bytes: Uint8Array): Promise<GrammarModule>
}

const webAssembly = () => (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly

/** Compiles the bytes of prebuilt/grammar.wasm. */
export const compileModule = (bytes: Uint8Array): Promise<GrammarModule> => webAssembly().compile(bytes)

const KINDS = { lark: 0, json: 1, regex: 2 } as const
export type SourceKind = keyof typeof KINDS

const utf8 = new TextEncoder()
const MANY_IDS = 256

/** What the message of a panic begins with. */
const PANIC = 'panic: '
const LIMITS = [/Current row has (\d+) items; max is (\d+)/, /Too many (items) \(limit (\d+)/]

/** What the library says of a text, where it met one of its limits: what that means, and what to do. */
export function readable(text: string): string {
  if (text.includes('symbols.len() < u16::MAX'))
    return `${PANIC}the grammar has more than 65,525 symbols; use a smaller one`
  const met = LIMITS.map(limit => limit.exec(text)).find(found => found !== null)
  if (!met) return text
  const many = /\d/.test(met[1] as string) ? `${met[1]} ways to go on` : 'too many ways to go on'
  return (
    `The grammar has ${many} at this place of the text; the library follows at most ${met[2]} (${met[0]}). Use fewer alternatives that begin alike ` +
    '(anyOf, oneOf, enum), or fewer properties that may be left out one after the other'
  )
}

/**
 * One instance of the library with one vocabulary. A trap leaves its memory in any state: `broken` is then true, and the
 * instance must not be used again. Errors that the library reports leave only their matcher unusable.
 */
export class Instance {
  readonly #core: Exports
  readonly #vocabulary: number
  readonly #ids: number
  readonly #words: number
  readonly #mask: number
  broken = false

  constructor(module: GrammarModule, vocabulary: Vocabulary) {
    // The library measures times that nobody reads.
    const imports = { env: { now: () => 0 } }
    this.#core = new (webAssembly().Instance)(module, imports).exports as Exports
    const { lengths, bytes, ends } = vocabulary
    this.#words = Math.ceil(lengths.length / 32)
    this.#vocabulary = this.#guard(core => {
      const at = [lengths, bytes, ends].map(part => this.#put(part)) as [number, number, number]
      const handle = core.new_vocabulary(at[0], lengths.length, at[1], at[2], ends.length)
      for (const [i, part] of [lengths, bytes, ends].entries()) core.release(at[i] as number, part.byteLength)
      return handle
    })
    if (this.#vocabulary === 0) throw new GrammarError(`The vocabulary cannot be used: ${this.#text()}`)
    this.#ids = this.#core.allocate(4 * MANY_IDS)
    this.#mask = this.#core.allocate(4 * this.#words)
  }

  /** Bytes of its memory; it never shrinks. */
  get memoryBytes(): number {
    return this.#core.memory.buffer.byteLength
  }

  /** Compiles a grammar: the address of a matcher at its start, and what the library warns of. Throws GrammarError. */
  compile(kind: SourceKind, source: string): { readonly matcher: number; readonly warnings: string } {
    const bytes = utf8.encode(source)
    const matcher = this.#guard(core => {
      const at = this.#put(bytes)
      const handle = core.new_matcher(this.#vocabulary, KINDS[kind], at, bytes.length)
      core.release(at, bytes.length)
      return handle
    })
    if (matcher === 0) throw new GrammarError(this.#text())
    return { matcher, warnings: this.#text() }
  }

  clone(matcher: number): number {
    return this.#guard(core => core.clone_matcher(matcher))
  }

  free(matcher: number): void {
    this.#guard(core => core.free_matcher(matcher))
  }

  /** Writes one bit per id, the lowest in the lowest bit; words beyond the vocabulary become 0. */
  mask(matcher: number, into: Uint32Array): void {
    this.#check(this.#guard(core => core.compute_mask(matcher, this.#mask, this.#words)))
    const words = Math.min(this.#words, into.length)
    into.set(new Uint32Array(this.#core.memory.buffer, this.#mask, words))
    into.fill(0, words)
  }

  /** Advances over allowed ids; returns how many. */
  accept(matcher: number, ids: ArrayLike<number>): number {
    return this.#withIds(ids, (core, at, count) => core.accept(matcher, at, count))
  }

  /** How many ids are allowed, one after the other. */
  validPrefix(matcher: number, ids: ArrayLike<number>): number {
    return this.#withIds(ids, (core, at, count) => core.valid_prefix(matcher, at, count))
  }

  rollback(matcher: number, count: number): void {
    this.#check(this.#guard(core => core.rollback(matcher, count)))
  }

  state(matcher: number): { readonly accepting: boolean; readonly stopped: boolean } {
    const bits = this.#check(this.#guard(core => core.state(matcher)))
    return { accepting: (bits & 1) !== 0, stopped: (bits & 2) !== 0 }
  }

  /** The bytes that have to come next. */
  forced(matcher: number): Uint8Array {
    this.#guard(core => core.forced(matcher))
    const { memory, text_address, text_length } = this.#core
    return new Uint8Array(memory.buffer, text_address(), text_length()).slice()
  }

  #withIds(ids: ArrayLike<number>, call: (core: Exports, at: number, count: number) => number): number {
    const count = ids.length
    if (count === 0) return 0
    const own = count > MANY_IDS
    return this.#check(
      this.#guard(core => {
        const at = own ? core.allocate(4 * count) : this.#ids
        new Uint32Array(core.memory.buffer, at, count).set(ids)
        const result = call(core, at, count)
        if (own) core.release(at, 4 * count)
        return result
      }),
    )
  }

  #put(part: Uint32Array | Uint8Array): number {
    const at = this.#core.allocate(part.byteLength)
    const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength)
    new Uint8Array(this.#core.memory.buffer, at, bytes.length).set(bytes)
    return at
  }

  #check(result: number): number {
    if (result < 0) throw new GrammarError(this.#text())
    return result
  }

  /** Runs a call; a trap breaks the instance. */
  #guard<T>(call: (core: Exports) => T): T {
    if (this.broken) throw new GrammarError('This instance of the grammar library has failed before')
    try {
      return call(this.#core)
    } catch (error) {
      this.broken = true
      throw new GrammarError(`The grammar library failed: ${this.#trapText(error)}`, { cause: error })
    }
  }

  /** A panic leaves its message before it traps. */
  #trapText(error: unknown): string {
    const why = error instanceof Error ? error.message : String(error)
    try {
      const text = this.#text()
      return text.startsWith(PANIC) ? text.slice(PANIC.length) : why
    } catch {
      return why
    }
  }

  #text(): string {
    const { memory, text_address, text_length } = this.#core
    const text = new TextDecoder().decode(new Uint8Array(memory.buffer, text_address(), text_length()))
    return readable(text.replace(/\n<non-verbose\/>$/, ''))
  }
}
