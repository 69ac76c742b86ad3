import { lazyMatrix } from '../../checkpoint/recode/lazy-matrix.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import { writeAngles } from '../../nn/attention/rope-angles.ts'
import { encodeNumbers } from '../../quant/numbers.ts'

/**
 * Fixed vectors of positions, f32 [positions, size] (arXiv 1706.03762, section 3.5), in the order of Marian: all sines, then all cosines.
 * Number i of both is of the angle position * 10000 ** (-2 i / size).
 */
export function sinusoids(positions: number, size: number): WeightSource {
  const sines = Math.ceil(size / 2)
  const frequencies = Float64Array.from({ length: sines }, (_, i) => 10_000 ** ((-2 * i) / size))
  const shape = { name: 'positions', dtype: 'f32', rows: positions, cols: size } as const
  return lazyMatrix(shape, 'computed', async (start, count) => {
    const rows = new Float32Array(count * size)
    const angles = new Float32Array(2 * sines)
    for (let i = 0; i < count; i++) {
      writeAngles(angles, start + i, { frequencies, factor: 1 })
      rows.set(angles.subarray(sines), i * size)
      rows.set(angles.subarray(0, size - sines), i * size + sines)
    }
    return encodeNumbers('f32', rows)
  })
}
