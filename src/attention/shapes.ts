/** Shapes as callers give them, checked by name: kernels would report operations, which callers do not see. */
import { OptionError } from '../errors.ts'
import { show } from '../options/show.ts'
import type { DType } from '../tensor/dtype.ts'
import { elementCount, type Tensor } from '../tensor/tensor.ts'

/** One axis: its letter or name, and its size; null: any. */
export type Axis = readonly [name: string, size: number | null]

/** The sizes of a tensor whose shape is this one. Throws OptionError. */
export function expectShape(name: string, tensor: Tensor, axes: readonly Axis[], dtype: DType = 'f32'): number[] {
  const shape: unknown = (tensor as Partial<Tensor> | null | undefined)?.shape
  const named = ([axis, size]: Axis) => (size === null ? axis : /^\d/.test(axis) ? size : `${axis} = ${size}`)
  const expected = axes.map(named).join(', ')
  if (!Array.isArray(shape)) {
    throw new OptionError(`${name} is ${show(tensor)}; expected a tensor [${expected}], as workbench.tensor() makes it`)
  }
  const fits = shape.length === axes.length && axes.every(([, size], i) => size === null || shape[i] === size)
  if (!fits || tensor.dtype !== dtype) {
    const met = `${tensor.dtype === dtype ? '' : `${tensor.dtype} `}[${shape.join(', ')}]`
    throw new OptionError(`${name} is ${met}; expected ${dtype === 'f32' ? '' : `${dtype} `}[${expected}]`)
  }
  return [...shape]
}

/** Numbers of a caller, as many as are expected, as f32. Throws OptionError. */
export function expectNumbers(name: string, numbers: ArrayLike<number>, shape: readonly number[]): Float32Array {
  const expected = elementCount(shape)
  const met: unknown = (numbers as Partial<ArrayLike<number>> | null | undefined)?.length
  if (met !== expected) {
    const has = typeof met === 'number' ? `has ${met} numbers` : `is ${show(numbers)}`
    throw new OptionError(`${name} ${has}; expected ${expected}, for [${shape.join(', ')}]`)
  }
  return numbers instanceof Float32Array ? numbers : Float32Array.from(numbers)
}
