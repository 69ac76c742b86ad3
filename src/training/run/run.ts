import type { Kernels } from '../../kernels/contract/kernels.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import { imbalanceOf } from '../balance.ts'
import { createOptimiser } from '../create-optimiser.ts'
import type { Optimiser } from '../optimiser.ts'
import { textsOfPair } from '../pairs.ts'
import { Batches, type Documents, type NumberedDocument, textsOf, tooLong, wholeDocuments } from '../pieces.ts'
import { rateAt, type ScheduleOptions } from '../schedule.ts'
import type { Trainer } from '../trainer.ts'
import type { TrainingText } from '../training-texts.ts'
import { TrainingError } from './errors.ts'
import type { TrainingEvent } from './events.ts'
import type { OnTheWay } from './on-the-way.ts'
import { measurePeak } from './peak.ts'
import { Preferring } from './preferring.ts'
import type { Progress, RunFolder } from './run-folder.ts'
import type { Settings } from './settings.ts'
import { writeLearned } from './write-checkpoint.ts'

/** The model that a run began with. */
export interface Base {
  readonly opened: OpenedModel
  /** Its path. */
  readonly source: string
}

/** A run on its way: steps, validations, samples and checkpoints. */
export class Run {
  readonly #folder: RunFolder
  readonly #base: Base
  readonly #trainer: Trainer
  readonly #kernels: Kernels
  readonly #settings: Settings
  readonly #batches: Batches
  readonly #documents: Documents
  /** Of the validation. */
  readonly #held: Documents | null
  readonly #optimiser: Optimiser
  readonly #onTheWay: OnTheWay
  /** Null: texts are learned. */
  readonly #preferring: Preferring | null
  #peak: number | null = null
  #progress: Progress = { step: 0, best: null }

  constructor(
    folder: RunFolder,
    base: Base,
    trainer: Trainer,
    kernels: Kernels,
    settings: Settings,
    documents: Documents,
    held: Documents | null,
    onTheWay: OnTheWay,
  ) {
    this.#folder = folder
    this.#base = base
    this.#trainer = trainer
    this.#kernels = kernels
    this.#settings = settings
    this.#documents = documents
    this.#held = held
    this.#onTheWay = onTheWay
    this.#batches = new Batches(documents, settings)
    this.#optimiser = createOptimiser(kernels, trainer.parameters.all, settings)
    const { beta, microTokens } = settings
    this.#preferring = beta === undefined ? null : new Preferring(trainer, beta, microTokens)
  }

