/** The memory of a kernel set. */

import type { DType } from '../../tensor/dtype.ts'
import type { Tensor, TypedArray } from '../../tensor/tensor.ts'

/** Memory that operations find by a number. */
export interface MemoryBlock {
  /** 1 .. 2^31 - 1, chosen by the kernel set; 0 stands for no block. */
  readonly id: number
  /** u8 [bytes] */
  readonly memory: Tensor
}

export interface KernelMemory {
  /** Zeroed memory of the kernel set, 64-byte aligned. Throws OutOfMemoryError. */
  alloc(dtype: DType, shape: readonly number[]): Tensor
  free(tensor: Tensor): void
  /**
   * Memory like `alloc`'s for a block of a paged cache, which block tables name by its id. So a table is 32-bit numbers
   * wherever blocks lie, and a kernel set is free to choose: the core keeps a directory of addresses, a device may hold
   * all blocks in a few large buffers and make the id the place. Ids of freed blocks are given out again.
   */
  allocBlock(bytes: number): MemoryBlock
  freeBlock(block: MemoryBlock): void
  /** Copies into a contiguous tensor now. f16, bf16 take Uint16Array bits; e4m3, u8 Uint8Array. */
  upload(tensor: Tensor, data: TypedArray): void
  /**
   * Waits for everything submitted, then copies a contiguous tensor out (f16, bf16 as Uint16Array bits): into an array of its
   * type and number of elements. Default: a new one.
   */
  read(tensor: Tensor, into?: TypedArray): Promise<TypedArray>
  /** Bytes obtained by `alloc` and by weights that had to be copied; mapped weights do not count. */
  readonly allocatedBytes: number
}
