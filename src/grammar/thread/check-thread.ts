import type { AnswerCheck } from '../check.ts'
import type { MasksPort, StartMasks } from './protocol.ts'

export interface CheckThreadOptions {
  readonly start: StartMasks
  /** Milliseconds that a check may take, its schema's compilation counted; then its thread is ended. Default 10,000. */
  readonly timeout?: number
}

/**
 * Checks finished answers in a thread of its own, one after the other: neither who asks nor the masks of other texts wait for
 * a schema that takes long. A check that does not end is an error of its answer.
 */
export class CheckThread {
  readonly #options: CheckThreadOptions
  #port: MasksPort | null = null
  /** Ends the check that is under way. */
  #settle: ((problem: string | null) => void) | null = null
  #last: Promise<unknown> = Promise.resolve()
  #closed = false

  constructor(options: CheckThreadOptions) {
    this.#options = options
  }

  readonly check: AnswerCheck = (demand, text) => {
    const { timeout = 10_000 } = this.#options
    const run = () =>
      new Promise<string | null>(resolve => {
        if (this.#closed) {
          resolve(unchecked('the engine has been disposed of'))
          return
        }
        const timer = setTimeout(
          () => this.#end(`that takes longer than ${timeout} ms; use a smaller schema or expression`),
          timeout,
        )
        this.#settle = problem => {
          clearTimeout(timer)
          this.#settle = null
          resolve(problem)
        }
        this.#running().post({ type: 'check', demand, text })
      })
    const checked = this.#last.then(run)
    this.#last = checked.catch(() => {})
    return checked
  }

  /** Ends the thread. */
  close(): void {
    this.#closed = true
    this.#end('the engine has been disposed of')
  }

  #running(): MasksPort {
    if (this.#port) return this.#port
    const port: MasksPort = this.#options.start({
      message: message => {
        if (port === this.#port && message.type === 'checked') this.#settle?.(message.problem)
      },
      failed: reason => {
        if (port === this.#port) this.#end(reason)
      },
    })
    this.#port = port
    return port
  }

  /** The next check gets a fresh thread. */
  #end(reason: string): void {
    this.#port?.terminate()
    this.#port = null
    this.#settle?.(unchecked(reason))
  }
}

const unchecked = (reason: string) => `The answer could not be checked: ${reason}`
