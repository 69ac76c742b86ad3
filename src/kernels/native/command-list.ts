import { DisposedError } from '../../errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { OPCODES, type Operation } from './codes.ts'

/** Most numbers of a record whose length is not given. */
const RECORD_LIMIT = 96

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

  /** `work`: about the multiply-adds or elements moved; little work is done by one thread alone. */
  begin(operation: Operation, work: number, limit = RECORD_LIMIT): void {
    if (this.#closed) throw new DisposedError('kernel set')
    if (this.length + limit > this.data.length) {
      const longer = new Float64Array(2 * this.data.length + limit)
      longer.set(this.data)
      this.data = longer
    }
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

  end(): void {
    this.data[this.#start + 1] = this.length - this.#start
  }

  clear(): void {
    this.lastLength = this.length
    this.length = 0
  }

  /** From now on nothing can be recorded. */
  close(): void {
    this.clear()
    this.#closed = true
  }
}
