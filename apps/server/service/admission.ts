/** The queue of requests: how many run, how many wait, and when the next may begin. */
import { Failure } from '../failure.ts'

export interface AdmissionLimits {
  readonly maxRunning: number
  readonly maxQueued: number
  readonly maxQueuedTokens: number
}

/** A place among those who are served. */
export interface Ticket {
  /** Resolves when it is this one's turn; rejects with the signal's reason. */
  readonly turn: Promise<void>
  /** The work is over, or was given up. `tokens`: that were read and written. */
  leave(tokens?: number): void
}

interface Waiting {
  readonly tokens: number
  begin(): void
}

/** Seconds that are told where no speed is known. */
const UNKNOWN_SECONDS = 5
const MAX_SECONDS = 600

/** Who is served at once, who waits, and who is sent away: first come, first served. */
export class Admission {
  readonly #limits: AdmissionLimits
  readonly #queue: Waiting[] = []
  #running = 0
  #queuedTokens = 0
  /** Tokens per second of everything that runs, of the last minutes. */
  #speed = 0

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#queue.length
  }

  /** `tokens`: of the prompt, by an estimate. Throws Failure (429) where the queue is full. */
  enter(tokens: number, signal: AbortSignal): Ticket {
    const { maxRunning, maxQueued, maxQueuedTokens } = this.#limits
    if (this.#running < maxRunning && this.#queue.length === 0) {
      this.#running++
      return { turn: Promise.resolve(), leave: this.#leaving() }
    }
    if (this.#queue.length >= maxQueued || this.#queuedTokens + tokens > maxQueuedTokens) {
      const seconds = this.#secondsFor(this.#queuedTokens + tokens)
      throw new Failure(
        'busy',
        `The queue is full: ${this.#queue.length} requests with some ${this.#queuedTokens} tokens wait. Please try again in ${seconds}s.`,
        { code: 'rate_limit_exceeded', retryAfter: seconds },
      )
    }
    return this.#wait(tokens, signal)
  }

  #wait(tokens: number, signal: AbortSignal): Ticket {
    let leave: Ticket['leave'] | null = null
    let left = false
    let waiting: Waiting | null = null
    const out = () => {
      const at = waiting ? this.#queue.indexOf(waiting) : -1
      if (at < 0) return
      this.#queue.splice(at, 1)
      this.#queuedTokens -= tokens
    }
    const turn = new Promise<void>((resolve, reject) => {
      const give = () => {
        out()
        reject(signal.reason)
      }
      waiting = {
        tokens,
        begin: () => {
          leave = this.#leaving()
          signal.removeEventListener('abort', give)
          resolve()
        },
      }
      if (signal.aborted) return give()
      this.#queue.push(waiting)
      this.#queuedTokens += tokens
      signal.addEventListener('abort', give, { once: true })
    })
    return {
      turn,
      leave: done => {
        if (left) return
        left = true
        if (leave) leave(done)
        else out()
      },
    }
  }

  #leaving(): Ticket['leave'] {
    let left = false
    const begun = performance.now()
    return (tokens = 0) => {
      if (left) return
      left = true
      this.#learn(tokens, performance.now() - begun)
      this.#running--
      this.#next()
    }
  }

  #next(): void {
    while (this.#running < this.#limits.maxRunning) {
      const next = this.#queue.shift()
      if (!next) return
      this.#queuedTokens -= next.tokens
      this.#running++
      next.begin()
    }
  }

  #learn(tokens: number, ms: number): void {
    if (tokens === 0 || ms <= 0) return
    const speed = (tokens / ms) * 1000 * this.#running
    this.#speed = this.#speed === 0 ? speed : 0.8 * this.#speed + 0.2 * speed
  }

  #secondsFor(tokens: number): number {
    if (this.#speed === 0) return UNKNOWN_SECONDS
    return Math.min(MAX_SECONDS, Math.max(1, Math.ceil(tokens / this.#speed)))
  }
}
