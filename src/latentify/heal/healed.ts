/** A latent model that has learned from the original, before it is written. */
import { basename, resolve } from 'node:path'
import { Checkpoint } from '../../checkpoint/checkpoint.ts'
import type { TensorEntry } from '../../checkpoint/tensor-entry.ts'
import { modelOf, type OpenedModel } from '../../model/open/opened-model.ts'
import { fasterFactors, trainingNumerics } from '../../training/run/compute.ts'
import type { Candidate } from '../candidate.ts'
import type { FormOptions, NamedMatrix } from '../form.ts'
import { identityOfText } from '../identity.ts'
import type { Meter } from '../measure.ts'
import type { LatentifyOptions } from '../options.ts'
import { type Original, readingOf } from '../original.ts'
import type { Healing } from '../result.ts'
import { thetaOf } from '../sizes.ts'
import type { WorkFolder } from '../work-folder.ts'
import { heal } from './heal.ts'
import { isSmall } from './parts.ts'
import { samplesOf } from './samples.ts'

const HIDDEN = 0.5

export interface HealingRun {
  readonly original: Original
  readonly candidate: Candidate
  readonly work: WorkFolder
  /** Null: nothing is measured. */
  readonly meter: Meter | null
  /** Of matrices that need not be exact. */
  readonly type: 'f32' | 'bf16'
  /** How much more keys count than their effect says. */
  readonly balance: number
  readonly form: FormOptions
  readonly options: LatentifyOptions
}

export async function healedModel(
  run: HealingRun,
): Promise<{ readonly opened: OpenedModel; readonly healing: Healing }> {
  const { original, candidate, work, meter, type, balance, form, options } = run
  const { signal, onProgress, healSteps: steps = null, heal: seconds = null, healHidden: hidden = HIDDEN } = options
  const { rank, rope } = candidate
  const path = healingText(options)
  const engine = await original.parts()
  const { info } = engine.kernels
  const compute = fasterFactors(info)
  await work.beginHealing({
    ...{ rank, rope, theta: thetaOf(candidate), balance, form, steps, seconds, hidden },
    ...{ text: path === null ? null : await identityOfText(path, 'healText'), samples: options.healSamples ?? null },
    ...{ compute, kernels: trainingNumerics(info, compute) },
  })
  const own = (await original.windows()).others
  const read = path === null ? own : await original.healingWindows(path)
  const { healSamples } = options
  const limit = seconds === null ? null : seconds / 2
  const onTokens = (done: number) =>
    onProgress?.({ stage: 'samples', done, total: healSamples as number, file: 'samples' })
  const { windows, seconds: spent } =
    healSamples === undefined
      ? { windows: read, seconds: 0 }
      : await original.writing(writer =>
          samplesOf({ original: writer, windows: own, tokens: healSamples, limit, work, signal, onTokens }),
        )
  const { progress, tensors } = await heal({
    ...{
      original: engine,
      opened: candidate.opened,
      rank,
      compute,
      windows,
      spent,
      work,
      signal,
      hidden,
      seconds,
      steps,
    },
    onStep: ({ step, planned, kl }) => {
      const last = kl.at(-1)
      onProgress?.({ stage: 'heal', done: step, total: planned, file: 'heal', ...(last !== undefined && { kl: last }) })
    },
  })
  // What healing has taken is on the original's kernels: weights in f32, gradients, moments, activations.
  await original.dispose()
  const opened = await replaced(candidate.opened, tensors, work, type)
  const { step, ...others } = progress
  const measured = meter ? await meter.measure(opened) : null
  const text = healSamples !== undefined ? null : basename(path ?? readingOf(options).calibrate)
  return { opened, healing: { text, steps: step, ...others, measured } }
}

/** Path of a text to learn from; null: the calibration text, or what the original writes. */
export function healingText(options: LatentifyOptions): string | null {
  const { healText } = options
  // Of the text that is calibrated on, windows are held back.
  return healText === undefined || resolve(healText) === resolve(readingOf(options).calibrate) ? null : healText
}

/** The model with these matrices in place of its own. */
async function replaced(
  { checkpoint }: OpenedModel,
  learned: ReadonlyMap<string, Float32Array>,
  work: WorkFolder,
  type: 'f32' | 'bf16',
): Promise<OpenedModel> {
  const tensors = new Map(checkpoint.tensors)
  const byLayer = new Map<number, NamedMatrix[]>()
  for (const [name, values] of learned) {
    const layer = Number(/\.layers\.(\d+)\./.exec(name)?.[1])
    const { shape } = tensors.get(name) as TensorEntry
    byLayer.set(layer, [...(byLayer.get(layer) ?? []), { name, shape, values, exact: isSmall(name) }])
  }
  for (const [layer, named] of byLayer) {
    for (const entry of await work.keepTensors(layer, named, type, 'healed')) tensors.set(entry.name, entry)
  }
  return modelOf(new Checkpoint({ ...checkpoint, tensors }))
}
