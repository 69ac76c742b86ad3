import { DisposedError, OptionError } from '../../errors.ts'
import { type ConversationMessage, readConversation } from '../../formats/index.ts'
import type { AnswerCheck } from '../../grammar/check.ts'
import type { GrammarSource } from '../../grammar/matcher.ts'
import type { SchemaReader } from '../../grammar/schema/grammar.ts'
import { readOptions } from '../../options/read-options.ts'
import { readCount, readInfill, readMessages, readName, readPrompt } from '../types/arguments.ts'
import type { Chat, ChatEvent, ChatResult, Conversation } from '../types/chat.ts'
import { withoutOutput } from '../types/check-options.ts'
import type { ChatOptions } from '../types/options/chat.ts'
import type { InfillText, Message, Prompt } from '../types/options/input.ts'
import type { JsonForm, JsonValue, TextForm } from '../types/options/output.ts'
import type { PromptOptions } from '../types/options/prompt.ts'
import { PROMPT_OPTIONS } from '../types/options/prompt.ts'
import type { SaveOptions } from '../types/options/session.ts'
import { SAVE_OPTIONS } from '../types/options/session.ts'
import type { SessionState } from '../types/protocol.ts'
import type { CacheStats, Chunk, Completion, Generation, SavedSession } from '../types/results.ts'
import type { Client } from '../wire/client.ts'
import { GenerationStream } from '../wire/generation.ts'
import { type ChatAsks, ChatRun } from './chat.ts'
import { readChatOptions } from './chat-options.ts'
import { Output } from './output.ts'
import { explainCalls } from './tools.ts'

/** One of several texts that go on from the same prompt; `T`: what `value` is. */
export interface Continuation<T = unknown> {
  /** Where it is written; dispose of it when it is no longer wanted. */
  readonly session: Session
  /** The text under way. */
  readonly generation: Generation<T>
}

/** The best of several texts; `T`: what `value` is. */
export interface BestText<T = unknown> {
  /** The fork that wrote the text. */
  readonly session: Session
  /** The text, with its log-probabilities. */
  readonly completion: Completion<T>
}

/** Texts that go on from one prompt at once: each takes a session. */
const MAX_TEXTS = 1024

/**
 * One timeline of tokens and what the model remembers of them. Prompts of one session run one after the other, those
 * of several sessions together; the results are the same bits either way.
 */
export class Session {
  readonly #client: Client
  readonly #id: number
  /** Of the engine, that it lives in. */
  readonly #thread: number
  readonly #tokens: number[] = []
  #cache: CacheStats = { tokens: 0, usedBytes: 0, bytes: 0 }
  #disposed = false

  /** @internal Use `engine.session()`. The host knows the session by `id`; `state` is its state at first. */
  constructor(client: Client, id: number, state: SessionState | null = null) {
    this.#client = client
    this.#thread = client.thread
    this.#id = id
    if (state) this.#update(state)
  }

  /**
   * What the cache holds: exact whenever no prompt of this session is under way. Under a budget (`cacheBytes`) an idle
   * session may lose its rows to others; they are computed again when they are needed.
   */
  get cache(): CacheStats {
    return this.#cache
  }

  /** Token ids of the timeline, prompts and answers: as they stood when the last prompt ended. */
  get tokens(): readonly number[] {
    return this.#tokens
  }

