import { OptionError } from '../errors.ts'
import { ropeFrequencies } from '../nn/attention/rope.ts'
import { writeAngles } from '../nn/attention/rope-angles.ts'
import { above, flag, type OptionTable, whole } from '../options/kinds.ts'
import { readOptions } from '../options/read-options.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { expectShape } from './shapes.ts'
import type { Workbench } from './workbench.ts'

/** Options of `rotate`. */
export interface RotateOptions {
  /** Base of the angles. Default 10000. */
  readonly theta?: number
  /** Numbers of a head that are rotated, from the first on; even. Default: all. */
  readonly dim?: number
  /** Pairs (2i, 2i + 1), as DeepSeek's; else (i, i + half), as Llama's. Default true. */
  readonly interleaved?: boolean
}

const OPTIONS = {
  theta: { kind: above(0), description: 'base of the angles' },
  dim: { kind: whole(2), description: 'numbers of a head that are rotated' },
  interleaved: { kind: flag, description: 'pairs (2i, 2i + 1)' },
} satisfies OptionTable<RotateOptions>

/**
 * Rotary positions (RoFormer, arXiv 2104.09864, eq. 34): pair i of heads x [T, H, n] is rotated by position * theta^(-2i / dim). `positions`: one
 * for each of the T tokens. Throws OptionError.
 */
export function rotate(bench: Workbench, x: Tensor, positions: ArrayLike<number>, given: RotateOptions = {}): Tensor {
  const [T, , n] = expectShape('x', x, [
    ['T', null],
    ['H', null],
    ['n', null],
  ]) as [number, number, number]
  const { theta = 10000, dim = n, interleaved = true } = readOptions<RotateOptions>(OPTIONS, 'rotate', given)
  if (dim > n || dim % 2 !== 0)
    throw new OptionError(`dim is ${dim}; expected an even number up to ${n}, a head's numbers`)
  if (positions.length !== T)
    throw new OptionError(`positions has ${positions.length} entries; expected ${T}, one for each token`)
  const frequencies = ropeFrequencies({ dim, theta, interleaved, scaling: { kind: 'none' } })
  const angles = new Float32Array(T * dim)
  for (let t = 0; t < T; t++) writeAngles(angles, positions[t] as number, frequencies, t * dim)
  const rotated = bench.scratch.take(x.shape)
  bench.ops.rope(rotated, x, bench.tensor(angles, [T, dim]), interleaved)
  return rotated
}
