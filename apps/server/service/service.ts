/** What endpoints ask for work: it waits its turn, gets a model, is counted, and ends when nobody wants it any more. */
import type { CountedChat } from '../../../src/index.ts'
import { type AnswerEngine, answer } from '../answers/answer.ts'
import type { Ask, ChatInput } from '../answers/ask.ts'
import { countedChat } from '../answers/count.ts'
import { EventQueue } from '../answers/event-queue.ts'
import type { AnswerEvent } from '../answers/events.ts'
import { Failure } from '../failure.ts'
import type { Exchange } from '../http/exchange.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Lease, Models } from '../models/models.ts'
import type { Settings } from '../options.ts'
import type { SavedSlots } from '../slots/saved-slots.ts'
import type { Place, Slots } from '../slots/slots.ts'
import type { Admission } from './admission.ts'
import { estimatedTokens } from './estimate.ts'

/** A body's own salt, beside who asks. */
export interface Question<Input extends Ask['input'] = Ask['input']>
  extends Omit<Ask, 'input' | 'signal' | 'cacheSalt'> {
  readonly input: Input
  /** As the request names it. */
  readonly model: string | null | undefined
  /** What is read is shared only with requests of the same salt (vLLM's `cache_salt`). */
  readonly salt?: string | null | undefined
  /** The slot that remembers the text; null or -1: the server chooses. */
  readonly slot?: number | null | undefined
  /** Seconds that the model stays loaded afterwards. Default: the server's. */
  readonly keepAlive?: number | undefined
}

export interface Begun {
  /** The model that answers. */
  readonly model: string
  readonly events: AsyncIterable<AnswerEvent>
  /** The slot that remembers the text; null before the answer begins. */
  readonly slot: number | null
  /**
   * Resolves when the engine has taken the prompt, or after this time; throws what was wrong with the request where that is known by
   * then. So a stream begins with a good status only if it will be one, and a long wait does not hold back its headers.
   */
  ready(ms: number): Promise<void>
}

export interface ServiceOptions {
  readonly settings: Settings
  readonly models: Models
  readonly admission: Admission
  readonly metrics: Metrics
  readonly slots: Slots
  /** Null where no folder was given. */
  readonly savedSlots: SavedSlots | null
}

/** How long a stream waits for a first piece of its answer, or a refusal, before it begins. */
export const READY_MS = 1000

export class Service {
  readonly settings: Settings
  readonly models: Models
  readonly admission: Admission
  readonly metrics: Metrics
  readonly slots: Slots
  readonly savedSlots: SavedSlots | null
  #state: 'loading' | 'ready' | 'draining' = 'loading'
  #under = 0
  #idle: (() => void)[] = []

  constructor({ settings, models, admission, metrics, slots, savedSlots }: ServiceOptions) {
    this.slots = slots
    this.savedSlots = savedSlots
    this.settings = settings
    this.models = models
    this.admission = admission
    this.metrics = metrics
  }

  get state(): 'loading' | 'ready' | 'draining' {
    return this.#state
  }

  /** Milliseconds between signs of life in a stream. */
  get pingMs(): number {
    return this.settings.pingInterval * 1000
  }