  /** Held to `choices`, `regex` or `grammar`: `value` is the text. For the rest, see the other form. */
  prompt<const C extends string = string>(prompt: Prompt, options: PromptOptions & TextForm<C>): Generation<C>
  /**
   * Text continues the timeline as it is, and so do token ids. Messages are a whole conversation: the chat template renders it, and what
   * the session remembers of the longest common beginning is reused; the rest of the timeline is forgotten.
   *
   * Never throws itself; the generation does: ContextLengthError if the prompt does not fit, CacheFullError,
   * OptionError, DisposedError, the signal's reason. After an abort the session goes on from what was computed.
   */
  prompt<T = unknown, J extends boolean = boolean>(
    prompt: Prompt,
    options?: PromptOptions<T> & JsonForm<J>,
  ): Generation<JsonValue<T, J>>
  prompt(prompt: Prompt, options: PromptOptions = {}): Generation {
    return this.#begin(
      () => readPrompt(prompt),
      () => readOptions<PromptOptions>(PROMPT_OPTIONS, 'prompt', options),
    )
  }

  /** Held to `choices`, `regex` or `grammar`: `value` is the text. For the rest, see the other form. */
  infill<const C extends string = string>(gap: InfillText, options: PromptOptions & TextForm<C>): Generation<C>
  /**
   * The text in a gap, by the marks of the model's family: the model sees the texts around it and writes what goes between, until a mark
   * ends it. Like messages, the two texts take the place of the timeline, and what is cached of them is reused. What the context does
   * not hold is cut at the far ends (`Usage.cutTokens`); `maxTokens`, else a quarter of the context, is left for the gap, at most half. Marks
   * written in the texts are plain text unless `parseSpecial` is true.
   *
   * The generation throws UnsupportedModelError if the model has no such marks, and what `prompt` throws.
   */
  infill<T = unknown, J extends boolean = boolean>(
    gap: InfillText,
    options?: PromptOptions<T> & JsonForm<J>,
  ): Generation<JsonValue<T, J>>
  infill(gap: InfillText, options: PromptOptions = {}): Generation {
    return this.#begin(
      () => readInfill(gap),
      () => readOptions<PromptOptions>(PROMPT_OPTIONS, 'prompt', options),
    )
  }

  /** Held to `choices`, `regex` or `grammar`: `value` is the text. For the rest, see the other form. */
  chat<const C extends string = string>(
    messages: readonly (ConversationMessage | Message)[],
    options: ChatOptions & TextForm<C>,
  ): Chat<C>
  /**
   * Answers a whole conversation, with tools: messages are written as the model's chat template needs them, reasoning and
   * calls are read from the answer as it comes, and tools that have `execute` are called until an answer calls none
   * (docs/tools.md). What is cached of the conversation is reused, also where answers come back as messages. Messages may also
   * have OpenAI's form (`tool_calls`, `tool_call_id`, `reasoning_content`).
   *
   * Never throws itself; the chat does: as `prompt`, SchemaError naming what of a schema cannot be held, OutputError, and
   * TemplateError where the template refuses the messages.
   */
  chat<T = unknown, J extends boolean = boolean>(
    messages: readonly (ConversationMessage | Message)[],
    options?: ChatOptions<T> & JsonForm<J>,
  ): Chat<JsonValue<T, J>>
  chat(messages: readonly (ConversationMessage | Message)[], options: ChatOptions = {}): Chat {
    const cancelled = new AbortController()
    const stream = new GenerationStream<ChatEvent, ChatResult>(() => cancelled.abort())
    let explain = (error: unknown): unknown => error
    const answer = async (): Promise<ChatResult> => {
      const { tools, choice, read } = readChatOptions(options)
      const { parallel, maxRounds, format, reasoningEffort, continueFinalMessage, signal: asked, ...rest } = read
      const output = Output.of(read, this.#check, this.#read)
      explain = error => explainCalls(error, tools, choice) ?? output?.explain(error) ?? error
      const signal = asked ? AbortSignal.any([asked, cancelled.signal]) : cancelled.signal
      const asks: ChatAsks = {
        prepare: (all, conversation) => {
          this.#checkAlive()
          const given = {
            session: this.#id,
            messages: all as readonly Message[],
            conversation,
            variables: rest.templateVariables,
          }
          return this.#client.call({ method: 'chat', ...given })
        },
        prompt: (all, conversation, { forced, trigger, thinks }) => {
          const added = {
            ...(thinks === false && { thinkingBudget: 0 }),
            ...(trigger !== undefined && { trigger }),
          }
          return this.#begin(
            () => all as readonly Message[],
            () => ({ ...withoutOutput(rest), ...added, signal, skipSpecialTokens: false, conversation }),
            forced,
          )
        },
      }
      const chosen = { toolChoice: choice, parallel, maxRounds, format, reasoningEffort, continueFinalMessage, output }
      const run = new ChatRun(asks, tools, withoutUndefined(chosen), stream, signal)
      return run.run(readConversation(readMessages(messages)))
    }
    answer().then(
      result => stream.finish(result),
      error => {
        const asked = options?.signal?.aborted === true || cancelled.signal.aborted
        stream.fail(explain(error), { asked })
      },
    )
    return stream as GenerationStream<ChatEvent, ChatResult<never>>
  }

  #begin<T>(
    given: () => Prompt | InfillText,
    readPromptOptions: () => PromptOptions & { conversation?: Conversation },
    forced: GrammarSource | null = null,
  ): Generation<T> {
    const client = this.#client
    const id = client.nextId()
    const abort = () => client.abort(id)
    let stream = new GenerationStream(abort)
    try {
      const read = readPromptOptions()
      const output = Output.of(read, this.#check, this.#read)
      if (output) stream = new GenerationStream<Chunk, Completion>(abort, output)
      const { signal, onPromptProgress, ...rest } = withoutOutput(read)
      const sent = { prompt: given(), options: rest, reports: onPromptProgress !== undefined }
      const message = {
        type: 'prompt',
        id,
        session: this.#id,
        ...sent,
        held: output !== null || forced !== null,
      } as const
      this.#checkAlive()
      if (signal?.aborted) throw signal.reason
      signal?.addEventListener('abort', abort, { once: true })
      const ended = (state: SessionState | null) => {
        signal?.removeEventListener('abort', abort)
        if (state) this.#update(state)
      }
      client.prompt(message, { stream, ended, signal, ...(onPromptProgress && { onPromptProgress }) })
      if (output) void this.#hold(id, output, stream)
      else if (forced) client.post({ type: 'grammar', id, session: this.#id, source: forced })
    } catch (error) {
      stream.fail(error)
    }
    return stream as Generation<T>
  }

  /** A schema may take long: that is another thread's time. */
  readonly #check: AnswerCheck = (demand, text) => this.#client.call({ method: 'check', demand, text })
  readonly #read: SchemaReader = schema => this.#client.call({ method: 'readSchema', schema })

  /** Sends a prompt's grammar. Prompts keep their order, and the prompt is read meanwhile. */
  async #hold(id: number, output: Output, stream: GenerationStream): Promise<void> {
    try {
      const source = await output.prepare()
      this.#client.post({ type: 'grammar', id, session: this.#id, source })
    } catch (error) {
      stream.fail(error)
      this.#client.abort(id)
    }
  }

  /**
   * Another session with the same past, after the prompts before it. Shares all memory: what it costs is what is
   * different from then on, and at most one block.
   */
  async fork(): Promise<Session> {
    this.#checkAlive()
    const id = this.#client.nextId()
    const state = await this.#client.call({ method: 'fork', session: this.#id, as: id })
    return new Session(this.#client, id, state)
  }

  /** Held to `choices`, `regex` or `grammar`: `value` is the text. For the rest, see the other form. */
  continuations<const C extends string = string>(
    prompt: Prompt,
    n: number,
    options: PromptOptions & TextForm<C>,
  ): Promise<readonly Continuation<C>[]>
  /**
   * `n` texts that go on from one prompt, which is read once, each in a fork of this session; with seeds seed, seed + 1
   * and so on if a seed is given; at most 1,024. This session itself ends with the prompt.
   */
  continuations<T = unknown, J extends boolean = boolean>(
    prompt: Prompt,
    n: number,
    options?: PromptOptions<T> & JsonForm<J>,
  ): Promise<readonly Continuation<JsonValue<T, J>>[]>
  async continuations(prompt: Prompt, n: number, options: PromptOptions = {}): Promise<readonly Continuation[]> {
    const count = readCount(n, 'n', 1, MAX_TEXTS)
    const given = readOptions<PromptOptions>(PROMPT_OPTIONS, 'continuations', options)
    if (given.resume) {
      throw new OptionError('resume was given for several texts; expected one: resume each with session.prompt')
    }
    await this.prompt(prompt, { ...given, maxTokens: 0 })
    const sessions = await this.#forks(count)
    return sessions.map((session, i) => {
      const seed = given.seed === undefined ? {} : { seed: given.seed + i }
      // Messages are the whole conversation; of a text nothing is left to say.
      const rest = Array.isArray(prompt) ? prompt : ''
      return { session, generation: session.prompt(rest, { ...given, ...seed }) }
    })
  }

  /** Held to `choices`, `regex` or `grammar`: `value` is the text. For the rest, see the other form. */
  bestOf<const C extends string = string>(
    prompt: Prompt,
    n: number,
    options: PromptOptions & TextForm<C>,
  ): Promise<BestText<C>>
  /**
   * The best of `n` texts: the one whose tokens are the likeliest in the mean, by the model's own log-probabilities. The
   * others are given up. Dispose of its session when it is no longer wanted.
   */
  bestOf<T = unknown, J extends boolean = boolean>(
    prompt: Prompt,
    n: number,
    options?: PromptOptions<T> & JsonForm<J>,
  ): Promise<BestText<JsonValue<T, J>>>
  async bestOf(prompt: Prompt, n: number, options: PromptOptions = {}): Promise<BestText> {
    const given = readOptions<PromptOptions>(PROMPT_OPTIONS, 'bestOf', options)
    const texts = await this.continuations(prompt, n, { logprobs: 0, ...given })
    let chosen: Session | null = null
    try {
      const completions = await Promise.all(texts.map(({ generation }) => generation))
      const means = completions.map(meanLogprob)
      const best = means.indexOf(Math.max(...means))
      chosen = (texts[best] as Continuation).session
      return { session: chosen, completion: completions[best] as Completion }
    } finally {
      await Promise.all(texts.map(({ session }) => (session === chosen ? null : session.dispose())))
    }
  }

  /** All of them or none. */
  async #forks(count: number): Promise<Session[]> {
    const forks = await Promise.allSettled(Array.from({ length: count }, () => this.fork()))
    const made = forks.flatMap(fork => (fork.status === 'fulfilled' ? [fork.value] : []))
    const failed = forks.find(fork => fork.status === 'rejected')
    if (!failed) return made
    await Promise.all(made.map(session => session.dispose()))
    throw failed.reason
  }

  /**
   * Drops tokens from .. to of the past, after the prompts before it, and moves up what comes after them. Only their
   * position is put right, so what was read after them still knows of them: cheap, and approximate (docs/cache.md). A
   * prompt with `strict` computes it again.
   */
  async drop(from: number, to: number): Promise<void> {
    this.#checkAlive()
    const range = { from: readCount(from, 'from', 0), to: readCount(to, 'to', 0) }
    this.#update(await this.#client.call({ method: 'drop', session: this.#id, ...range }))
  }

  /**
   * Keeps the session in a file for `engine.restore`, as it is after the prompts before it: history, what the model
   * remembers, and what its text is drawn with. It can go on meanwhile. The file is there whole or not at all, and on the
   * disk when this resolves; an older file of that name stays until then. Throws SessionFileError, DisposedError.
   */
  async save(file: string, options: SaveOptions = {}): Promise<SavedSession> {
    this.#checkAlive()
    const given = readOptions<SaveOptions>(SAVE_OPTIONS, 'save', options)
    return this.#client.call({ method: 'save', session: this.#id, file: readName(file, 'file'), options: given })
  }

  /** Forgets everything, after the prompts before it; the session can be used again. */
  async reset(): Promise<void> {
    this.#checkAlive()
    this.#update(await this.#client.call({ method: 'reset', session: this.#id }))
  }

  /** Frees the cache. Prompts under way fail with DisposedError. */
  async dispose(): Promise<void> {
    if (this.#disposed) return
    this.#disposed = true
    if (this.#client.lost(this.#thread)) return
    const closed = this.#client.call({ method: 'close', session: this.#id })
    await closed.catch(error => {
      // With the engine or its thread gone, so is the session.
      if (!this.#client.closed && !this.#client.lost(this.#thread)) throw error
    })
    this.#update({ cache: { tokens: 0, usedBytes: 0, bytes: 0 }, keep: 0, tokens: [] })
  }

  /** `dispose`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose()
  }

  #checkAlive(): void {
    if (this.#disposed) throw new DisposedError('session')
    const lost = this.#client.lost(this.#thread)
    if (lost) throw lost
  }

  #update({ cache, keep, tokens }: SessionState): void {
    this.#cache = cache
    this.#tokens.length = keep
    for (const id of tokens) this.#tokens.push(id)
  }
}

function withoutUndefined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never
}

function meanLogprob({ logprobs = [] }: Completion): number {
  if (logprobs.length === 0) return Number.NEGATIVE_INFINITY
  return logprobs.reduce((sum, { logprob }) => sum + logprob, 0) / logprobs.length
}
