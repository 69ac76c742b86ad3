import type { AnswerCheck } from '../check.ts'
import type { SchemaReader } from '../schema/grammar.ts'
import type { FromMasks, MasksPort, SchemaText, StartMasks, ToMasks } from './protocol.ts'
import { readOf } from './reading.ts'
import { TICK, WorkTime } from './work-time.ts'

export interface CheckThreadOptions {
  readonly start: StartMasks
  /**
   * Milliseconds of a processor that a check may take, its schema's compilation counted; then its thread is ended. Where the system
   * does not say what a thread has used: of the clock, from when it has begun. Default 10,000.
   */
  readonly timeout?: number
  /** The same for a check that keeps others waiting. Default 2,000. */
  readonly timeoutBesides?: number
  /** Milliseconds after which a check is ended even if it has not begun, or was held up. Default 60,000. */
  readonly timeoutAnyway?: number
}

/** Milliseconds after which others do not wait for a check, but get a thread of their own. */
const SLOW = 200
/** The same for the first check of a thread, which loads what it needs. */
const SLOW_FIRST = 1000
/** Most threads; all but one are of checks that are slow. */
const MOST = 3

interface Check {
  readonly message: ToMasks
  /** What is the same for checks that are as slow as each other. */
  readonly key: string
  done(result: FromMasks): void
  failed(reason: string): void
}

interface Lane {
  readonly port: MasksPort
  check: Check | null
  /** When the check was sent. */
  since: number
  /** Of the check; null: it has not begun. */
  work: WorkTime | null
  /** Milliseconds of it, when they were last looked at; null: it has not begun. */
  spent: number | null
  /** It has done a check. */
  warm: boolean
}

/**
 * Checks finished answers, and reads long schemas, in threads of their own: neither who asks nor the masks of other texts wait for a schema that takes
 * long. One thread does, until a check in it is slow; then others go on in a second and a third one. Where all are busy, a
 * check that others wait for is ended early. A check that does not end is an error of its answer; one that waits for a core is not.
 */
export class CheckThread {
  readonly #options: CheckThreadOptions
  readonly #anyway: number
  readonly #lanes: Lane[] = []
  readonly #waiting: Check[] = []
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(options: CheckThreadOptions) {
    this.#options = options
    this.#anyway = options.timeoutAnyway ?? 60_000
  }

  readonly check: AnswerCheck = (demand, text) => {
    return new Promise(resolve => {
      this.#add({
        message: { type: 'check', demand, text },
        key: 'schema' in demand ? demand.schema : `/${demand.regex}/${demand.flags}`,
        done: result => resolve((result as FromMasks & { type: 'checked' }).problem),
        failed: reason => resolve(`The answer could not be checked: ${reason}`),
      })
    })
  }

  readonly read: SchemaReader = async json => {
    const [reading] = await this.readAll([{ json, alone: true }])
    return readOf(reading as Parameters<typeof readOf>[0])
  }

  /** What becomes of each schema. */
  readAll(schemas: readonly SchemaText[]): Promise<readonly Parameters<typeof readOf>[0][]> {
    return new Promise(resolve => {
      this.#add({
        message: { type: 'read', schemas },
        key: schemas.map(({ json }) => json).join(' '),
        done: result => resolve((result as FromMasks & { type: 'read' }).readings),
        failed: reason => {
          const refusal = { message: `The schema could not be read: ${reason}`, path: '', keyword: '' }
          resolve(schemas.map(() => refusal))
        },
      })
    })
  }

  /** Ends the threads. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const lane of [...this.#lanes]) this.#end(lane, CLOSED)
    for (const { failed } of this.#waiting.splice(0)) failed(CLOSED)
  }

  #add(check: Check): void {
    if (this.#closed) {
      check.failed(CLOSED)
      return
    }
    this.#waiting.push(check)
    this.#work()
  }

  /** Ends what took too long, starts what can be started, and comes back when either may change by itself. */
  #work(): void {
    const now = performance.now()
    for (const lane of this.#lanes) lane.spent = lane.work?.look() ?? null
    for (const lane of [...this.#lanes]) {
      const { check, spent } = lane
      if (!check || this.#left(lane, now) > 0) continue
      const reason =
        spent === null
          ? `its thread did not begin within ${this.#anyway} ms`
          : `that takes longer than ${Math.min(this.#limit(), this.#anyway)} ms; use a smaller schema or expression`
      this.#remove(lane)
      check.failed(reason)
    }
    for (let next = this.#next(now); next; next = this.#next(now)) {
      this.#waiting.splice(this.#waiting.indexOf(next), 1)
      this.#begin(next, now)
    }
    for (const lane of this.#lanes.filter(({ check }) => !check).slice(1)) this.#remove(lane)
    clearTimeout(this.#timer)
    const due = this.#lanes.flatMap(lane => (lane.check ? [this.#left(lane, now), slowFrom(lane) - now, TICK] : []))
    const later = due.filter(time => time > 0)
    if (later.length > 0) this.#timer = setTimeout(() => this.#work(), Math.min(...later) + 1)
  }

  /** Milliseconds until the lane's check is ended. */
  #left({ since, spent }: Lane, now: number): number {
    const anyway = since + this.#anyway - now
    return spent === null ? anyway : Math.min(this.#limit() - spent, anyway)
  }

  /** What may begin now: nothing if a thread is soon free, and nothing that is as slow as what is under way. */
  #next(now: number): Check | undefined {
    const busy = this.#lanes.filter(({ check }) => check)
    const full = busy.length === MOST || busy.some(lane => now < slowFrom(lane))
    if (full && busy.length === this.#lanes.length) return undefined
    const under = new Set(busy.map(({ check }) => check?.key))
    return this.#waiting.find(({ key }) => !under.has(key))
  }

  #begin(check: Check, now: number): void {
    let lane: Lane
    try {
      lane = this.#lanes.find(({ check }) => !check) ?? this.#start()
    } catch (error) {
      // The system may have no thread left.
      check.failed((error as Error).message)
      return
    }
    lane.check = check
    lane.since = now
    lane.port.post(check.message)
  }

  #limit(): number {
    const { timeout = 10_000, timeoutBesides = 2_000 } = this.#options
    return this.#waiting.length > 0 && this.#lanes.length === MOST ? Math.min(timeout, timeoutBesides) : timeout
  }

  #start(): Lane {
    const lane: Lane = {
      port: this.#options.start({
        message: message => {
          if (message.type === 'began') {
            lane.work = new WorkTime(lane.port)
            lane.spent = 0
          } else if (message.type === 'checked' || message.type === 'read') {
            this.#settle(lane, check => check.done(message))
          }
        },
        failed: reason => this.#end(lane, reason),
      }),
      check: null,
      since: 0,
      work: null,
      spent: null,
      warm: false,
    }
    this.#lanes.push(lane)
    return lane
  }

  #settle(lane: Lane, report: (check: Check) => void): void {
    const { check } = lane
    lane.check = null
    lane.work = null
    lane.spent = null
    lane.warm = true
    if (check) report(check)
    if (!this.#closed) this.#work()
  }

  #end(lane: Lane, reason: string): void {
    if (!this.#remove(lane)) return
    this.#settle(lane, check => check.failed(reason))
  }

  /** Whether it was still there. */
  #remove(lane: Lane): boolean {
    const at = this.#lanes.indexOf(lane)
    if (at < 0) return false
    this.#lanes.splice(at, 1)
    lane.port.terminate()
    return true
  }
}

const slowFrom = ({ since, warm }: Lane): number => since + (warm ? SLOW : SLOW_FIRST)

const CLOSED = 'the engine has been disposed of'
