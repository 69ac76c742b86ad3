/** Cheap checks of arguments: they allocate nothing unless they fail, then throw the contract's RangeError. */
import type { DType } from '../../tensor/dtype.ts'
import { isContiguous, type Tensor } from '../../tensor/tensor.ts'

export function fail(what: string, met: string, expected: string): never {
  throw new RangeError(`${what} is ${met}, expected ${expected}`)
}

function describe(tensor: Tensor): string {
  return `${tensor.dtype} [${tensor.shape.join(', ')}] with strides [${tensor.strides.join(', ')}]`
}

export function expect(what: string, condition: boolean, expected: string): void {
  if (!condition) throw new RangeError(`${what}: expected ${expected}`)
}

export function axisOf(tensor: Tensor, axis: number): number {
  return tensor.shape[axis] as number
}

/** Size of the last axis. */
export function lastAxis(tensor: Tensor): number {
  return tensor.shape[tensor.shape.length - 1] as number
}

function isInner(tensor: Tensor): boolean {
  const last = tensor.shape.length - 1
  return last < 0 || tensor.strides[last] === 1 || (tensor.shape[last] as number) <= 1
}

/** Type and shape; every axis but the last may have any stride. */
export function expectStrided(what: string, tensor: Tensor, dtype: DType, a: number, b?: number, c?: number): void {
  const { shape } = tensor
  const rank = b === undefined ? 1 : c === undefined ? 2 : 3
  if (
    tensor.dtype !== dtype ||
    shape.length !== rank ||
    shape[0] !== a ||
    (rank > 1 && shape[1] !== b) ||
    (rank > 2 && shape[2] !== c) ||
    !isInner(tensor)
  ) {
    fail(what, describe(tensor), `${dtype} [${[a, b, c].slice(0, rank).join(', ')}] with inner stride 1`)
  }
}

/** Type, shape and strides of contiguous rows. */
export function expectDense(what: string, tensor: Tensor, dtype: DType, a: number, b?: number, c?: number): void {
  expectStrided(what, tensor, dtype, a, b, c)
  expectContiguous(what, tensor)
}

export function expectContiguous(what: string, tensor: Tensor): void {
  if (!isContiguous(tensor)) fail(what, describe(tensor), 'a contiguous tensor')
}

/** Strided, of the same shape as another tensor, which may have 1 to 4 axes. */
export function expectLike(what: string, tensor: Tensor, dtype: DType, like: Tensor): void {
  const { shape } = tensor
  let same = tensor.dtype === dtype && shape.length === like.shape.length && shape.length > 0 && shape.length <= 4
  for (let i = 0; same && i < shape.length; i++) same = shape[i] === like.shape[i]
  if (!same || !isInner(tensor)) {
    fail(what, describe(tensor), `${dtype} [${like.shape.join(', ')}], of 1 to 4 axes, with inner stride 1`)
  }
}
