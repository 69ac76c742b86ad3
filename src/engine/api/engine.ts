import { DisposedError, OptionError, UnsupportedModelError } from '../../errors.ts'
import { type ConversationMessage, readConversation } from '../../formats/index.ts'
import { plainData } from '../../options/plain-data.ts'
import { readOptions } from '../../options/read-options.ts'
import { show } from '../../options/show.ts'
import type { Neighbour, ReadingInfo } from '../../reading/types.ts'
import {
  readCount,
  readMessages,
  readName,
  readText,
  readTextList,
  readTexts,
  readTokenIds,
} from '../types/arguments.ts'
import type { CountedChat } from '../types/chat.ts'
import { checkSessionOptions } from '../types/check-options.ts'
import type { InspectTextOptions } from '../types/options/change.ts'
import { INSPECT_TEXT_OPTIONS } from '../types/options/change.ts'
import type { ConversationOptions } from '../types/options/chat.ts'
import type { InfillText, Message, Prompt } from '../types/options/input.ts'
import type { LoadOptions } from '../types/options/load.ts'
import { LOAD_OPTIONS } from '../types/options/load.ts'
import type { JsonForm, JsonValue, TextForm } from '../types/options/output.ts'
import type { PromptOptions } from '../types/options/prompt.ts'
import type { NeighbourOptions } from '../types/options/reading.ts'
import { NEIGHBOUR_OPTIONS } from '../types/options/reading.ts'
import type { RestoreOptions, SessionOptions } from '../types/options/session.ts'
import { RESTORE_OPTIONS, SESSION_OPTIONS } from '../types/options/session.ts'
import type { ChatTemplateOptions } from '../types/options/template.ts'
import { TEMPLATE_OPTIONS } from '../types/options/template.ts'
import type { DetokenizeOptions, TokenizeOptions } from '../types/options/tokens.ts'
import { DETOKENIZE_OPTIONS, TOKENIZE_OPTIONS } from '../types/options/tokens.ts'
import type { EmbedOptions, RerankOptions } from '../types/options/vectors.ts'
import { EMBED_OPTIONS, RERANK_OPTIONS } from '../types/options/vectors.ts'
import type { Links } from '../types/protocol.ts'
import { anchoredChanges } from '../types/reading-changes.ts'
import type { Embeddings, EngineCacheStats, Generation, ModelInfo, Ranking } from '../types/results.ts'
import { Client } from '../wire/client.ts'
import type { GenerationStream } from '../wire/generation.ts'
import { readConversationOptions } from './chat-options.ts'
import { Reading } from './reading.ts'
import { Session } from './session.ts'

/** A client whose model is loaded. */
export interface Connection {
  readonly client: Client
  readonly info: ModelInfo
}

