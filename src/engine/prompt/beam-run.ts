import type { AttentionPath, PromptExtent } from '../../nn/attention/path.ts'
import type { Beam, BeamSearch, EndedBeam } from '../../sampling/beam-search.ts'
import { type LogitsConsumer, Sequence } from '../loop/sequence.ts'
import type { StepLoop } from '../loop/step-loop.ts'
import type { Timeline } from '../past/timeline.ts'
import type { BeamMasks } from './beam-masks.ts'

export interface BeamRunOptions {
  readonly loop: Pick<StepLoop, 'add'>
  readonly search: BeamSearch
  /** What the texts are held to; null: nothing. */
  readonly masks: BeamMasks | null
  /** Stands on what the prompt reuses; becomes the run's. */
  readonly timeline: Timeline
  /** All ids up to the end of the prompt, and the extent of those to run, as for a sequence. */
  readonly prompt: readonly number[]
  readonly extent: PromptExtent | null
  readonly path?: AttentionPath | undefined
  readonly priority: number
  readonly now: () => number
}

export interface BeamOutcome {
  /** Holds the prompt and the best text; the caller's to dispose of. */
  readonly timeline: Timeline
  readonly reused: number
  /** When the prompt had been read. */
  readonly read: number
}

/**
 * A prompt that is answered by beam search. Every living beam is a fork of the timeline, which shares what it has in
 * common with the others; each round is a step in which all of them add one token, together with whatever else runs.
 */
export class BeamRun {
  readonly #options: BeamRunOptions
  /** Under way. */
  readonly #sequences = new Set<Sequence>()
  #stopped: { readonly error: unknown } | 'aborted' | null = null

  constructor(options: BeamRunOptions) {
    this.#options = options
  }

  /** Null: it was aborted, and nothing of it is left. Rejects with what failed. */
  async run(): Promise<BeamOutcome | null> {
    const { search, timeline, now } = this.#options
    const reused = timeline.cache.length
    let living = new Map<Beam, Timeline>([[search.living[0] as Beam, timeline]])
    const ended = new Map<EndedBeam, Timeline>()
    let read: number | null = null
    try {
      while (!search.done) {
        const logits = await this.#logitsAfter(living)
        if (!logits) return null
        read ??= now()
        await this.#options.masks?.apply([...living.keys()], logits)
        living = this.#advance(living, ended, logits)
      }
      const [best] = search.ended
      // Where there was no room for a token, the prompt is only read.
      const winner = best ? (ended.get(best) as Timeline) : timeline
      if (!(await this.#settle(winner, best?.ids ?? []))) return null
      if (best) ended.delete(best)
      else living = new Map()
      return { timeline: winner, reused, read: read ?? now() }
    } finally {
      for (const one of [...living.values(), ...ended.values()]) one.dispose()
      this.#options.masks?.close()
    }
  }

  /** Ends it after the step under way. */
  abort(): void {
    this.#stopped ??= 'aborted'
    for (const sequence of this.#sequences) sequence.abort()
  }

  fail(error: unknown): void {
    this.#stopped ??= { error }
    for (const sequence of this.#sequences) sequence.fail(error)
  }

  /** The logits after every beam; null if it was aborted. */
  async #logitsAfter(living: ReadonlyMap<Beam, Timeline>): Promise<Float32Array[] | null> {
    const logits = await allOf([...living].map(([{ ids }, timeline]) => this.#run(timeline, ids, true)))
    return logits.every(row => row !== null) && !this.#stopped ? logits : null
  }

  /** Lets the search choose, and forks what goes on or has ended from what it goes on from. */
  #advance(
    living: ReadonlyMap<Beam, Timeline>,
    ended: Map<EndedBeam, Timeline>,
    logits: readonly Float32Array[],
  ): Map<Beam, Timeline> {
    const { search } = this.#options
    const before = [...living.values()]
    const forkFor = <B extends Beam>(beam: B) => [beam, (before[beam.parent] as Timeline).fork()] as const
    search.advance(logits)
    this.#options.masks?.advance(search.living)
    const next = new Map(search.living.map(forkFor))
    for (const beam of search.ended) if (!ended.has(beam)) ended.set(...forkFor(beam))
    for (const [beam, timeline] of ended) {
      if (search.ended.includes(beam)) continue
      timeline.dispose()
      ended.delete(beam)
    }
    for (const timeline of before) timeline.dispose()
    return next
  }

  /** Runs what is left of a text, so that its rows are all there. False if it was aborted. */
  async #settle(timeline: Timeline, ids: readonly number[]): Promise<boolean> {
    const { prompt, extent } = this.#options
    await this.#run(timeline, ids, false)
    timeline.become([...prompt, ...ids], ids.length > 0 || extent === null)
    return this.#stopped === null
  }

  /** Runs a beam's ids. The logits after them, if they are wanted and it was not aborted. */
  async #run(timeline: Timeline, generated: readonly number[], wanted: boolean): Promise<Float32Array | null> {
    const { loop, prompt, extent, path, priority } = this.#options
    if (this.#stopped === 'aborted') return null
    if (this.#stopped) throw this.#stopped.error
    let logits: Float32Array | null = null
    await new Promise<void>((resolve, reject) => {
      const consumer: LogitsConsumer = {
        get done() {
          return !wanted || logits !== null
        },
        take: ([row]) => {
          if (row) logits = row.slice()
          return 0
        },
        ended: error => {
          this.#sequences.delete(sequence)
          if (error) reject(error.cause)
          else resolve()
        },
      }
      const sequence = new Sequence({ timeline, prompt, generated, extent, path, priority, consumer })
      this.#sequences.add(sequence)
      loop.add(sequence)
    })
    return logits
  }
}

/** All results; if one fails, its error, when the others have ended too: nothing must run on what is disposed of. */
async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work)
  return Promise.all(work)
}
