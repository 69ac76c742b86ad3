import type { Tensor, TypedArray } from '../../tensor/tensor.ts'
import { elementCount } from '../../tensor/tensor.ts'
import { expect, expectContiguous } from '../operations/check.ts'
import type { Memory } from './memory.ts'

export function upload(memory: Memory, tensor: Tensor, data: TypedArray): void {
  expectContiguous('upload', tensor)
  const to = memory.open(tensor, tensor.dtype, 'upload')
  const n = elementCount(tensor.shape)
  expect('upload', data.constructor === to.data.constructor, `a ${to.data.constructor.name} for ${tensor.dtype}`)
  expect('upload', data.length === n, `${n} elements, not ${data.length}`)
  to.data.set(data, to.start)
}

export function read(memory: Memory, tensor: Tensor): TypedArray {
  expectContiguous('read', tensor)
  const from = memory.open(tensor, tensor.dtype, 'read')
  return from.data.slice(from.start, from.start + elementCount(tensor.shape))
}
