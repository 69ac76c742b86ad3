import { DisposedError } from '../../errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/** Numbers in front of a record's arguments. */
const HEADER = 3

/**
 * What was recorded and not yet run: records [opcode, numbers in the record, work, arguments ...]. recorder.ts
 * says what the arguments are; recording writes them into one array.
 */
export class CommandList {
  data = new Float64Array(1024)
  length = 0
  /** Numbers of the list that was run last; they stay in `data` until something is recorded. */
  lastLength = 0
  #closed = false
  /** Whose rows lie quantised in the core's shared memory when the operation that is recorded next begins. */
  #quantised: Tensor | null = null

  /**
   * Makes room for a record with so many arguments and returns where they go in `data`. `work`: about the multiply-adds or
   * elements moved; little work is done by one thread alone.
   */
  begin(opcode: number, args: number, work: number): number {
    const at = this.beginProduct(opcode, args, work)
    this.#quantised = null
    return at
  }

  /** The same for an operation that leaves quantised rows in the core's shared memory as they are. */
  beginProduct(opcode: number, args: number, work: number): number {
    if (this.#closed) throw new DisposedError('kernel set')
    const start = this.length
    const end = start + HEADER + args
    if (end > this.data.length) {
      const longer = new Float64Array(2 * end)
      longer.set(this.data)
      this.data = longer
    }
    this.data[start] = opcode
    this.data[start + 1] = HEADER + args
    this.data[start + 2] = work
    this.length = end
    return start + HEADER
  }

  /** Whether a product must quantise the rows of x first: 0 if the product before it has left them, or it needs none. */
  mustQuantise(x: Tensor | null): number {
    if (!x) return 0
    const known = this.#quantised
    this.#quantised = x
    return known && sameRows(known, x) ? 0 : 1
  }

  /** Ends a product, whose result may be what was quantised. */
  endProduct(y: Tensor): void {
    const known = this.#quantised
    if (known && y.address < endOf(known) && known.address < endOf(y)) this.#quantised = null
  }

  /** What was recorded, for the caller to run; the list is empty, and nothing that is recorded later touches it. */
  take(): Float64Array {
    const taken = this.data.slice(0, this.length)
    this.clear()
    this.lastLength = 0
    return taken
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

/** 0 where there is no tensor. */
export function addressOf(tensor: Tensor | null | undefined): number {
  return tensor ? tensor.address : 0
}

/** 0 where there is no tensor. */
export function strideOf(tensor: Tensor | null | undefined, axis: number): number {
  return tensor ? (tensor.strides[axis] as number) : 0
}

/** The sizes of up to three outer axes and of the last one (`Extent` in native/core/args.h). */
export function putExtent(data: Float64Array, at: number, shape: readonly number[]): void {
  const rank = shape.length
  data[at] = rank > 3 ? (shape[rank - 4] as number) : 1
  data[at + 1] = rank > 2 ? (shape[rank - 3] as number) : 1
  data[at + 2] = rank > 1 ? (shape[rank - 2] as number) : 1
  data[at + 3] = shape[rank - 1] as number
}

/** An address and the strides of the three outer axes (`Strided` there). */
export function putStrided(data: Float64Array, at: number, tensor: Tensor | null | undefined): void {
  const strides = tensor ? tensor.strides : []
  const rank = strides.length
  data[at] = addressOf(tensor)
  data[at + 1] = rank > 3 ? (strides[rank - 4] as number) : 0
  data[at + 2] = rank > 2 ? (strides[rank - 3] as number) : 0
  data[at + 3] = rank > 1 ? (strides[rank - 2] as number) : 0
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
