import { DTYPE_BYTES, type DType } from './dtype.ts'

/**
 * A handle: the address of numbers in a kernel set's memory, with type, shape and strides. Model code never sees the
 * bytes; `Kernels.read` copies them out. A view refers to the memory of the tensor that it was made from.
 */
export interface Tensor {
  /** Type of its elements. */
  readonly dtype: DType
  /** Sizes of its axes. */
  readonly shape: readonly number[]
  /** In elements, one per axis. The last axis has stride 1; a stride of 0 repeats the same elements. */
  readonly strides: readonly number[]
  /** Byte address in the kernel set's memory: exact up to 2^53, so a 47-bit pointer fits. */
  readonly address: number
}

export type TypedArray = Float32Array | Float64Array | Uint16Array | Int32Array | Uint8Array

export function elementCount(shape: readonly number[]): number {
  let n = 1
  for (const d of shape) n *= d
  return n
}

export function byteLength(dtype: DType, shape: readonly number[]): number {
  return elementCount(shape) * DTYPE_BYTES[dtype]
}

function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = stride
    stride *= shape[i] as number
  }
  return strides
}

export function tensorAt(address: number, dtype: DType, shape: readonly number[]): Tensor {
  return { dtype, shape, strides: contiguousStrides(shape), address }
}

/** A view with its own shape and strides, `offset` elements into `t`. */
export function view(
  t: Tensor,
  offset: number,
  shape: readonly number[],
  strides: readonly number[] = contiguousStrides(shape),
): Tensor {
  return { dtype: t.dtype, shape, strides, address: t.address + offset * DTYPE_BYTES[t.dtype] }
}

/** Rows `start` to `start + count` of the first axis. */
export function rowsOf(t: Tensor, start: number, count: number): Tensor {
  return view(t, start * (t.strides[0] as number), [count, ...t.shape.slice(1)], t.strides)
}

/** Elements `start` to `start + count` of the last axis: `[.., n] -> [.., count]`. */
export function lastOf(t: Tensor, start: number, count: number): Tensor {
  return view(t, start, [...t.shape.slice(0, -1), count], t.strides)
}

/** Splits the last axis, `[.., n] -> [.., heads, n / heads]`. */
export function splitHeads(t: Tensor, heads: number): Tensor {
  const n = t.shape[t.shape.length - 1] as number
  const size = n / heads
  return view(t, 0, [...t.shape.slice(0, -1), heads, size], [...t.strides.slice(0, -1), size, 1])
}

/** The opposite of `splitHeads`: `[.., heads, n]` -> `[.., heads * n]`. The heads of a row lie behind one another. */
export function joinHeads(t: Tensor): Tensor {
  const [heads, n] = t.shape.slice(-2) as [number, number]
  return view(t, 0, [...t.shape.slice(0, -2), heads * n], [...t.strides.slice(0, -2), 1])
}

/** The same numbers in another shape; `t` must be contiguous. */
export function reshape(t: Tensor, shape: readonly number[]): Tensor {
  return { dtype: t.dtype, shape, strides: contiguousStrides(shape), address: t.address }
}

export function isContiguous(t: Tensor): boolean {
  let stride = 1
  for (let i = t.shape.length - 1; i >= 0; i--) {
    if (t.shape[i] !== 1 && t.strides[i] !== stride) return false
    stride *= t.shape[i] as number
  }
  return true
}