  async *steps(signal: AbortSignal | undefined): AsyncGenerator<TrainingEvent, void, void> {
    const { steps, saveEvery, validateEvery, contextLength } = this.#settings
    await this.#preferring?.prepare(wholeDocuments(this.#documents, contextLength), signal)
    await this.#preferring?.prepare(this.#heldPairs(), signal)
    await this.#goOn()
    this.#peak = await measurePeak(this.#kernels, this.#settings.compute)
    let saved = this.#progress.step
    const { name, isa, threads } = this.#kernels.info
    yield {
      type: 'begin',
      parameters: this.#trainer.parameters.count,
      step: this.#progress.step,
      steps,
      documents: this.#documents.count,
      tokens: this.#batches.tokens,
      tooLong: tooLong(this.#documents, contextLength),
      kernels: name,
      isa,
      threads,
      compute: this.#settings.compute,
      peak: this.#peak,
    }
    for (let step = this.#progress.step + 1; step <= steps; step++) {
      if (signal?.aborted && saved < this.#progress.step) {
        yield { type: 'saved', step: this.#progress.step, folder: await this.#save() }
      }
      signal?.throwIfAborted()
      const taken = await this.#step(step)
      await this.#folder.log(taken)
      yield { type: 'step', ...taken }
      this.#progress = { ...this.#progress, step }
      if (this.#held && (step % validateEvery === 0 || step === steps)) {
        const preferred = await this.#preferring?.measure(this.#heldPairs())
        const loss = preferred?.loss ?? (await this.#validate(this.#held))
        const more = preferred ? { accuracy: preferred.accuracy, margin: preferred.margin } : {}
        await this.#folder.log({ step, validation: loss, ...more })
        const { best } = this.#progress
        if (!best || loss < best.loss) this.#progress = { step, best: { step, loss } }
        yield { type: 'validation', step, loss, ...more }
      }
      for await (const event of this.#onTheWay.after(step, step === steps)) {
        const { type, ...line } = event
        await this.#folder.log(line)
        yield event
      }
      const isBest = this.#progress.best?.step === step
      if (step % saveEvery !== 0 && step !== steps && !isBest) continue
      yield { type: 'saved', step, folder: await this.#save() }
      saved = step
    }
  }

  async #step(step: number) {
    const begun = performance.now()
    const { clip, smoothing, zLoss, microTokens } = this.#settings
    const { balanceRate, sequenceBalance, predictionWeight = 0 } = this.#settings
    const trainer = this.#trainer
    const pairs = this.#preferring && this.#batches.nextDocuments()
    const texts = pairs ? pairs.flatMap(({ document }) => textsOfPair(document)) : this.#batches.next()
    const mean = texts.reduce((n, { targets }) => n + targetsOf(targets), 0)
    trainer.clearGradients()
    const preferred = pairs && this.#preferring && (await this.#preferring.gradients(pairs))
    let loss = preferred?.loss ?? 0
    if (!preferred) {
      for (const part of partsOf(texts, microTokens)) {
        loss += await trainer.gradients(part, { mean, smoothing, zLoss, sequenceBalance, predictionWeight })
      }
    }
    const gradientNorm = await trainer.norm('gradient')
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      throw await this.#diverged(`The loss of step ${step} is ${loss}, its gradients' norm ${gradientNorm}`)
    }
    const rate = rateAt(step, this.#settings satisfies ScheduleOptions)
    await this.#optimiser.step(rate, Math.min(1, clip / (gradientNorm + 1e-6)))
    const { loads } = trainer.experts
    const { predictionLoss } = trainer
    await trainer.experts.balance(balanceRate)
    const tokens = texts.reduce((n, text) => n + text.tokens.length, 0)
    const seconds = (performance.now() - begun) / 1000
    const lengths = texts.map(text => text.tokens.length)
    const flops = trainer.flops(lengths, predictionWeight > 0)
    const share = this.#peak === null ? null : flops / seconds / this.#peak
    const further = predictionLoss === null ? {} : { predictionLoss }
    const more = preferred
      ? { accuracy: preferred.accuracy, margin: preferred.margin }
      : { ...loadsLine(loads), ...further }
    return { step, loss, gradientNorm, rate, epoch: this.#batches.epoch, tokens, seconds, share, ...more }
  }

  async #diverged(met: string): Promise<TrainingError> {
    const last = (await this.#folder.checkpoints()).at(-1)
    const kept =
      last === undefined ? 'no checkpoint was made' : `${this.#folder.checkpoint(last)} is the last checkpoint`
    return new TrainingError(`${met}; take a lower rate. ${kept}`)
  }

  /** Of the validation, numbered on from those that are learned. */
  *#heldPairs(): Generator<NumberedDocument, void, void> {
    if (!this.#held) return
    for (const { index, document } of wholeDocuments(this.#held, this.#settings.contextLength)) {
      yield { index: this.#documents.count + index, document }
    }
  }

  /** The mean loss of the validation's texts. */
  async #validate(held: Documents): Promise<number> {
    const { contextLength, microTokens } = this.#settings
    let [sum, count] = [0, 0]
    for (const part of partsOf(textsOf(held, contextLength), microTokens)) {
      const targets = part.reduce((n, text) => n + targetsOf(text.targets), 0)
      sum += targets * (await this.#trainer.loss(part))
      count += targets
    }
    return sum / count
  }

  async #numbers(): Promise<Map<string, Float32Array>> {
    const { parameters, experts } = this.#trainer
    const parts = [await parameters.numbers(), await this.#optimiser.numbers(), await experts.numbers()]
    return new Map(parts.flatMap(part => [...part]))
  }

  async #save(): Promise<string> {
    const { keep } = this.#settings
    // An update may lead out of f32 though loss and gradients before it were numbers.
    if (!Number.isFinite(await this.#trainer.norm('values'))) {
      throw await this.#diverged(`The weights after step ${this.#progress.step} are beyond f32`)
    }
    const state = await this.#numbers()
    const { opened, source } = this.#base
    const write = (folder: string) => writeLearned(this.#trainer, opened, source, folder)
    const folder = await this.#folder.save(this.#progress, write, state)
    await this.#folder.prune(keep, this.#progress.best?.step)
    return folder
  }

  /** Takes up the run after its last checkpoint. */
  async #goOn(): Promise<void> {
    const last = await this.#folder.last()
    if (last) {
      const { progress, state } = last
      try {
        this.#trainer.parameters.restore(state)
        this.#optimiser.restore(state, progress.step)
        this.#trainer.experts.restore(state)
      } catch (error) {
        throw this.#folder.damaged(progress.step, error)
      }
      this.#progress = progress
      this.#batches.skip(progress.step)
    }
    await this.#folder.cutLog(this.#progress.step)
  }
}

/** Texts that are computed at a time: of at most so many tokens, or one. */
function* partsOf(texts: Iterable<TrainingText>, most: number): Generator<TrainingText[], void, void> {
  let part: TrainingText[] = []
  let tokens = 0
  for (const next of texts) {
    if (part.length > 0 && tokens + next.tokens.length > most) {
      yield part
      part = []
      tokens = 0
    }
    part.push(next)
    tokens += next.tokens.length
  }
  if (part.length > 0) yield part
}

function targetsOf(targets: ArrayLike<number>): number {
  let count = 0
  for (let i = 0; i < targets.length; i++) if ((targets[i] as number) >= 0) count++
  return count
}

/** Loads of experts for the log; nothing for a model without. */
function loadsLine(loads: readonly Int32Array[]) {
  if (loads.length === 0) return {}
  const imbalance = loads.reduce((sum, layer) => sum + imbalanceOf(layer), 0) / loads.length
  return { imbalance, loads: loads.map(layer => Array.from(layer)) }
}
