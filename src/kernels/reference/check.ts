import { isContiguous, type Tensor } from '../../tensor/tensor.ts'

/** Throws the contract's RangeError: operation and argument, what was met, what was expected. */
export function expectShape(what: string, tensor: Tensor, shape: readonly number[]): void {
  const met = tensor.shape
  if (met.length === shape.length && shape.every((n, axis) => met[axis] === n)) return
  throw new RangeError(`${what} has shape [${met.join(', ')}], expected [${shape.join(', ')}]`)
}

/** For arguments that the contract does not call strided. */
export function expectContiguous(what: string, tensor: Tensor): void {
  if (isContiguous(tensor)) return
  throw new RangeError(`${what} has strides [${tensor.strides.join(', ')}], expected a contiguous tensor`)
}

export function expectRank(what: string, tensor: Tensor, rank: number): void {
  if (tensor.shape.length === rank) return
  throw new RangeError(`${what} has shape [${tensor.shape.join(', ')}], expected ${rank} axes`)
}

export function expect(what: string, condition: boolean, expected: string): void {
  if (!condition) throw new RangeError(`${what}: expected ${expected}`)
}

/** Size of an axis; negative counts from the last. */
export function axisOf(tensor: Tensor, axis: number): number {
  return tensor.shape.at(axis) as number
}
