import type { Kernels } from '../kernels/contract.ts'
import type { Model } from '../model/model.ts'
import type { StepInput } from '../model/step.ts'
import type { Outbox } from './outbox.ts'
import { schedule } from './scheduler.ts'
import type { Sequence } from './sequence.ts'

/** What the loop needs of a model. `forward` is never called while another call is under way. */
export type StepModel = Pick<Model, 'forward'> & { readonly kernels: Pick<Kernels, 'read'> }

export interface LoopOptions {
  readonly model: StepModel
  /** Prompt tokens of one step. */
  readonly chunkSize: number
  readonly outbox: Outbox
  /** Lets messages in between two steps. */
  readonly pause: () => Promise<void>
  /** The cache is full: gives up what no sequence needs; false if there is nothing. Default: never anything. */
  readonly makeRoom?: () => boolean
  /** Waits for cache memory that others will give back without being asked; false if there is none. Default: none. */
  readonly waitForRoom?: () => Promise<boolean>
  readonly now: () => number
}

/** Milliseconds after which messages are let in: a small model's step is too short to do so after each. */
const PAUSE_AFTER = 4

interface Part {
  readonly sequence: Sequence
  readonly input: StepInput
  /** Of the input's first token. */
  readonly position: number
}

/** Runs all sequences that have work, together, step by step. */
export class StepLoop {
  readonly #options: LoopOptions
  #running: Sequence[] = []
  /** Without memory until another has ended; in order of arrival. */
  #paused: Sequence[] = []
  #active: Promise<void> | null = null
  #turn: Promise<unknown> = Promise.resolve()

  constructor(options: LoopOptions) {
    this.#options = options
  }

  add(sequence: Sequence): void {
    this.#running.push(sequence)
    this.#active ??= this.#run()
  }

  /** Runs work that needs the model while no step is under way. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  /** Resolves when no sequence is left. */
  async idle(): Promise<void> {
    await this.#active
  }

  async #run(): Promise<void> {
    const { pause, now } = this.#options
    let paused = now()
    while (this.#running.length > 0) {
      await this.exclusive(() => this.step())
      if (now() - paused < PAUSE_AFTER) continue
      await pause()
      paused = now()
    }
    this.#active = null
  }

  /** One token of every text and a piece of every prompt: schedule, run, sample, emit. */
  async step(): Promise<void> {
    const { model, outbox } = this.#options
    this.#retire()
    for (const sequence of this.#running) if (sequence.mustRoll) await sequence.roll()
    const batch = await this.#schedule()
    // A long step must not hold back what is already written.
    if (batch.some(({ input }) => input.prompt !== null)) outbox.flush()
    try {
      const rows = await this.#forward(model, batch)
      for (const [i, { sequence }] of batch.entries()) {
        const logits = rows[i]
        if (logits) sequence.accept(logits)
      }
    } catch (error) {
      for (const { sequence } of batch) sequence.fail(error)
    }
    outbox.flushIfDue()
    this.#retire()
  }

  async #schedule(): Promise<Part[]> {
    const counts = schedule(
      this.#running.map(s => s.waiting),
      this.#options.chunkSize,
    )
    const parts = this.#running.map((sequence, i) => this.#part(sequence, counts[i] as number))
    const ready = parts.filter(part => part !== null)
    if (ready.length === 0) await this.#relieve()
    return ready
  }

  /** Whoever finds no room waits for the others to end. Where all wait, the last to come gives its memory to them. */
  async #relieve(): Promise<void> {
    const last = this.#running.findLast(sequence => sequence.waitsForRoom)
    if (!last || (await this.#options.waitForRoom?.())) return
    if (this.#running.length === 1) {
      last.giveUp()
      return
    }
    last.pause()
    this.#running = this.#running.filter(sequence => sequence !== last)
    this.#paused.unshift(last)
  }

  #part(sequence: Sequence, count: number): Part | null {
    let part = sequence.part(count)
    while (!part && sequence.waitsForRoom && this.#options.makeRoom?.()) part = sequence.part(count)
    return part
  }

  /** Logits [vocab] of the parts that want them, by part. */
  async #forward(model: StepModel, batch: readonly Part[]): Promise<(Float32Array | undefined)[]> {
    if (batch.length === 0) return []
    const logits = await model.forward(batch.map(part => part.input))
    for (const { sequence, input, position } of batch) sequence.ran(input, position)
    const [wanted, vocab] = logits.shape as [number, number]
    if (wanted === 0) return []
    const values = (await model.kernels.read(logits)) as Float32Array
    let row = 0
    return batch.map(({ input }) => {
      if (input.logits === 'none') return undefined
      return values.subarray(row * vocab, ++row * vocab)
    })
  }

  #retire(): void {
    this.#paused = this.#paused.filter(sequence => !sequence.retired())
    const before = this.#running.length
    this.#running = this.#running.filter(sequence => !sequence.retired())
    if (this.#running.length === before) return
    for (const sequence of this.#paused) sequence.resume()
    this.#running.push(...this.#paused.splice(0))
  }
}
