import { OptionError } from '../../errors.ts'
import type { KernelInfo } from '../../kernels/contract/kernels.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import { predictionIndices } from '../../model/prediction.ts'
import { Batches, textsOf, tooLong } from '../pieces.ts'
import { fasterFactors } from './compute.ts'
import { TrainingError } from './errors.ts'
import { learnsPredictions } from './learned.ts'
import type { OnTheWayOptions, TrainOptions } from './options.ts'
import type { TokenFile } from './texts/token-file.ts'

/** Every setting that decides the run's numbers, and when it is saved. Those are absent that decide nothing beside the others. */
export type Settings = Required<Omit<Given, Conditional>> & Pick<Given, Conditional>

type Conditional =
  | 'validation'
  | 'momentum'
  | 'beta'
  | 'freeze'
  | 'loraRank'
  | 'loraAlpha'
  | 'loraTargets'
  | 'loraRankStabilised'
  | 'predictionWeight'

/** Neither where a run is computed, nor in how much memory, nor what is shown of it decides its numbers. */
export type Given = Omit<
  TrainOptions,
  'tokenFolder' | 'recompute' | 'kernels' | 'threads' | 'signal' | keyof OnTheWayOptions
>

/** Defaults filled in. Throws OptionError and TrainingError for texts that the model cannot learn from. */
export function settle(
  opened: OpenedModel,
  kernels: KernelInfo,
  options: Given,
  documents: TokenFile,
  held: TokenFile | null,
): Settings {
  const { config } = opened
  const { batchTokens = 8192, contextLength = Math.min(512, config.maxPositions) } = options
  if (contextLength > config.maxPositions) {
    throw new OptionError(
      `contextLength is ${contextLength}; this model was made for at most ${config.maxPositions} tokens`,
    )
  }
  const top = Math.max(documents.top, held?.top ?? 0)
  if (top >= config.vocabSize) {
    throw new TrainingError(
      `The tokenizer gives token ${top}, the model has ${config.vocabSize}; they do not belong together`,
    )
  }
  const seed = options.seed ?? 0
  const batches = new Batches(documents, { contextLength, batchTokens, seed })
  const left = tooLong(documents, contextLength)
  if (batches.tokens === 0) {
    const met = left > 0 ? `No chat or pair has at most ${contextLength} tokens` : 'No text has two tokens'
    throw new TrainingError(`${met}; there is nothing to learn`)
  }
  if (held && textsOf(held, contextLength).next().done) {
    throw new TrainingError('No text of the validation has two tokens; there is nothing to measure')
  }
  const { steps = batches.perEpoch } = options
  return {
    ...{ separator: '<|endoftext|>', rate: 1e-3, schedule: 'cosine', lastRate: 0.1 },
    ...{ warmup: Math.min(100, Math.floor(steps / 20)), decay: Math.max(1, Math.round(steps / 5)) },
    ...{ weightDecay: 0.1, beta1: 0.9, beta2: 0.95, clip: 1, smoothing: 0, zLoss: 0 },
    ...{ saveEvery: 200, validateEvery: 100, keep: 2 },
    ...{ ...UNSAID, ...unsaidBeside(options), compute: fasterFactors(kernels) },
    // Runs that began before modules were learned have no state of them.
    ...(learnsPredictions(options) && predictionIndices(opened).length > 0 && { predictionWeight: 0.3 }),
    ...options,
    ...{ batchTokens, contextLength, steps, seed },
  }
}

/** What runs did that wrote down only what they were given. These stay; another default goes into `settle`, behind them. */
const UNSAID = {
  microTokens: 2048,
  compute: 'f32',
  optimiser: 'adamw',
  balanceRate: 0,
  sequenceBalance: 0,
  dpo: false,
} as const

/** The same of settings that decide something beside others only. */
function unsaidBeside({ optimiser, dpo, loraRank }: Partial<Given>): Partial<Given> {
  return {
    ...(optimiser === 'muon' && { momentum: 0.95 }),
    ...(dpo && { beta: 0.1 }),
    ...(loraRank !== undefined && { loraAlpha: 2 * loraRank, loraRankStabilised: false }),
  }
}

/** The settings of a run as it wrote them down, with those that it did not. */
export function completed(written: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return { ...UNSAID, ...unsaidBeside(written), ...written }
}
