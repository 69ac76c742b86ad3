import type { Demand } from '../../grammar/check.ts'
import type { GrammarSource } from '../../grammar/matcher.ts'
import type { ReadSchema } from '../../grammar/schema/grammar.ts'
import type { CheckThread } from '../../grammar/thread/check-thread.ts'
import type { MaskThread } from '../../grammar/thread/mask-thread.ts'
import type { MaskedText } from '../../grammar/thread/masked-text.ts'
import type { SchemaRefusal, SchemaText } from '../../grammar/thread/protocol.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import type { MaskPlatform } from '../types/platform.ts'

export interface EngineMasksOptions {
  readonly platform: MaskPlatform
  readonly tokenizer: Tokenizer
  /** Ids at which generation stops. */
  readonly ends: readonly number[]
  /** Ids of the model's logits. */
  readonly ids: number
}

/** Most guesses that one request may hold; a proposer makes no more. */
const MAX_DRAFTS = 16

/** The threads for grammars of an engine: one computes the masks of all texts, one checks finished answers. Each starts when it is needed. */
export class EngineMasks {
  readonly #options: EngineMasksOptions
  #thread: Promise<MaskThread> | null = null
  #checks: CheckThread | null = null
  #disposed = false

  constructor(options: EngineMasksOptions) {
    this.#options = options
  }

  get mayBlock(): boolean {
    return this.#options.platform.mayBlock
  }

  /** Compiles a grammar; the same one once. Throws GrammarError, OptionError. */
  async open(source: GrammarSource): Promise<MaskedText> {
    const thread = await this.#running()
    return thread.open(await thread.compile(source))
  }

  /** What is wrong with a finished answer; null: nothing. In a thread of its own, which the first check starts. */
  async check(demand: Demand, text: string): Promise<string | null> {
    return (await this.#checking()).check(demand, text)
  }

  /** A schema, which is JSON, as a grammar; in the same threads. Throws SchemaError. */
  async read(schema: string): Promise<ReadSchema> {
    return (await this.#checking()).read(schema)
  }

  /** What becomes of each of these schemas, in the same threads. */
  async readAll(schemas: readonly SchemaText[]): Promise<readonly (ReadSchema | SchemaRefusal)[]> {
    return (await this.#checking()).readAll(schemas)
  }

  /** Begins to start the thread: its tables of the vocabulary take a second for 128K tokens. */
  warm(): void {
    this.#running().catch(() => {})
  }

  /** A text does not get its masks; it is closed. Other texts go on in a fresh thread. */
  async restart(): Promise<void> {
    const thread = await this.#thread?.catch(() => null)
    thread?.restart()
  }

  async dispose(): Promise<void> {
    this.#disposed = true
    this.#checks?.close()
    const thread = await this.#thread?.catch(() => null)
    thread?.close()
  }

  async #checking(): Promise<CheckThread> {
    const { CheckThread } = await import('../../grammar/thread/check-thread.ts')
    this.#checks ??= new CheckThread({ start: this.#options.platform.start })
    if (this.#disposed) this.#checks.close()
    return this.#checks
  }

  async #running(): Promise<MaskThread> {
    this.#thread ??= this.#start()
    const thread = await this.#thread
    if (!thread.ended || this.#disposed) return thread
    this.#thread = null
    return this.#running()
  }

  async #start(): Promise<MaskThread> {
    const { platform, tokenizer, ends, ids } = this.#options
    try {
      // Few programs need them.
      const [{ MaskThread, vocabularyBetween }, wasm] = await Promise.all([
        import('../../grammar/index.ts'),
        platform.wasm(),
      ])
      const { start, shared } = platform
      // Texts under way do not wait for all of it.
      const vocabulary = await vocabularyBetween(tokenizer, ends, () => new Promise(resolve => setTimeout(resolve)))
      const given = { start, wasm, vocabulary, ids, maxDrafts: MAX_DRAFTS }
      return new MaskThread({ ...given, ...(shared !== undefined && { shared }) })
    } catch (error) {
      this.#thread = null
      throw error
    }
  }
}