  loaded(): void {
    if (this.#state === 'loading') this.#state = 'ready'
  }

  /** Takes no more work; resolves when there is none. */
  async drain(): Promise<void> {
    this.#state = 'draining'
    while (this.#under > 0) await new Promise<void>(resolve => this.#idle.push(resolve))
  }

  /** Throws Failure at once for what can be told at once: no such model (404), a full queue (429), a start or stop (503). */
  begin(exchange: Exchange, question: Question): Begun {
    const { model: asked, salt, slot, keepAlive, ...rest } = question
    const model = this.models.resolve(asked)
    const wanted = slot === undefined || slot === -1 ? null : slot
    if (wanted !== null) this.slots.check(wanted)
    const queue = new EventQueue<AnswerEvent>()
    const cacheSalt = saltOf(exchange, salt)
    let tokens: readonly number[] | null = null
    const left = (ids: readonly number[]) => {
      tokens = ids
    }
    const ask: Ask = { ...rest, cacheSalt, signal: exchange.signal, left }
    const counted = this.metrics.answer(model)
    let started = () => {}
    const start = new Promise<void>(resolve => {
      started = resolve
    })
    let place: Place | null = null
    const work = async (target: AnswerEngine): Promise<number> => {
      counted.begun()
      const taken = this.slots.take(wanted, { model, cacheSalt }, requestText(question.input))
      place = taken
      let done = 0
      try {
        for await (const event of answer(target, ask)) {
          counted.event(event)
          if (event.type === 'usage') {
            const { prompt, cached, completion } = event.usage
            done = prompt - cached + completion
            exchange.note({ model, usage: event.usage, ...event.timings })
            // Before its client hears of the end: it may ask for the slot at once.
            taken.leave(tokens)
          }
          queue.push(event)
          // A form is refused while its prompt is read already, and then with a status of its own.
          if (event.type !== 'begun' && event.type !== 'progress') started()
        }
      } finally {
        taken.leave(tokens)
      }
      return done
    }
    let failed: { readonly error: unknown } | null = null
    const done = this.#work(exchange, model, estimate(question.input), work, keepAlive).then(
      () => {
        counted.ended(null)
        queue.end()
      },
      error => {
        failed = { error }
        counted.ended(error)
        exchange.note({ model })
        queue.fail(error)
      },
    )
    void done.then(started)
    return {
      model,
      events: queue,
      get slot() {
        return place?.id ?? null
      },
      ready: async ms => {
        let timer: NodeJS.Timeout | undefined
        const late = new Promise<void>(resolve => {
          timer = setTimeout(resolve, ms)
        })
        await Promise.race([start, late])
        clearTimeout(timer)
        if (failed) throw failed.error
      },
    }
  }

  /** The prompt that a conversation would be. */
  countChat(exchange: Exchange, { model, input }: Pick<Question<ChatInput>, 'model' | 'input'>): Promise<CountedChat> {
    return this.use(exchange, model, estimate(input), ({ engine }) => countedChat(engine, input))
  }

  /** Other work of a model: vectors, tokens … `tokens`: what it reads, by an estimate. */
  async use<T>(
    exchange: Exchange,
    model: string | null | undefined,
    tokens: number,
    work: (lease: Lease) => T | Promise<T>,
    keepAlive?: number,
  ): Promise<T> {
    let result: T | undefined
    const run = async (lease: Lease) => {
      result = await work(lease)
      return tokens
    }
    await this.#work(exchange, this.models.resolve(model), tokens, run, keepAlive)
    return result as T
  }

  #work(
    exchange: Exchange,
    model: string,
    tokens: number,
    work: (lease: Lease) => Promise<number>,
    keepAlive?: number,
  ): Promise<void> {
    this.#checkOpen()
    const ticket = this.admission.enter(tokens, exchange.signal)
    this.#under++
    const run = async () => {
      let lease: Lease | null = null
      let done = 0
      try {
        await ticket.turn
        lease = await this.models.lease(model, exchange.signal)
        exchange.signal.throwIfAborted()
        done = await work(lease)
      } finally {
        lease?.release(keepAlive)
        ticket.leave(done)
        this.#under--
        if (this.#under === 0) for (const wake of this.#idle.splice(0)) wake()
      }
    }
    return run()
  }

  #checkOpen(): void {
    if (this.#state === 'ready') return
    const [message, code] =
      this.#state === 'loading' ? ['The model is loading.', 'loading'] : ['The server is stopping.', 'stopping']
    throw new Failure('unavailable', message as string, { code: code as string, retryAfter: 2 })
  }
}

/** Who shares what is cached: those with the same key, and of them those whose bodies say the same. */
export function saltOf({ cacheOwner }: Pick<Exchange, 'cacheOwner'>, salt: string | null | undefined): string {
  return [cacheOwner, salt ?? ''].filter(part => part !== '').join(' ')
}

function estimate(input: Ask['input']): number {
  if (input.kind === 'text' && typeof input.prompt !== 'string') return input.prompt.length
  return estimatedTokens(input.kind === 'text' ? input.prompt.length : JSON.stringify(input).length)
}

/** With which the next turn's begins. */
function requestText(input: Ask['input']): string {
  if (input.kind === 'chat') return JSON.stringify(input.messages).slice(0, -1)
  if (input.kind === 'infill') return input.prefix
  return typeof input.prompt === 'string' ? input.prompt : input.prompt.join(' ')
}