/** Starts a host and loads a model in it. Throws OptionError, what loading throws, the signal's reason. */
export async function connect(links: Links, source: string, options: LoadOptions): Promise<Connection> {
  const name = readName(source, 'source')
  const {
    signal,
    onProgress,
    onNotice,
    inline = false,
    ...rest
  } = readOptions<LoadOptions>(LOAD_OPTIONS, 'load', options)
  if (signal?.aborted) throw signal.reason
  const client = new Client(await (inline ? links.inline() : links.worker()), {
    ...(onProgress && { onProgress }),
    ...(onNotice && { onNotice }),
  })
  const abort = () => client.close(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    // While the thread started, nobody listened.
    signal?.throwIfAborted()
    return { client, info: await client.load({ type: 'load', source: name, options: rest }) }
  } catch (error) {
    // The caller learns of it here; that the thread ends now is no news.
    client.close(error instanceof Error ? error : new Error(String(error)))
    await client.terminate()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/** An engine wherever its host runs: a platform adds how one is loaded. */
export class LoadedEngine {
  /** Sizes, kernels and defaults of the loaded model. */
  readonly info: ModelInfo
  readonly #client: Client
  #disposed: Promise<void> | null = null

  /** @internal */
  protected constructor({ client, info }: Connection) {
    this.#client = client
    this.info = info
  }

  /** A new, empty timeline. Throws DisposedError, OptionError, UnsupportedModelError for a model that writes no texts. */
  session(options: SessionOptions = {}): Session {
    if (this.#disposed) throw new DisposedError('engine')
    if (!this.info.generates) throw writesNone(this.info)
    const given = readOptions<SessionOptions>(SESSION_OPTIONS, 'session', options)
    checkSessionOptions(given, this.info.contextLength)
    const id = this.#client.nextId()
    this.#client.post({ type: 'open', session: id, options: given })
    return new Session(this.#client, id)
  }

  /**
   * A session as `session.save` has kept it: it goes on bit for bit as the other would have. Throws SessionFileError for a
   * file that is damaged or none, SessionMismatchError for one of another model, arithmetic or cache type (`recompute` takes
   * its text all the same), ContextLengthError, CacheFullError, OptionError, DisposedError.
   */
  async restore(file: string, options: RestoreOptions = {}): Promise<Session> {
    if (this.#disposed) throw new DisposedError('engine')
    if (!this.info.generates) throw writesNone(this.info)
    const given = readOptions<RestoreOptions>(RESTORE_OPTIONS, 'restore', options)
    const id = this.#client.nextId()
    const state = await this.#client.call({ method: 'restore', as: id, file: readName(file, 'file'), options: given })
    return new Session(this.#client, id, state)
  }

  /** Text into token ids. */
  async tokenize(text: string, options: TokenizeOptions = {}): Promise<readonly number[]> {
    const given = readOptions<TokenizeOptions>(TOKENIZE_OPTIONS, 'tokenize', options)
    return this.#client.call({ method: 'tokenize', text: readText(text, 'text'), options: given })
  }

  /** Token ids into text; ids that no token has give nothing. */
  async detokenize(tokenIds: readonly number[], options: DetokenizeOptions = {}): Promise<string> {
    const given = readOptions<DetokenizeOptions>(DETOKENIZE_OPTIONS, 'detokenize', options)
    return this.#client.call({ method: 'detokenize', tokenIds: readTokenIds(tokenIds), options: given })
  }

  /**
   * The bytes of each token's text: a token may hold a part of a character only. Special tokens have the bytes of their names; ids that
   * no token has give none.
   */
  async tokenBytes(tokenIds: readonly number[]): Promise<readonly Uint8Array[]> {
    return this.#client.call({ method: 'tokenBytes', tokenIds: readTokenIds(tokenIds) })
  }

  /** The text that a prompt of these messages is. Throws if the model has no chat template. */
  async applyChatTemplate(messages: readonly Message[], options: ChatTemplateOptions = {}): Promise<string> {
    const given = readOptions<ChatTemplateOptions>(TEMPLATE_OPTIONS, 'applyChatTemplate', options)
    return this.#client.call({ method: 'template', messages: readMessages(messages), options: given })
  }

  /**
   * The prompt that `session.chat` would read, without reading it: its number of tokens, and its text. Throws what the
   * template throws, OptionError.
   */
  async countChat(
    messages: readonly (ConversationMessage | Message)[],
    options: ConversationOptions = {},
  ): Promise<CountedChat> {
    const given = readConversationOptions(options)
    const read = readConversation(readMessages(messages)) as unknown as readonly Message[]
    return this.#client.call({ method: 'countChat', messages: read, ...given })
  }

  /** Held to `choices`, `regex` or `grammar`: `value` is the text. For the rest, see the other form. */
  generate<const C extends string = string>(prompt: Prompt, options: PromptOptions & TextForm<C>): Generation<C>
  /** A prompt on a session of its own, which is gone when the text is done. */
  generate<T = unknown, J extends boolean = boolean>(
    prompt: Prompt,
    options?: PromptOptions<T> & JsonForm<J>,
  ): Generation<JsonValue<T, J>>
  generate(prompt: Prompt, options: PromptOptions = {}): Generation {
    return this.#once(session => session.prompt(prompt, options))
  }

  /** Held to `choices`, `regex` or `grammar`: `value` is the text. For the rest, see the other form. */
  infill<const C extends string = string>(gap: InfillText, options: PromptOptions & TextForm<C>): Generation<C>
  /** `session.infill` on a session of its own, which is gone when the text is done. */
  infill<T = unknown, J extends boolean = boolean>(
    gap: InfillText,
    options?: PromptOptions<T> & JsonForm<J>,
  ): Generation<JsonValue<T, J>>
  infill(gap: InfillText, options: PromptOptions = {}): Generation {
    return this.#once(session => session.infill(gap, options))
  }

  #once(write: (session: Session) => Generation): Generation {
    const session = this.session()
    const generation = write(session)
    // What every generation is, and more than callers need to know.
    ;(generation as unknown as GenerationStream).whenEnded(() => void session.dispose())
    return generation
  }

  /**
   * A vector for each text, or for each list of token ids; token ids are taken as they are. A vector's bits do not depend on
   * the texts beside it. Throws OptionError for an empty text and for one that is too long, UnsupportedModelError where the
   * model's files ask for what is not computed here, the signal's reason, DisposedError.
   */
  async embed(
    texts: string | ArrayLike<number> | readonly (string | ArrayLike<number>)[],
    options: EmbedOptions = {},
  ): Promise<Embeddings> {
    const { signal, onProgress, ...rest } = readOptions<EmbedOptions>(EMBED_OPTIONS, 'embed', options)
    const given = readTexts(texts)
    const reports = onProgress !== undefined
    const { vectors, tokens, truncated } = await this.#client.call(
      { method: 'embed', texts: given, options: rest, reports },
      { signal, onProgress },
    )
    const n = vectors.length / given.length
    return { embeddings: given.map((_, i) => vectors.slice(i * n, (i + 1) * n)), usage: { tokens }, truncated }
  }

  /**
   * Documents by how well they answer the query, as a cross-encoder scores each pair (`ModelInfo.reranks`). Throws
   * UnsupportedModelError for a model that is none, OptionError for texts that are empty or too long, the signal's reason,
   * DisposedError.
   */
  async rerank(query: string, documents: readonly string[], options: RerankOptions = {}): Promise<Ranking> {
    const { signal, onProgress, topN, ...rest } = readOptions<RerankOptions>(RERANK_OPTIONS, 'rerank', options)
    const given = { query: readText(query, 'query'), documents: readTextList(documents, 'documents') }
    const reports = onProgress !== undefined
    const { scores, tokens, truncated } = await this.#client.call(
      { method: 'rerank', ...given, options: rest, reports },
      { signal, onProgress },
    )
    const ranking = Array.from(scores, (score, index) => ({ index, score })).sort((a, b) => b.score - a.score)
    return { ranking: ranking.slice(0, topN), usage: { tokens }, truncated }
  }

  /**
   * Reads a text to look into it: its tokens, attention patterns, hidden states, the next tokens at every layer (docs/inspect.md).
   * `text` may be token ids, which are taken as they are; a text begins as a prompt does. Dispose of the result when it is no
   * longer needed. Of an encoder-decoder `text` is the source, and the reading that of `target`. Throws OptionError for a text that is
   * empty or too long, OutOfMemoryError for one of which more had to be kept than `maxBytes`, the signal's reason, DisposedError.
   */
  async inspect(text: string | ArrayLike<number>, options: InspectTextOptions = {}): Promise<Reading> {
    const { changes, target, ...others } = options
    const { signal, maxBytes = 2 ** 30 } = readOptions<InspectTextOptions>(INSPECT_TEXT_OPTIONS, 'inspect', others)
    const idsOrText = (given: string | ArrayLike<number>, name: string) =>
      typeof given === 'string' ? readText(given, name) : readTokenIds(given, name)
    const behind = target === undefined ? null : idsOrText(target, 'target')
    return this.#read(idsOrText(text, 'text'), behind, maxBytes, this.#changes(changes), signal)
  }

  async #read(
    text: string | readonly number[],
    target: string | readonly number[] | null,
    maxBytes: number,
    changes: readonly object[],
    signal: AbortSignal | undefined,
  ): Promise<Reading> {
    const [reading, source] = [this.#client.nextId(), this.#client.nextId()]
    const question = { about: 'read', text, target, source, maxBytes, changes } as const
    try {
      const info = await this.#client.call({ method: 'inspect', reading, question }, { signal })
      return new Reading(this.#client, { text: reading, source }, info as ReadingInfo, (ids, tokens, signal) => {
        const anchored = anchoredChanges(changes, tokens)
        // What an encoder-decoder writes begins with a token that is no part of its target.
        if (this.info.source) return this.#read(text, ids.slice(1), maxBytes, anchored, signal)
        return this.#read(ids, null, maxBytes, anchored, signal)
      })
    } catch (error) {
      // The text may have been read just before the host heard of it.
      if (signal?.aborted) {
        this.#client.call({ method: 'inspect', reading, question: { about: 'close' } }).catch(() => {})
      }
      throw error
    }
  }

  /** Plain data, with the numbers of readings. */
  #changes(changes: unknown): readonly object[] {
    if (changes === undefined) return []
    if (!Array.isArray(changes)) throw new OptionError(`changes is ${show(changes)}; expected a list of changes`)
    return changes.map((change: unknown, i) => {
      if (typeof change !== 'object' || change === null) {
        throw new OptionError(`changes[${i}] is ${show(change)}; expected an object`)
      }
      const { from, ...rest } = change as { readonly from?: unknown }
      const plain = plainData(rest, `changes[${i}]`) as object
      if (from === undefined) return plain
      const reading = Reading.numberOf(from, this.#client)
      if (reading !== null) return { ...plain, from: reading }
      throw new OptionError(`changes[${i}].from is ${show(from)}; expected a reading of this engine`)
    })
  }

  /** The tokens whose embeddings point nearly the same way, the nearest first. Throws OptionError, the signal's reason, DisposedError. */
  async neighbours(token: number, options: NeighbourOptions = {}): Promise<readonly Neighbour[]> {
    const { top = 10, signal } = readOptions<NeighbourOptions>(NEIGHBOUR_OPTIONS, 'neighbours', options)
    const id = readCount(token, 'token', 0, this.info.vocabSize - 1)
    const question = { about: 'neighbours', id, top } as const
    return (await this.#client.call({ method: 'inspect', reading: -1, question }, { signal })) as readonly Neighbour[]
  }

  /**
   * One line that names all that decides the bits of a text: latentkit's version, kernels and instruction set, types of weights and
   * cached numbers, the model's files (weights by samples of their bytes), its chat template and its defaults of drawing. Where two engines
   * have equal ones, the same prompt with the same options and seed becomes the same text, and `resume` continues one bit for
   * bit. Threads, chunk sizes, budgets and drafts do not count. Compare it as a whole; its form may change.
   */
  async fingerprint(): Promise<string> {
    return this.#client.call({ method: 'fingerprint' })
  }

  /** The model's config.json as it is written; of a GGUF file, what its header says in the same words. `planModelFromJson` reads it. */
  async config(): Promise<Readonly<Record<string, unknown>>> {
    return this.#client.call({ method: 'config' })
  }

  /** What the caches of all sessions take, and what is kept of those that are gone. */
  async cacheStats(): Promise<EngineCacheStats> {
    return this.#client.call({ method: 'cache' })
  }

  /** Ends the thread and frees its memory; everything under way fails with DisposedError. */
  dispose(): Promise<void> {
    if (!this.#disposed) {
      this.#client.close(new DisposedError('engine'))
      this.#disposed = this.#client.disposeHost()
    }
    return this.#disposed
  }

  /** `dispose`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }
}

function writesNone({ name, modelType, reranks }: ModelInfo): UnsupportedModelError {
  const use = reranks
    ? 'engine.rerank() or engine.embed() (latentkit rerank, latentkit embed)'
    : 'engine.embed() (latentkit embed)'
  return new UnsupportedModelError(
    `${name} (${modelType}) is an encoder: it turns texts into vectors and writes none. Use ${use}, or another model to write.`,
  )
}
