import type { GrammarSource } from '../../grammar/matcher.ts'
import { refuseMoving, refuseSource } from '../../model/refuse-encoder.ts'
import type { Parts } from '../load/load-parts.ts'
import type { SavedSampler } from '../loop/sampler-state.ts'
import type { Sequence } from '../loop/sequence.ts'
import type { StepLoop } from '../loop/step-loop.ts'
import type { Rolling, TextResult } from '../loop/text-run.ts'
import type { EnginePast } from '../past/engine-past.ts'
import { Timeline } from '../past/timeline.ts'
import { type BeamPrompt, beginBeams } from '../prompt/beam-prompt.ts'
import type { HostChat } from '../prompt/chat.ts'
import { chatPrompt } from '../prompt/chat-prompt.ts'
import { infillIds } from '../prompt/infill-ids.ts'
import { reuseOptions, reuses } from '../prompt/prefix-reuse.ts'
import { type PromptIds, promptIds } from '../prompt/prompt-ids.ts'
import { SessionSpeculation } from '../prompt/session-speculation.ts'
import { sourcePrompt } from '../prompt/source-prompt.ts'
import { beginText } from '../prompt/text-prompt.ts'
import type { Archive } from '../saved/archive.ts'
import type { Snapshot } from '../saved/snapshot.ts'
import { checkPromptOptions, checkRange, KEPT_TOKENS } from '../types/check-options.ts'
import type { InfillText, Message } from '../types/options/input.ts'
import type { PromptProgress } from '../types/options/prompt.ts'
import type { SaveOptions, SessionOptions } from '../types/options/session.ts'
import type { FromHost, HostPromptOptions, SessionState, ToHost } from '../types/protocol.ts'
import type { Completion, SavedSession } from '../types/results.ts'
import type { Outbox } from '../wire/outbox.ts'
import { toWire } from '../wire/wire-errors.ts'

export interface HostSessionContext {
  readonly parts: Parts
  /** What writes conversations. */
  readonly chat: () => Promise<HostChat>
  readonly loop: StepLoop
  readonly outbox: Outbox
  readonly past: EnginePast
  /** Sessions in files. */
  readonly archive: Archive
  readonly now: () => number
  post(message: FromHost): void
}

/** Milliseconds between reports of how far a prompt is read. */
const REPORT_MS = 100

type PromptMessage = ToHost & { type: 'prompt' }

/** A prompt that waits for its turn or runs. */
interface Job {
  readonly message: PromptMessage
  readonly asked: number
  /** What its text is held to, when it has come; null: nothing. */
  readonly grammar: { readonly source: Promise<GrammarSource>; resolve(source: GrammarSource): void } | null
  /** Null while it waits. */
  running: Pick<Sequence, 'abort' | 'fail'> | null
  answered: boolean
}

/** A session in the worker: its timeline, and its prompts one after the other. */
export class HostSession {
  readonly #context: HostSessionContext
  #timeline: Timeline
  readonly #rolling: Rolling | null
  readonly #jobs = new Set<Job>()
  /** Of the text that the timeline ends with, where that text can go on. */
  #drawing: SavedSampler | null
  readonly #speculation: SessionSpeculation
  #lastUsed: number
  #preparing: Promise<unknown> | null = null
  #turn: Promise<void> = Promise.resolve()

  constructor(context: HostSessionContext, { timeline, rolling, drawing }: Snapshot) {
    this.#rolling = rolling
    this.#context = context
    this.#lastUsed = context.now()
    this.#timeline = timeline
    this.#drawing = drawing
    this.#speculation = new SessionSpeculation(context.parts, timeline.salt)
  }

  /** With an empty timeline. */
  static open(context: HostSessionContext, options: SessionOptions): HostSession {
    const { model, info } = context.parts
    const { contextLength = info.contextLength, rolling, cacheSalt } = options
    if (rolling) refuseSource(model.config, 'its text cannot roll. Leave rolling out')
    const timeline = new Timeline(model.sequence(contextLength), context.past, cacheSalt)
    if (!rolling) return new HostSession(context, { timeline, rolling: null, drawing: null })
    const { keep = KEPT_TOKENS, drop: count = Math.ceil((contextLength - keep) / 2) } = rolling
    return new HostSession(context, { timeline, rolling: { keep, count }, drawing: null })
  }

  /** With whom it shares what it has read. */
  get salt(): string {
    return this.#timeline.salt
  }

  /** When its last prompt was asked for, in the clock of `now`. */
  get lastUsed(): number {
    return this.#lastUsed
  }

  /**
   * Set while a prompt is being prepared but is not yet scheduled. Its memory can be neither evicted nor paused; await this
   * before giving up. Null: there is none.
   */
  get preparing(): Promise<unknown> | null {
    return this.#preparing
  }

