/** Work that is not a text to be written, and takes its turns between the steps of those that are. */
import type { Turn } from '../../model/text-reader.ts'
import type { StepLoop } from '../loop/step-loop.ts'

export interface HostJobsContext {
  readonly loop: Pick<StepLoop, 'exclusive' | 'computed'>
  /** Lets messages in. */
  readonly pause: () => Promise<void>
  readonly now: () => number
}

/** How a job shares the model. */
export interface JobTurns {
  readonly turn: Turn
  /** Lets messages in, if it is time. Throws when the job is to end. */
  readonly pause: () => Promise<void>
}

/** Milliseconds after which messages are let in. */
const PAUSE_AFTER = 4

/** Jobs under way, by the call that asked for them. */
export class HostJobs {
  readonly #context: HostJobsContext
  readonly #ending = new Map<number, AbortController>()
  readonly #running = new Set<Promise<unknown>>()

  constructor(context: HostJobsContext) {
    this.#context = context
  }

  async run<T>(id: number, job: (work: JobTurns) => Promise<T>): Promise<T> {
    const ending = new AbortController()
    this.#ending.set(id, ending)
    const running = job(this.#turns(ending.signal))
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#ending.delete(id)
      this.#running.delete(running)
    }
  }

  abort(id: number, reason: unknown = new Error('aborted')): void {
    this.#ending.get(id)?.abort(reason)
  }

  /** Ends all; resolves when nothing uses the model any more. */
  async end(reason: unknown): Promise<void> {
    for (const id of this.#ending.keys()) this.abort(id, reason)
    await Promise.allSettled(this.#running)
  }

  #turns(signal: AbortSignal): JobTurns {
    const { loop, now, pause } = this.#context
    let letIn = now()
    const breathe = async () => {
      if (now() - letIn >= PAUSE_AFTER) {
        await pause()
        letIn = now()
      }
      signal.throwIfAborted()
    }
    return {
      turn: async work => {
        await breathe()
        return loop.exclusive(() => loop.computed(work))
      },
      pause: breathe,
    }
  }
}
