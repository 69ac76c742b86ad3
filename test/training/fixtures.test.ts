/**
 * Losses, gradients and 20 steps of AdamW are those of transformers in float64, as closely as float32 can: no more than three times as far off
 * as the same run in PyTorch's float32. The reference takes minutes for all steps (`npm run nightly -- training`).
 */
import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { AdamW } from '../../src/training/adamw.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { readRun, type TrainingRun, trainingRuns } from './fixtures.ts'

const TIMES = 3
const STEPS_OF_REFERENCE = Number(process.env.LATENTKIT_TRAINING_STEPS ?? 1)
/** One rounding of a loss of 6 in float32, where PyTorch was lucky. */
const ROUNDING = 2.4e-7

type Numbers = ReadonlyMap<string, Float32Array>

async function all(trainer: Trainer, what: 'values' | 'gradient'): Promise<Numbers> {
  const found = new Map<string, Float32Array>()
  for (const parameter of trainer.parameters.all) {
    for (const [name, numbers] of await trainer.read(what, parameter)) found.set(name, numbers)
  }
  return found
}

const sizeOf = (numbers: Float32Array) => numbers.reduce((most, x) => Math.max(most, Math.abs(x)), 0)

/** The largest differences of tensors of these names, as [in numbers, in the tensor's largest number]. */
function farthest(found: Numbers, expected: Numbers, skips: (name: string, index: number) => boolean = () => false) {
  let [difference, relative] = [0, 0]
  for (const [name, numbers] of expected) {
    const size = sizeOf(numbers)
    numbers.forEach((x, i) => {
      if (skips(name, i)) return
      const off = Math.abs((found.get(name)?.[i] ?? Number.NaN) - x)
      difference = Math.max(difference, off)
      relative = Math.max(relative, size === 0 ? off : off / size)
    })
  }
  return { difference, relative }
}

/**
 * Weights that float32 cannot tell: those that the run names, and those whose first gradient is so near 0 that its rounding alone, of a
 * size that PyTorch's has, moves the first step by more than is allowed: the step is rate g / (|g| + eps).
 */
function illConditioned({ expected, gradients }: TrainingRun, allowed: number) {
  const { lr, eps, clip_norm, clip_eps } = expected.adamw
  const clipped = Math.min(1, clip_norm / (expected.grad_norm + clip_eps))
  const sizes = new Map([...gradients].map(([name, numbers]) => [name, clipped * sizeOf(numbers)]))
  const rounding = TIMES * expected.checks.same_run_in_float32.max_gradient_error_relative_by_tensor
  const found = { count: 0 }
  const skips = (name: string, index: number): boolean => {
    const [from, to] = expected.ill_conditioned[name] ?? [0, 0]
    const g = clipped * Math.abs(gradients.get(name)?.[index] ?? 0)
    const moved = (lr * eps * rounding * (sizes.get(name) ?? 0)) / (g + eps) ** 2
    const skipped = (index >= from && index < to) || (g > 0 && moved > allowed)
    if (skipped) found.count++
    return skipped
  }
  return { skips, found }
}

async function train({ model, batches, expected }: TrainingRun, steps: number, kernels: Kernels) {
  const trainer = await Trainer.load(model, kernels)
  const { lr, beta1, beta2, eps, weight_decay: weightDecay, clip_norm, clip_eps } = expected.adamw
  const optimiser = new AdamW(kernels, trainer.parameters.all, { beta1, beta2, eps, weightDecay })
  const losses: number[] = []
  const norms: number[] = []
  const lossOf = async (batch: TrainingRun['batches'][0]) => {
    trainer.clearGradients()
    return trainer.gradients(batch)
  }
  let gradients: Numbers | undefined
  for (const batch of batches.slice(0, steps)) {
    losses.push(await lossOf(batch))
    gradients ??= await all(trainer, 'gradient')
    const norm = await trainer.norm('gradient')
    norms.push(norm)
    await optimiser.step(lr, Math.min(1, clip_norm / (norm + clip_eps)))
  }
  const values = await all(trainer, 'values')
  const last = steps < batches.length ? null : await lossOf(batches[0] as TrainingRun['batches'][0])
  return { losses, norms, gradients: gradients as Numbers, values, last }
}

describe.each(KERNEL_SETS.filter(({ missing }) => !missing))('$name', ({ name, make }) => {
  const steps = name === 'reference' ? STEPS_OF_REFERENCE : 20

  it.each([...trainingRuns()])(
    '%s',
    async (_, folder) => {
      const run = await readRun(folder)
      const { expected } = run
      const off = expected.checks.same_run_in_float32
      const kernels = await make({ training: true })
      const { losses, norms, gradients, values, last } = await train(run, steps, kernels)
      kernels.dispose()

      expect([...gradients.keys()].sort()).toEqual([...run.gradients.keys()].sort())
      expect(Math.abs((losses[0] as number) - expected.loss)).toBeLessThanOrEqual(
        Math.max(ROUNDING, TIMES * off.loss_error),
      )
      const allowed = TIMES * off.max_gradient_error_relative_by_tensor
      expect(farthest(gradients, run.gradients).relative).toBeLessThanOrEqual(allowed)
      const worst = (found: number[], numbers: readonly number[]) =>
        Math.max(...found.map((x, i) => Math.abs(x - (numbers[i] as number))))
      expect(worst(losses, expected.losses)).toBeLessThanOrEqual(TIMES * off.max_loss_error_20_steps)
      const apart = norms.map((norm, i) => Math.abs(norm / (expected.grad_norms[i] as number) - 1))
      expect(Math.max(...apart)).toBeLessThanOrEqual(1e-5)
      if (last === null) return
      expect(Math.abs(last - expected.final_loss_on_batch_0)).toBeLessThanOrEqual(TIMES * off.max_loss_error_20_steps)
      const learned = new Map([...run.final].filter(([name]) => gradients.has(name)))
      const most = TIMES * off.max_final_weight_error
      const { skips, found } = illConditioned(run, most)
      expect(farthest(values, learned, skips).difference).toBeLessThanOrEqual(most)
      expect(found.count).toBeLessThan(0.01 * [...learned.values()].reduce((n, numbers) => n + numbers.length, 0))
    },
    300_000,
  )
})
