import type { KernelMemory } from '../../kernels/contract/memory.ts'
import type { Model } from '../../model/model.ts'
import { wantedLogits } from '../../nn/step.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { Signs } from '../types/signs.ts'
import type { Outbox } from '../wire/outbox.ts'
import { arbitrate, type MemoryClaim, type MemoryDecision, type OuterMemory } from './memory-arbiter.ts'
import { Pace } from './pace.ts'
import { Patience } from './patience.ts'
import { type Demand, schedule } from './scheduler.ts'
import type { Part, Sequence } from './sequence.ts'

/** What the loop needs of a model. `forward` is never called while another call is under way. */
export type StepModel = Pick<Model, 'forward' | 'forwardStates'> & {
  readonly kernels: { readonly memory: Pick<KernelMemory, 'read'> }
}

export interface LoopOptions {
  readonly model: StepModel
  /** Most tokens of one step. */
  readonly chunkSize: number
  /** Most tokens of a step that a prompt has for itself. */
  readonly aloneSize: number
  readonly outbox: Outbox
  /** Lets messages in between two steps. */
  readonly pause: () => Promise<void>
  /** Where it shows that the model computes. Default: nowhere. */
  readonly signs?: Pick<Signs, 'computing'>
  /** What a full cache may take or wait for before sequences give way. Default: nothing. */
  readonly memory?: OuterMemory
  readonly now: () => number
  /** Whether it may block for a moment, for masks of texts. Default false. */
  readonly mayBlock?: boolean
}

/** Milliseconds after which messages are let in: a small model's step is too short to do so after each. */
const PAUSE_AFTER = 4

/** Milliseconds until it is looked again whether something can run. */
const ARRIVAL_MS = 5

/** Milliseconds until it is looked again for memory that is coming back. */
const RELEASE_MS = 20

/**
 * Thrown between operations to abandon a step that reads prompts: sequences have ended, or a newcomer would wait too long. Nothing is
 * committed.
 */
class GivenUp extends Error {}

const NO_MEMORY: OuterMemory = { idle: () => [], releasing: () => null }
/** Of somebody outside of the loop. */
const LONE_CLAIM: MemoryClaim = { priority: 0, waits: true, holds: false, yielded: false }

/** Runs all sequences that have work, together, step by step. */
export class StepLoop {
  readonly #options: LoopOptions
  readonly #memory: OuterMemory
  readonly #signs: Pick<Signs, 'computing'>
  /** How long it blocks for masks of texts. */
  readonly patience: Patience
  readonly #pace = new Pace()
  #running: Sequence[] = []
  /** Without memory until another has ended; in order of arrival. */
  #paused: Sequence[] = []
  /** Gave their memory up for others. */
  readonly #yielded = new WeakSet<Sequence>()
  #active: Promise<void> | null = null
  #turn: Promise<unknown> = Promise.resolve()
  /** When messages were let in. */
  #letIn = 0
  /** What the last step's logits were read into; a longer one takes its place. */
  #logits = new Float32Array(0)
  /** The same of its states, where somebody reads them. */
  #states = new Float32Array(0)

  constructor(options: LoopOptions) {
    this.#options = options
    this.#memory = options.memory ?? NO_MEMORY
    this.#signs = options.signs ?? { computing: false }
    this.patience = new Patience(options.mayBlock ?? false, options.now)
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

  /** Runs what only the model is asked for: it takes its time, and always comes to an end. */
  async computed<T>(work: () => Promise<T>): Promise<T> {
    this.#signs.computing = true
    try {
      return await work()
    } finally {
      this.#signs.computing = false
    }
  }

  /** For somebody outside of the loop who finds no room: true when there may be some now, false if none can be made. */
  async makeRoom(): Promise<boolean> {
    const decision = this.#arbitrate([LONE_CLAIM], false)
    if (decision.kind === 'await') await this.#released()
    return decision.kind !== 'fail'
  }

  /** Resolves when no sequence is left. */
  async idle(): Promise<void> {
    await this.#active
  }

  async #run(): Promise<void> {
    this.#letIn = this.#options.now()
    while (this.#running.length > 0) {
      await this.exclusive(() => this.step())
      await this.#letMessagesIn()
    }
    this.#active = null
  }

