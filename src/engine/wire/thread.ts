/**
 * The thread that a client talks to, and the next one: a thread that ends unexpectedly, or is stuck when it is asked to stop,
 * is given up; with the next question another takes its place and loads the model again.
 */
import { WorkerError } from '../types/errors.ts'
import type { FromHost, HostLink, OpenLink, ToHost } from '../types/protocol.ts'
import { LIMITS, Watch } from './watch.ts'
import { fromWire } from './wire-errors.ts'

export interface ThreadEvents {
  message(message: FromHost): void
  /** The thread is gone, and all that was asked of it. */
  lost(error: Error): void
}

/** What a user can do who had asked for something else. */
const GOES_ON =
  'All answers and sessions in it are lost; the engine goes on in a new thread: make a new session and ask again.'

export class Thread {
  readonly #open: OpenLink
  readonly #events: ThreadEvents
  /** Questions and prompts that somebody waits to see ended. */
  readonly #asked = new Set<number>()
  #link: HostLink
  #watch: Watch
  #load: (ToHost & { type: 'load' }) | null = null
  /** What waits until a thread that takes another's place has loaded. */
  #waiting: ToHost[] | null = null
  /** A model was loaded, in this thread or an earlier one. */
  #ready = false
  #gone = false
  #number = 1

  constructor(open: OpenLink, events: ThreadEvents) {
    this.#open = open
    this.#events = events
    this.#link = this.#connect()
    this.#watch = this.#watchOf(this.#link)
  }

  /** Which thread of those that there have been: sessions live and die with theirs. */
  get number(): number {
    return this.#number
  }

  load(message: ToHost & { type: 'load' }): void {
    this.#load = message
    this.#link.hold(true)
    this.#link.post(message)
  }

  post(message: ToHost): void {
    if (this.#gone) this.#begin()
    if (this.#waiting) this.#waiting.push(message)
    else this.#link.post(message)
  }

  /** While it is held, the process does not end by itself. */
  hold(pending: boolean): void {
    if (!this.#gone) this.#link.hold(pending || this.#waiting !== null)
  }

  /** Takes back a prompt that was not sent yet; false if it was. */
  takeBack(id: number): boolean {
    const at = this.#waiting?.findIndex(message => message.type === 'prompt' && message.id === id) ?? -1
    if (at >= 0) this.#waiting?.splice(at, 1)
    return at >= 0
  }

  /** Somebody waits for the end of `id`: where no sign of life comes, the thread is given up. */
  watch(id: number): void {
    if (this.#gone) return
    this.#asked.add(id)
    // What has not been sent yet is waited for from when it is.
    if (this.#asked.size === 1 && !this.#waiting) this.#watch.begin(LIMITS.stop)
  }

  unwatch(id: number): void {
    if (this.#asked.delete(id) && this.#asked.size === 0) this.#watch.end()
  }

  /** Cuts the line at once, without a farewell. */
  terminate(): Promise<void> {
    this.#watch.end()
    return this.#link.terminate()
  }

  /** Lets the host end in order, or not, where it is stuck; then waits for its end. */
  async dispose(): Promise<void> {
    this.#watch.end()
    if (!this.#gone) {
      this.#link.hold(true)
      this.#link.post({ type: 'dispose' })
      this.#watch = new Watch(this.#link, () => void this.#link.terminate())
      this.#watch.begin(LIMITS.dispose)
    }
    await this.#link.ended()
    this.#watch.end()
  }

  #connect(): HostLink {
    const link: HostLink = this.#open({
      message: message => {
        if (link === this.#link && !this.#gone) this.#receive(message)
      },
      closed: error => {
        if (link === this.#link && !this.#gone) this.#lose(this.#unexpected(error))
      },
    })
    return link
  }

  #watchOf(link: HostLink): Watch {
    return new Watch(link, () => {
      void link.terminate()
      this.#lose(
        new WorkerError(
          `The engine's thread was asked to stop and gave no sign of life for seconds, so it was ended. ${GOES_ON}`,
        ),
      )
    })
  }

  #unexpected(error: Error | null): Error {
    if (!error) return new WorkerError(`The engine's thread has ended. ${GOES_ON}`)
    return this.#ready ? new WorkerError(`${error.message} ${GOES_ON}`, { cause: error }) : error
  }

  /** A thread in place of one that is gone. */
  #begin(): void {
    if (!this.#load) return
    this.#link = this.#connect()
    this.#gone = false
    this.#watch = this.#watchOf(this.#link)
    this.#waiting = []
    this.#link.hold(true)
    this.#link.post(this.#load)
  }

  #receive(message: FromHost): void {
    if (message.type === 'ready') {
      this.#ready = true
      const messages = this.#waiting ?? []
      this.#waiting = null
      for (const waiting of messages) this.#link.post(waiting)
      if (this.#asked.size > 0) this.#watch.begin(LIMITS.stop)
    }
    if (message.type === 'failed' && this.#waiting) {
      void this.#link.terminate()
      const { message: why } = message.error
      this.#lose(new WorkerError(`The model could not be loaded again: ${why}`, { cause: fromWire(message.error) }))
    } else this.#events.message(message)
  }

  #lose(error: Error): void {
    this.#watch.end()
    this.#asked.clear()
    this.#waiting = null
    this.#gone = true
    this.#number++
    this.#events.lost(error)
  }
}
