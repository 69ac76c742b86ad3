import type { MasksPort } from './protocol.ts'

/** Most milliseconds between two looks at a thread's work, and most that count from one to the next by the clock. */
export const TICK = 250

/**
 * How long a thread has worked on something. By the time of its processor where the system says it. Else by the clock: where a look
 * comes late, threads wait for a core, and this one with them, so no more than one tick counts from one look to the next.
 */
export class WorkTime {
  readonly #port: MasksPort
  readonly #before: number | undefined
  #looked = performance.now()
  #byClock = 0

  /** The work begins. */
  constructor(port: MasksPort) {
    this.#port = port
    this.#before = port.processorTime?.()
  }

  /** Milliseconds so far. */
  look(): number {
    const now = performance.now()
    this.#byClock += Math.min(now - this.#looked, TICK)
    this.#looked = now
    const used = this.#port.processorTime?.()
    return used === undefined || this.#before === undefined ? this.#byClock : used - this.#before
  }
}
