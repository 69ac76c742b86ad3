/**
 * Healing: the latent model learns the original's distributions and streams on texts (`src/training/distil.ts`). Only the matrices of its attention learn; the
 * norms of latents stay the constants that they are, and the rows that make them so learn at a rate of their size.
 */
import type { Parts as Engine } from '../../engine/load/load-parts.ts'
import type { Factors } from '../../kernels/contract/operation-options.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import { Distillation } from '../../training/distil.ts'
import { Batches, type Documents } from '../../training/pieces.ts'
import { TrainingError } from '../../training/run/errors.ts'
import { rateAt } from '../../training/schedule.ts'
import { Trainer } from '../../training/trainer.ts'
import type { WorkFolder } from '../work-folder.ts'
import { learns, Parts } from './parts.ts'
import { type HealProgress, keepProgress, readProgress } from './progress.ts'
import { plannedSteps, SAVE_EVERY } from './time.ts'

/** Of each matrix divided by its root mean square. */
const RATE = 3e-3
const CLIP = 1
const [WARMUP, LAST_RATE] = [8, 0.05]
/** Texts of a step. */
const TEXTS = 2
/** Steps whose time, with that of a checkpoint, says how many fit into the budget; the first does not count, which fetches memory. */
const TIMED = 4

export interface HealOptions {
  /** Of the streams' relative error, beside KL. */
  readonly hidden: number
  /** That steps and checkpoints may take; null: as long as `steps` take. */
  readonly seconds: number | null
  /** Null: as many as fit into the time. */
  readonly steps: number | null
}

export interface HealRun extends HealOptions {
  /** The original, on kernels of training. */
  readonly original: Engine
  /** The latent model. */
  readonly opened: OpenedModel
  /** Numbers of its latent. */
  readonly rank: number
  /** Factors of products. */
  readonly compute: Factors
  readonly windows: readonly Int32Array[]
  /** That the windows took to write. */
  readonly spent: number
  readonly work: WorkFolder
  readonly signal?: AbortSignal | undefined
  readonly onStep: (progress: HealProgress) => void
}

/** What was learned. */
export interface Healed {
  readonly progress: HealProgress
  /** By name: matrices of the latent model as they are now. */
  readonly tensors: ReadonlyMap<string, Float32Array>
}

/**
 * Goes on after what the work folder keeps. With a number of steps, one that was interrupted ends with the same bits as one that was not. Throws TrainingError where
 * the loss is no number, and the signal's reason, with all steps so far kept.
 */
export async function heal(run: HealRun): Promise<Healed> {
  const { original, opened, compute, windows, work, signal, onStep } = run
  const { kernels, model } = original
  const trainer = await Trainer.load(opened, kernels, { learns, predictions: false, compute })
  const parts = await Parts.of(kernels, trainer.parameters, run.rank)
  const distillation = new Distillation(trainer, kernels, model.decoder, run.hidden)
  const size = (windows[0] as Int32Array).length - 1
  const batches = new Batches(documentsOf(windows), { contextLength: size, batchTokens: TEXTS * size, seed: 0 })
  const kept = await readProgress(work)
  if (kept) {
    parts.restore(kept.learned, kept.progress.step)
    batches.skip(kept.progress.step)
  }
  let progress = kept?.progress ?? { step: 0, planned: run.steps ?? 0, seconds: run.spent, tokens: 0, kl: [] }
  let savedAt = progress.seconds
  let saved = progress.step
  const save = async () => {
    if (saved === progress.step) return 0
    const begun = performance.now()
    await keepProgress(work, progress, await parts.numbers())
    saved = progress.step
    const took = (performance.now() - begun) / 1000
    progress = { ...progress, seconds: progress.seconds + took }
    savedAt = progress.seconds
    return took
  }
  const timing = { step: progress.step, seconds: 0 }
  onStep(progress)
  while (goesOn(progress, run)) {
    if (signal?.aborted) await save()
    signal?.throwIfAborted()
    const begun = performance.now()
    const texts = batches.next()
    const tokens = texts.reduce((n, text) => n + text.tokens.length, 0)
    trainer.clearGradients()
    let kl = 0
    for (const text of texts) kl += (await distillation.gradients([text], tokens)).kl / tokens
    const norm = await parts.norm()
    const step = progress.step + 1
    if (!Number.isFinite(kl) || !Number.isFinite(norm)) throw diverged(step, kl, norm)
    const schedule = { schedule: 'linear', rate: RATE, lastRate: LAST_RATE, warmup: warmupOf(run), decay: 1 } as const
    const rate = rateAt(step, { ...schedule, steps: progress.planned || Number.MAX_SAFE_INTEGER })
    await parts.step(rate, Math.min(1, CLIP / (norm + 1e-6)))
    const seconds = (performance.now() - begun) / 1000
    if (step > timing.step + 1) timing.seconds += seconds
    progress = {
      ...{ step, planned: progress.planned, seconds: progress.seconds + seconds },
      ...{ tokens: progress.tokens + tokens, kl: [...progress.kl, Math.fround(kl)] },
    }
    if (progress.planned === 0 && step - timing.step === TIMED) {
      // A disk without room for checkpoints shows it now.
      const saving = await save()
      const timed = { budget: run.seconds as number, each: timing.seconds / (TIMED - 1), saving }
      progress = { ...progress, planned: plannedSteps(progress, timed) }
    }
    if (progress.seconds - savedAt >= SAVE_EVERY) await save()
    onStep(progress)
  }
  if (progress.step === 0) {
    throw new TrainingError('The time of healing was over before its first step; give it more, or fewer samples')
  }
  await save()
  const tensors = new Map<string, Float32Array>()
  for (const parameter of trainer.parameters.all) {
    for (const [name, numbers] of await trainer.read('values', parameter)) tensors.set(name, numbers)
  }
  return { progress, tensors }
}

function goesOn({ step, planned, seconds: spent }: HealProgress, { seconds }: HealOptions): boolean {
  return (planned === 0 || step < planned) && (seconds === null || spent < seconds)
}

/** Where few steps were asked for, most of them are to learn. */
function warmupOf({ steps }: HealOptions): number {
  return steps === null ? WARMUP : Math.max(1, Math.min(WARMUP, Math.floor(steps / 4)))
}

function diverged(step: number, kl: number, norm: number): TrainingError {
  return new TrainingError(
    `In step ${step} of healing KL is ${kl}, the norm of its gradients ${norm}; take another text, or leave heal out`,
  )
}

function documentsOf(windows: readonly Int32Array[]): Documents {
  const at = (index: number) => windows[index] as Int32Array
  return {
    count: windows.length,
    shape: index => ({ length: at(index).length, marked: false }),
    read: (index, from, to) => ({ tokens: at(index).subarray(from, to) }),
  }
}
