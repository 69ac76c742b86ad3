/** What the caller's side does with a text that is held to something: its grammar, and what the text is in the end. */
import type { AnswerCheck } from '../../grammar/check.ts'
import type { GrammarSource } from '../../grammar/matcher.ts'
import type { PreparedOutput } from '../../grammar/output.ts'
import type { PartialJson } from '../../grammar/partial-json.ts'
import type { SchemaReader } from '../../grammar/schema/grammar.ts'
import { outputOption } from '../types/check-options.ts'
import type { OutputOptions } from '../types/options/output.ts'
import type { PromptOptions } from '../types/options/prompt.ts'
import type { Chunk, Completion } from '../types/results.ts'
import type { StreamOutput } from '../wire/generation.ts'

/** As the thread of the grammars begins to say why one cannot be compiled. */
const NOT_COMPILED = 'The grammar cannot be compiled: '

type Ended = Pick<Completion, 'finishReason' | 'stopSequence' | 'stopTokenId'>

/** The output of one prompt. */
export class Output implements StreamOutput {
  readonly #format: OutputOptions
  readonly #check: AnswerCheck
  readonly #read: SchemaReader
  #prepared: PreparedOutput | null = null
  #reader: typeof PartialJson | null = null
  #text = ''

  private constructor(format: OutputOptions, check: AnswerCheck, read: SchemaReader) {
    this.#format = format
    this.#check = check
    this.#read = read
  }

  /** Of a prompt with these options; null: its text is free. `check` is asked about finished texts, `read` about long schemas. Throws OptionError. */
  static of(options: PromptOptions, check: AnswerCheck, read: SchemaReader): Output | null {
    const name = outputOption(options)
    return name && new Output({ [name]: options[name] }, check, read)
  }

  /** The grammar of the text. Throws SchemaError, OptionError. */
  async prepare(): Promise<GrammarSource> {
    // Few programs need them.
    const [{ prepareOutput }, { PartialJson }] = await Promise.all([
      import('../../grammar/output.ts'),
      import('../../grammar/partial-json.ts'),
    ])
    this.#prepared = await prepareOutput(this.#format as Parameters<typeof prepareOutput>[0], this.#check, this.#read)
    this.#reader = PartialJson
    return this.#prepared.source
  }

  /** The same for a text that begins anew: the grammar is prepared once. */
  async begin(): Promise<GrammarSource> {
    this.#text = ''
    return this.#prepared?.source ?? this.prepare()
  }

  /** Of a text that is resumed: what comes before its next chunk. */
  resumed(text: string): void {
    this.#text += text
  }

  /** With what the text is so far. */
  chunk<T extends Pick<Chunk, 'text' | 'reasoning' | 'before'>>(chunk: T): T {
    const Reader = this.#reader
    if (chunk.before) this.resumed(chunk.before)
    if (chunk.reasoning) return chunk
    this.#text += chunk.text
    if (!Reader || !this.#prepared?.json) return chunk
    const text = this.#text
    let partial: { readonly value: unknown } | null = null
    // Reading takes time, and many callers want the end alone.
    return Object.defineProperty({ ...chunk }, 'partial', {
      enumerable: true,
      get: () => {
        partial ??= { value: new Reader().push(text) }
        return partial.value
      },
    })
  }

  async finish(completion: Completion): Promise<Completion> {
    if (completion.finishReason === 'aborted') return completion
    const value = await this.value(this.#text, completion)
    return value === undefined ? completion : { ...completion, value }
  }

  /** What a text is that ended so; undefined: it was cut. Throws OutputError. */
  async value(text: string, { finishReason, stopSequence, stopTokenId }: Ended): Promise<unknown> {
    const prepared = this.#prepared
    if (!prepared) return undefined
    const isCut = stopSequence !== undefined || stopTokenId !== undefined
    if (finishReason === 'stop' && !isCut) return prepared.finish(text)
    // It may be whole all the same.
    return prepared.shows ? prepared.finish(text).catch(() => undefined) : undefined
  }

  explain(error: unknown): unknown {
    const reason = notCompiled(error)
    return reason === null || !this.#prepared ? error : this.#prepared.explain(reason)
  }
}

/** Why a grammar cannot be compiled; null: the error is another one. */
export function notCompiled(error: unknown): string | null {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  const isIt = code === 'bad_grammar' && typeof message === 'string' && message.startsWith(NOT_COMPILED)
  return isIt ? message.slice(NOT_COMPILED.length) : null
}
