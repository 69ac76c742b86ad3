/** Copies into and out of the reference's memory, checked like those of every kernel set. */
import type { Tensor, TypedArray } from '../../tensor/tensor.ts'
import { elementCount } from '../../tensor/tensor.ts'
import { expect, expectContiguous } from '../operations/check.ts'
import type { Memory } from './memory.ts'

export function upload(memory: Memory, tensor: Tensor, data: TypedArray): void {
  expectContiguous('upload', tensor)
  const to = memory.open(tensor, tensor.dtype, 'upload')
  expectArray('upload', tensor, data, to.data)
  to.data.set(data, to.start)
}

export function read(memory: Memory, tensor: Tensor, into?: TypedArray): TypedArray {
  expectContiguous('read', tensor)
  const from = memory.open(tensor, tensor.dtype, 'read')
  const end = from.start + elementCount(tensor.shape)
  if (!into) return from.data.slice(from.start, end)
  expectArray('read', tensor, into, from.data)
  into.set(from.data.subarray(from.start, end))
  return into
}

function expectArray(what: string, { dtype, shape }: Tensor, data: TypedArray, like: TypedArray): void {
  const n = elementCount(shape)
  expect(what, data.constructor === like.constructor, `a ${like.constructor.name} for ${dtype}`)
  expect(what, data.length === n, `${n} elements, not ${data.length}`)
}