  async #letMessagesIn(): Promise<void> {
    const { pause, now } = this.#options
    if (now() - this.#letIn < PAUSE_AFTER) return
    const { computing } = this.#signs
    this.#signs.computing = false
    await pause()
    this.#signs.computing = computing
    this.#letIn = now()
  }

  /** One token of every text and a piece of every prompt: schedule, run, sample, emit. */
  async step(): Promise<void> {
    const { outbox, now } = this.#options
    this.#retire()
    for (const sequence of this.#running) {
      const preparing = sequence.prepare()
      if (preparing) await this.computed(() => preparing)
    }
    const began = now()
    const batch = await this.#schedule()
    if (batch.length === 0) await this.#arrival()
    const reads = batch.some(({ input }) => input.prompt !== null)
    // A long step must not hold back what is already written.
    if (reads) outbox.flush()
    try {
      const rows = await this.#forward(batch)
      const ms = now() - began
      if (reads) this.#pace.learn(tokensOf(batch), ms)
      for (const [i, part] of batch.entries()) {
        const { logits, states } = rows[i] as Ran
        part.sequence.ran(part, logits, reads ? null : ms, states)
      }
    } catch (error) {
      if (!(error instanceof GivenUp)) for (const { sequence } of batch) sequence.fail(error)
    }
    outbox.flushIfDue()
    this.#retire()
  }