  /** Runs when the prompts before it have ended, whether well or not. */
  prompt(message: PromptMessage): void {
    const grammar = message.held ? deferredGrammar() : null
    const job: Job = { message, asked: this.#context.now(), grammar, running: null, answered: false }
    this.#jobs.add(job)
    this.#lastUsed = job.asked
    void this.#inTurn(() => this.#run(job))
  }

  /** The grammar of a prompt has come. */
  hold(id: number, source: GrammarSource): void {
    for (const job of this.#jobs) if (job.message.id === id) job.grammar?.resolve(source)
  }

  /** A prompt that runs ends after the step under way, one that waits at once. */
  abort(id: number): void {
    for (const job of this.#jobs) {
      if (job.message.id !== id) continue
      if (job.running) job.running.abort()
      else this.#finish(job, { completion: abortedBeforeStart(job.message), state: this.#timeline.state() })
    }
  }

  /** Forgets everything, when the prompts before it have ended. */
  reset(): Promise<SessionState> {
    return this.#inTurn(async () => {
      this.#timeline.reset()
      return this.#timeline.state()
    })
  }

  /** Drops a range of the past, when the prompts before it have ended. */
  drop(from: number, to: number): Promise<SessionState> {
    return this.#inTurn(() => {
      const { length } = this.#timeline.tokens
      checkRange(from, to, length)
      // Whether or not their rows are there just now.
      if (to < length) refuseMoving(this.#context.parts.model.config)
      return this.#context.loop.exclusive(async () => {
        await this.#timeline.drop(from, to)
        return this.#timeline.state()
      })
    })
  }

  /** Another session with the same past, when the prompts before it have ended; it draws for itself. */
  fork(): Promise<HostSession> {
    return this.#inTurn(async () => {
      const timeline = this.#timeline.fork()
      return new HostSession(this.#context, { timeline, rolling: this.#rolling, drawing: null })
    })
  }

  /** Keeps it in a file as it is when the prompts before have ended; those after need not wait for the disk. */
  async save(file: string, options: SaveOptions): Promise<SavedSession> {
    refuseSource(this.#context.parts.model.config, 'its sessions cannot be saved. Keep the source text and the answer')
    const snapshot = await this.#inTurn(async () => {
      return { timeline: this.#timeline.fork(), rolling: this.#rolling, drawing: this.#drawing }
    })
    return this.#context.archive.save(file, snapshot, options)
  }

  /** For a client that has just learned of the session. */
  state(): SessionState {
    return this.#timeline.state()
  }

  /** It has no prompt, and rows that others may have. */
  get isIdle(): boolean {
    return this.#jobs.size === 0 && this.#timeline.cache.length > 0
  }

  /** Lets go of the cache: what the tree keeps of it can be found again. */
  park(): void {
    this.#timeline.truncate(0)
    this.#speculation.forget()
  }

  /** Fails what is under way with `error`, then frees the cache. */
  async close(error: unknown): Promise<void> {
    for (const job of this.#jobs) {
      if (job.running) job.running.fail(error)
      else this.#finish(job, { error, state: this.#timeline.state() })
    }
    await this.#inTurn(async () => {
      this.#timeline.dispose()
      this.#speculation.dispose()
    })
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.then(
      () => {},
      () => {},
    )
    return done
  }

  async #run(job: Job): Promise<void> {
    if (job.answered) return
    try {
      const { failure } = this.#context.parts.kernels
      if (failure) throw failure
      // This may itself wait for `loop.exclusive`; a waiter inside that section would deadlock, so expose a settled promise.
      this.#preparing = Promise.resolve()
      const prompt = await this.#prepare(job.message)
      const loading = this.#loadFor(prompt, job.message.options)
      this.#preparing = loading.catch(() => {})
      const release = await loading
      let running: Promise<TextResult> | null = null
      try {
        if (!job.answered) running = job.message.options.beams ? this.#search(job, prompt) : this.#write(job, prompt)
      } finally {
        release()
        this.#preparing = null
      }
      if (!running) return
      const result = await running
      if ('completion' in result) await this.#remember(job.message, result.completion)
      this.#finish(job, result)
    } catch (error) {
      this.#preparing = null
      this.#finish(job, { error, state: this.#timeline.state() })
    }
  }

  async #remember({ prompt, options }: PromptMessage, completion: Completion): Promise<void> {
    const { conversation, templateVariables: variables } = options
    if (!conversation || !isMessages(prompt)) return
    const chat = await this.#context.chat()
    chat.answered(chatPrompt(prompt, conversation, variables, this.#timeline.salt), completion)
  }

  /** Checks a prompt's options and cuts it into ids. Where the context rolls, a text that does not fit makes room for itself. */
  async #prepare({ prompt, options }: PromptMessage): Promise<PromptIds> {
    const { parts, loop, chat } = this.#context
    const timeline = this.#timeline
    checkPromptOptions(options)
    if (parts.model.config.source) return sourcePrompt(parts, timeline.tokens, prompt, options)
    if (isInfill(prompt)) {
      return infillIds(parts.tokenizer, prompt, options, {
        name: parts.info.name,
        contextLength: timeline.cache.maxTokens,
      })
    }
    if (options.conversation && isMessages(prompt)) {
      const { conversation, templateVariables } = options
      const given = chatPrompt(prompt, conversation, templateVariables, timeline.salt)
      return { ids: (await chat()).ids(given), continues: false }
    }
    const cut = () => promptIds(parts.tokenizer, timeline.tokens, prompt, options)
    const made = cut()
    if (!this.#rolling || !made.continues) return made
    const { keep, count } = this.#rolling
    const over = made.ids.length - timeline.cache.maxTokens
    const before = timeline.tokens.length
    const to = Math.min(keep + Math.max(over, count), before)
    if (over <= 0 || to <= keep) return made
    await loop.exclusive(() => timeline.drop(keep, to))
    // A text that nothing is left before begins anew, with a bos token.
    return timeline.tokens.length === 0 ? cut() : { ...made, ids: [...timeline.tokens, ...made.ids.slice(before)] }
  }

  /** Brings what the disk knows of a prompt into memory, until the function that is returned is called. */
  async #loadFor({ ids }: PromptIds, options: HostPromptOptions): Promise<() => void> {
    const { disk, prefixes } = this.#context.past
    return disk && prefixes && reuses(options)
      ? disk.load(prefixes, ids, reuseOptions(options), this.#timeline.salt)
      : () => {}
  }

  /** Throws for a prompt that does not fit or options that are wrong. */
  async #write(job: Job, prompt: PromptIds): Promise<TextResult> {
    const { message, asked } = job
    const { options, id } = message
    const context = {
      ...this.#context,
      drawing: this.#drawing,
      speculation: this.#speculation.begin(options.speculation),
      rolling: this.#rolling,
      emit: this.#context.outbox.emitter(id),
      reading: message.reports === true ? this.#reporter(id) : undefined,
      grammar: job.grammar?.source ?? null,
    }
    const { run, answer } = beginText(context, this.#timeline, prompt, options, asked)
    job.running = run
    if (context.reading) {
      this.#context.post({ type: 'reading', id, progress: { tokens: run.reused, total: prompt.ids.length } })
    }
    const { result, drawing } = await answer
    this.#drawing = drawing
    return withCut(result, prompt)
  }

  #reporter(id: number): (progress: PromptProgress) => void {
    const { now, post } = this.#context
    let told = now()
    return progress => {
      if (now() - told < REPORT_MS) return
      told = now()
      post({ type: 'reading', id, progress })
    }
  }

  /** The session goes on with the best text; until then its own past is untouched. */
  async #search(job: Job, prompt: PromptIds): Promise<TextResult> {
    const { outbox } = this.#context
    const { message, asked } = job
    const emit = outbox.emitter(message.id)
    const timeline = this.#timeline.fork()
    let begun: BeamPrompt
    try {
      begun = beginBeams(
        { ...this.#context, emit, grammar: job.grammar?.source ?? null },
        timeline,
        prompt,
        message.options,
        asked,
      )
    } catch (error) {
      timeline.dispose()
      throw error
    }
    job.running = begun.run
    const found = await begun.answer
    if (!found) return { completion: abortedBeforeStart(message), state: this.#timeline.state() }
    found.timeline.replace(this.#timeline)
    this.#timeline = found.timeline
    this.#drawing = null
    return withCut({ completion: found.completion, state: this.#timeline.state() }, prompt)
  }

  #finish(job: Job, result: TextResult): void {
    if (job.answered) return
    job.answered = true
    this.#jobs.delete(job)
    const { id } = job.message
    this.#context.outbox.flush()
    if ('error' in result) {
      this.#context.post({ type: 'stopped', id, error: toWire(result.error), state: result.state })
    } else {
      this.#context.post({ type: 'finished', id, ...result })
    }
  }
}

function deferredGrammar(): Job['grammar'] {
  let resolve: (source: GrammarSource) => void = () => {}
  const source = new Promise<GrammarSource>(done => {
    resolve = done
  })
  return { source, resolve }
}

function abortedBeforeStart({ options }: PromptMessage): Completion {
  return {
    text: '',
    tokenIds: [],
    finishReason: 'aborted',
    usage: { promptTokens: 0, cachedTokens: 0, completionTokens: 0, draftTokens: 0, acceptedTokens: 0 },
    timings: { firstTokenMs: 0, promptMs: 0, generationMs: 0, promptTokensPerSecond: 0, tokensPerSecond: 0 },
    seed: options.seed ?? 0,
  }
}

function isMessages(prompt: PromptMessage['prompt']): prompt is readonly Message[] {
  return Array.isArray(prompt)
}

function isInfill(prompt: PromptMessage['prompt']): prompt is InfillText {
  return typeof prompt !== 'string' && 'prefix' in prompt
}

function withCut(result: TextResult, { cutTokens }: PromptIds): TextResult {
  if (cutTokens === undefined || 'error' in result) return result
  const { completion } = result
  return { ...result, completion: { ...completion, usage: { ...completion.usage, cutTokens } } }
}
