/** What products are computed in, and what of a forward pass is kept. */
import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { fasterFactors } from '../../src/training/run/compute.ts'
import { Trainer, type TrainerOptions } from '../../src/training/trainer.ts'
import { mixedModel } from '../nn/mixed-model.ts'

interface Step {
  readonly loss: number
  readonly gradients: readonly Float32Array[]
  /** Of activations and their gradients. */
  readonly bytes: number
}

async function stepOf(kernels: Kernels, options: TrainerOptions, length = 40): Promise<Step> {
  const opened = mixedModel()
  const trainer = await Trainer.load(opened, kernels, options)
  const before = kernels.memory.allocatedBytes
  const tokens = Array.from({ length }, (_, i) => (i * 7) % opened.config.vocabSize)
  const loss = await trainer.gradients([{ tokens, targets: [...tokens.slice(1), -1] }])
  const gradients = await Promise.all(
    trainer.parameters.all.map(async ({ gradient }) => (await kernels.memory.read(gradient)) as Float32Array),
  )
  const bytes = kernels.memory.allocatedBytes - before
  kernels.dispose()
  return { loss, gradients, bytes }
}

/** || a - b || / || b ||, over all numbers. */
function distance(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let [difference, size] = [0, 0]
  for (const [i, numbers] of b.entries()) {
    for (const [j, x] of numbers.entries()) {
      difference += ((a[i] as Float32Array)[j]! - x) ** 2
      size += x ** 2
    }
  }
  return Math.sqrt(difference / size)
}

const native = nativeUnavailable()

describe('layers that are computed again', () => {
  it('give the same bits with less memory', async () => {
    const kept = await stepOf(createReferenceKernels(), {})
    const again = await stepOf(createReferenceKernels(), { recompute: 100 })
    expect(again.loss).toBe(kept.loss)
    expect(again.gradients).toEqual(kept.gradients)
    const some = await stepOf(createReferenceKernels(), { recompute: 1 })
    expect(some.gradients).toEqual(kept.gradients)
  })

  it.skipIf(native)('take a fraction of the memory', async () => {
    const kept = await stepOf(await createNativeKernels({ threads: 1 }), {}, 2000)
    const again = await stepOf(await createNativeKernels({ threads: 1 }), { recompute: 100 }, 2000)
    expect(again.gradients).toEqual(kept.gradients)
    expect(again.bytes).toBeLessThan(0.7 * kept.bytes)
  })
})

describe('factors of bf16', () => {
  it('give gradients that are near those of f32, and not the same', async () => {
    const exact = await stepOf(createReferenceKernels(), {})
    const rounded = await stepOf(createReferenceKernels(), { compute: 'bf16' })
    expect(Math.abs(rounded.loss - exact.loss)).toBeLessThan(0.01)
    expect(distance(rounded.gradients, exact.gradients)).toBeGreaterThan(1e-4)
    expect(distance(rounded.gradients, exact.gradients)).toBeLessThan(0.1)
  })

  it.skipIf(native)(
    'are those of the reference on the core, with the same bits for any number of threads',
    async () => {
      const reference = await stepOf(createReferenceKernels(), { compute: 'bf16' })
      const one = await stepOf(await createNativeKernels({ threads: 1 }), { compute: 'bf16' })
      const three = await stepOf(await createNativeKernels({ threads: 3 }), { compute: 'bf16' })
      expect(three.gradients).toEqual(one.gradients)
      // A sum that ends beside the middle of two numbers of bf16 is rounded the other way.
      expect(distance(one.gradients, reference.gradients)).toBeLessThan(0.01)
    },
  )

  it('are the default where pairs of bf16 are multiplied faster than f32', () => {
    const info = { name: 'native', isa: 'avx512bf16', threads: 1, numerics: '' } as const
    expect(fasterFactors(info, 'AMD EPYC 9575F')).toBe('bf16')
    expect(fasterFactors(info, 'Intel(R) Xeon(R) Processor')).toBe('f32')
    expect(fasterFactors({ ...info, isa: 'amx' }, 'Intel(R) Xeon(R) Processor')).toBe('bf16')
    expect(fasterFactors({ ...info, isa: 'avx2' }, 'AMD EPYC 7763')).toBe('f32')
  })
})
