import { DisposedError, OutOfMemoryError } from '../../errors.ts'
import { DTYPE_BYTES, type DType } from '../../tensor/dtype.ts'
import { byteLength, elementCount, type Tensor, type TypedArray, tensorAt } from '../../tensor/tensor.ts'
import type { KernelMemory, MemoryBlock } from '../contract/memory.ts'
import { expect, expectContiguous } from '../operations/check.ts'

/** The typed array that holds a type's elements; f16, bf16 and e4m3 lie as bits. */
export interface ArrayOf {
  f32: Float32Array
  f64: Float64Array
  f16: Uint16Array
  bf16: Uint16Array
  e4m3: Uint8Array
  u8: Uint8Array
  i32: Int32Array
}

/** Where numbers lie: an allocation seen as one type, and the index of the first number in it. */
export interface Numbers<D extends DType> {
  readonly data: ArrayOf[D]
  readonly start: number
}

/** The same seen as rows: index of each row's first number. A row is a step along the last axis; all other axes may have any stride. */
export interface Rows<D extends DType> {
  readonly data: ArrayOf[D]
  readonly rows: readonly number[]
}

interface Allocation {
  readonly bytes: number
  readonly views: ArrayOf
}

/** An address is allocation id x SPAN + byte offset, so that views are plain arithmetic. */
const SPAN = 2 ** 32
/** Addresses stay integers below 2^53. */
const MAX_IDS = 2 ** 21

/** The memory of one reference kernel set: array buffers by id. */
export class Memory implements KernelMemory {
  #allocations: Map<number, Allocation> | null = new Map()
  #nextId = 1
  #freedIds: number[] = []
  #bytes = 0

  get allocatedBytes(): number {
    return this.#bytes
  }

  alloc(dtype: DType, shape: readonly number[]): Tensor {
    const allocations = this.#live()
    const bytes = byteLength(dtype, shape)
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`alloc: ${describe(dtype, shape)} has no size`)
    const id = this.#nextId < MAX_IDS ? this.#nextId++ : this.#freedIds.shift()
    if (bytes >= SPAN || id === undefined) throw outOfMemory(bytes)
    let buffer: ArrayBuffer
    try {
      buffer = new ArrayBuffer(Math.ceil(bytes / 8) * 8)
    } catch {
      throw outOfMemory(bytes)
    }
    const u16 = new Uint16Array(buffer)
    const u8 = new Uint8Array(buffer)
    const views = {
      f32: new Float32Array(buffer),
      f64: new Float64Array(buffer),
      f16: u16,
      bf16: u16,
      e4m3: u8,
      u8,
      i32: new Int32Array(buffer),
    }
    allocations.set(id, { bytes, views })
    this.#bytes += bytes
    return tensorAt(id * SPAN, dtype, [...shape])
  }

  /** A block's id is that of its allocation. */
  allocBlock(bytes: number): MemoryBlock {
    const memory = this.alloc('u8', [bytes])
    return { id: memory.address / SPAN, memory }
  }

  freeBlock({ memory }: MemoryBlock): void {
    this.free(memory)
  }

  addressOf(blockId: number): number {
    return blockId * SPAN
  }

  free(tensor: Tensor): void {
    const allocations = this.#live()
    const id = tensor.address / SPAN
    const allocation = allocations.get(id)
    if (!allocation) throw new RangeError('free: this tensor is a view, or was freed before')
    allocations.delete(id)
    this.#freedIds.push(id)
    this.#bytes -= allocation.bytes
  }

  upload(tensor: Tensor, data: TypedArray): void {
    expectContiguous('upload', tensor)
    const to = this.open(tensor, tensor.dtype, 'upload')
    expectArray('upload', tensor, data, to.data)
    to.data.set(data, to.start)
  }

  async read(tensor: Tensor, into?: TypedArray): Promise<TypedArray> {
    expectContiguous('read', tensor)
    const from = this.open(tensor, tensor.dtype, 'read')
    const end = from.start + elementCount(tensor.shape)
    if (!into) return from.data.slice(from.start, end)
    expectArray('read', tensor, into, from.data)
    into.set(from.data.subarray(from.start, end))
    return into
  }

  dispose(): void {
    this.#allocations = null
    this.#bytes = 0
  }

  /** The numbers of a tensor of this type; `what` names the operation and the argument in messages. */
  open<D extends DType>(tensor: Tensor, dtype: D, what: string): Numbers<D> {
    if (tensor.dtype !== dtype) throw new RangeError(`${what} is ${tensor.dtype}, expected ${dtype}`)
    return this.at(tensor.address, dtype, extentOf(tensor), what)
  }

  rows<D extends DType>(tensor: Tensor, dtype: D, what: string): Rows<D> {
    const { data, start } = this.open(tensor, dtype, what)
    return { data, rows: rowStarts(tensor, start) }
  }

  /** The `extent` numbers from an address on. */
  at<D extends DType>(address: number, dtype: D, extent: number, what: string): Numbers<D> {
    const id = Math.floor(address / SPAN)
    const allocation = this.#live().get(id)
    if (!allocation) throw new RangeError(`${what}: no memory at address ${address}; freed, or of another kernel set`)
    const size = DTYPE_BYTES[dtype]
    const start = (address - id * SPAN) / size
    if (!Number.isInteger(start)) throw new RangeError(`${what}: address ${address} is not aligned for ${dtype}`)
    if ((start + extent) * size > allocation.bytes) {
      throw new RangeError(
        `${what}: ${extent} ${dtype} from byte ${start * size} exceed the allocation's ${allocation.bytes}`,
      )
    }
    return { data: allocation.views[dtype], start }
  }

  /** Throws after `dispose`. */
  #live(): Map<number, Allocation> {
    if (!this.#allocations) throw new DisposedError('kernel set')
    return this.#allocations
  }
}

function rowStarts(tensor: Tensor, start: number): number[] {
  let starts = [start]
  for (let axis = 0; axis < tensor.shape.length - 1; axis++) {
    const next: number[] = []
    for (const base of starts) {
      for (let i = 0; i < tensor.shape[axis]!; i++) next.push(base + i * tensor.strides[axis]!)
    }
    starts = next
  }
  return starts
}

/** Elements from a tensor's first to its last, both counted. */
function extentOf(tensor: Tensor): number {
  if (elementCount(tensor.shape) === 0) return 0
  let last = 0
  tensor.shape.forEach((n, axis) => {
    last += (n - 1) * tensor.strides[axis]!
  })
  return last + 1
}

function expectArray(what: string, { dtype, shape }: Tensor, data: TypedArray, like: TypedArray): void {
  const n = elementCount(shape)
  expect(what, data.constructor === like.constructor, `a ${like.constructor.name} for ${dtype}`)
  expect(what, data.length === n, `${n} elements, not ${data.length}`)
}

function describe(dtype: DType, shape: readonly number[]): string {
  return `${dtype} [${shape.join(', ')}]`
}

function outOfMemory(bytes: number): OutOfMemoryError {
  return new OutOfMemoryError(`The reference kernels cannot have ${bytes} bytes more; use the native kernels.`)
}