  /** Nothing can run: waits for what sequences wait for, briefly, as others may come meanwhile. */
  async #arrival(): Promise<void> {
    const arriving = this.#running.map(sequence => sequence.arriving()).filter(arrival => arrival !== null)
    if (arriving.length === 0) return
    this.#options.outbox.flush()
    await firstOf(arriving, ARRIVAL_MS)
  }

  async #schedule(): Promise<readonly Part[]> {
    const running = this.#running
    const demands = running.map(sequence => sequence.demand)
    const grants = schedule(demands, this.#budget(demands))
    const sequenceAt = (index: number) => running[index] as Sequence
    // All at once: what a draft model guesses for several texts it computes together.
    const drafts = grants.some(({ draftTokens }) => draftTokens > 0)
      ? await this.computed(() =>
          Promise.all(grants.map(({ index, draftTokens }) => sequenceAt(index).propose(draftTokens))),
        )
      : []
    const parts = grants.map(({ index, count }, i) => this.#part(sequenceAt(index), count, drafts[i] ?? []))
    const ready = await this.#relieve(parts.filter(part => part !== null))
    if (ready.length < this.#running.length) {
      const served = new Set(ready.map(({ sequence }) => sequence))
      for (const sequence of this.#running) if (!served.has(sequence)) sequence.passedOver()
    }
    return ready
  }

  /**
   * A prompt up-projects the keys before it once a step: the fewer steps, the better. Others would wait too long, texts above
   * all.
   */
  #budget(demands: readonly Demand[]): number {
    const { chunkSize, aloneSize } = this.#options
    // A text whose mask is late has nothing to run now, and waits for the end of the step all the same.
    const texts = demands.filter(({ promptLeft }) => promptLeft === 0)
    if (texts.length === demands.length) return chunkSize
    if (texts.length === 0) return demands.length === 1 ? aloneSize : chunkSize
    const pending = texts.reduce((sum, text) => sum + text.pending, 0)
    return Math.min(chunkSize, pending + this.#pace.tokensBesideTexts())
  }

  /** Acts on sequences that found no room. Returns the parts that are left. */
  async #relieve(ready: readonly Part[]): Promise<readonly Part[]> {
    if (!this.#running.some(sequence => sequence.waitsForRoom)) return ready
    const decision = this.#arbitrate(this.#claims(), ready.length > 0)
    if (decision.kind === 'await') await this.#released()
    if (decision.kind !== 'pause' && decision.kind !== 'fail') return ready
    const victim = this.#running[decision.sequence] as Sequence
    if (decision.kind === 'fail') {
      victim.giveUp()
      return ready
    }
    this.#yielded.add(victim)
    victim.pause()
    this.#running = this.#running.filter(sequence => sequence !== victim)
    this.#paused.unshift(victim)
    return ready.filter(({ sequence }) => sequence !== victim)
  }

  /** Waits for memory, briefly: it comes back bit by bit, sequences may end meanwhile, and a disk that hangs must not hold up all. */
  async #released(): Promise<void> {
    await firstOf([this.#memory.releasing()], RELEASE_MS)
  }

  #part(sequence: Sequence, count: number, draft: readonly number[]): Part | null {
    let part = sequence.part(count, draft)
    while (!part && sequence.waitsForRoom && this.#arbitrate(this.#claims(), true).kind === 'evict') {
      part = sequence.part(count, [])
    }
    return part
  }

  #claims(): MemoryClaim[] {
    return this.#running.map(sequence => ({
      priority: sequence.priority,
      waits: sequence.waitsForRoom,
      holds: sequence.holdsMemory,
      yielded: this.#yielded.has(sequence),
    }))
  }

  /** The decision; an idle session that is to give its rows up has done so. */
  #arbitrate(sequences: readonly MemoryClaim[], progresses: boolean): MemoryDecision {
    const idle = this.#memory.idle()
    const facts = { sequences, progresses, idle: idle.map(({ lastUsed }) => lastUsed) }
    const decision = arbitrate({ ...facts, releasing: this.#memory.releasing() !== null })
    if (decision.kind === 'evict') idle[decision.session]?.park()
    return decision
  }

  /** What the parts want, by part; valid until the next step. */
  async #forward(batch: readonly Part[]): Promise<Ran[]> {
    const { model } = this.#options
    if (batch.length === 0) return []
    const inputs = batch.map(part => part.input)
    const reads = inputs.some(({ prompt }) => prompt !== null)
    const between = reads ? (done: number) => this.#between(batch, done) : undefined
    const withStates = batch.some(({ sequence }) => sequence.wantsStates)
    const { logits, states } = await this.computed(async () =>
      withStates
        ? model.forwardStates(inputs, between)
        : { logits: await model.forward(inputs, undefined, between), states: null },
    )
    const [wanted, vocab] = logits.shape as [number, number]
    if (this.#logits.length < wanted * vocab) this.#logits = new Float32Array(wanted * vocab)
    const values = this.#logits.subarray(0, wanted * vocab)
    if (wanted > 0) await model.kernels.memory.read(logits, values)
    const read = states && (await this.#readStates(states))
    let row = 0
    let token = 0
    return batch.map(({ input, sequence }) => {
      const own = Array.from({ length: wantedLogits(input) }, () => values.subarray(row * vocab, ++row * vocab))
      const first = token
      token += input.tokens.length
      return { logits: own, states: read && sequence.wantsStates ? read(first, token) : null }
    })
  }

  /** States of a step, by the tokens from .. to. */
  async #readStates(states: Tensor): Promise<(from: number, to: number) => Float32Array> {
    const [T, D] = states.shape as [number, number]
    if (this.#states.length < T * D) this.#states = new Float32Array(T * D)
    const values = this.#states.subarray(0, T * D)
    await this.#options.model.kernels.memory.read(states, values)
    return (from, to) => values.subarray(from * D, to * D)
  }

  /**
   * Between two layers of a step that reads prompts, and within one that takes long. It is given up when sequences have ended and
   * the others are computed anew sooner than the step ends, and when somebody came who would wait longer for its end than
   * for a usual step.
   */
  async #between(batch: readonly Part[], done: number): Promise<void> {
    await this.#letMessagesIn()
    const left = tokensOf(batch) * (1 - done)
    const living = batch.filter(({ sequence }) => !sequence.hasEnded)
    const ended = living.length < batch.length && tokensOf(living) < left
    const keepsWaiting = left > this.#options.chunkSize && this.#running.length > batch.length
    if (keepsWaiting || ended) throw new GivenUp()
    for (const part of batch) part.sequence.reportReading(part, done)
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

/** What a step made of a part. */
interface Ran {
  /** Each [vocab], of the tokens that wanted them. */
  readonly logits: Float32Array[]
  /** [tokens, D]; null: the sequence does not read them. */
  readonly states: Float32Array | null
}

/** Waits for the first of these, at most `ms`. */
async function firstOf(awaited: readonly (Promise<unknown> | null)[], ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise(resolve => {
    timer = setTimeout(resolve, ms)
  })
  try {
    await Promise.race([late, ...awaited])
  } finally {
    clearTimeout(timer)
  }
}

function tokensOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { input }) => sum + input.tokens.length, 0)
}
