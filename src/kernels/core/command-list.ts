import { DisposedError } from '../../errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { OPCODES, type Operation } from './codes.ts'

/** Most numbers of a record whose length is not given. */
const RECORD_LIMIT = 96

/** A list that has been run, to be run again. */
export class CoreRecording {
  readonly data: Float64Array
  constructor(data: Float64Array) {
    this.data = data
  }
}

/** Operations that leave quantised rows in the core's shared memory as they are. */
const PRODUCTS: ReadonlySet<Operation> = new Set(['matmul', 'headMatmul', 'expertMatmul'])

/**
 * What was recorded and not yet run: records [opcode, numbers in the record, work, arguments ...], the arguments in
 * the order in which native/ops reads them. Recording writes a few numbers into one array, and allocates nothing.
 */
export class CommandList {
  data = new Float64Array(1024)
  length = 0
  /** Numbers of the list that was run last; they stay in `data` until something is recorded. */
  lastLength = 0
  #start = 0
  #closed = false
  /** Whose rows lie quantised in the core's shared memory when the operation that is recorded next begins. */
  #quantised: Tensor | null = null

  /** `work`: about the multiply-adds or elements moved; little work is done by one thread alone. */
  begin(operation: Operation, work: number, limit = RECORD_LIMIT): void {
    if (this.#closed) throw new DisposedError('kernel set')
    if (this.length + limit > this.data.length) {
      const longer = new Float64Array(2 * this.data.length + limit)
      longer.set(this.data)
      this.data = longer
    }
    if (!PRODUCTS.has(operation)) this.#quantised = null
    this.#start = this.length
    this.data[this.length] = OPCODES[operation]
    this.data[this.length + 2] = work
    this.length += 3
  }

  put(value: number): void {
    this.data[this.length++] = value
  }

  /** An address; 0 where there is no tensor. */
  putAddress(tensor: Tensor | null | undefined): void {
    this.data[this.length++] = tensor ? tensor.address : 0
  }

  /** The sizes of up to three outer axes and of the last one. */
  putExtent(shape: readonly number[]): void {
    const rank = shape.length
    this.put(rank > 3 ? (shape[rank - 4] as number) : 1)
    this.put(rank > 2 ? (shape[rank - 3] as number) : 1)
    this.put(rank > 1 ? (shape[rank - 2] as number) : 1)
    this.put(shape[rank - 1] as number)
  }

  /** An address and the strides of the three outer axes. */
  putStrided(tensor: Tensor | null | undefined): void {
    this.putAddress(tensor)
    const strides = tensor ? tensor.strides : []
    const rank = strides.length
    this.put(rank > 3 ? (strides[rank - 4] as number) : 0)
    this.put(rank > 2 ? (strides[rank - 3] as number) : 0)
    this.put(rank > 1 ? (strides[rank - 2] as number) : 0)
  }

  /** Whether a product must quantise the rows of x first: 0 if the product before it has left them. */
  putFresh(x: Tensor): void {
    const known = this.#quantised
    this.put(known && sameRows(known, x) ? 0 : 1)
    this.#quantised = x
  }

  end(): void {
    this.data[this.#start + 1] = this.length - this.#start
  }

  /** Ends a product, whose result may be what was quantised. */
  endProduct(y: Tensor): void {
    this.end()
    const known = this.#quantised
    if (known && y.address < endOf(known) && known.address < endOf(y)) this.#quantised = null
  }

  clear(): void {
    this.lastLength = this.length
    this.length = 0
    this.#quantised = null
  }

  /** From now on nothing can be recorded. */
  close(): void {
    this.clear()
    this.#closed = true
  }
}

function sameRows(a: Tensor, b: Tensor): boolean {
  if (a === b) return true
  if (a.address !== b.address || a.shape.length !== b.shape.length) return false
  for (let i = 0; i < a.shape.length; i++) {
    if (a.shape[i] !== b.shape[i] || a.strides[i] !== b.strides[i]) return false
  }
  return true
}

/** Where an f32 tensor's last element ends. */
function endOf({ address, shape, strides }: Tensor): number {
  let last = 0
  for (let i = 0; i < shape.length; i++) last += ((shape[i] as number) - 1) * (strides[i] as number)
  return address + 4 * (last + 1)
}
