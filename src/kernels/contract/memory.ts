/** The memory of a kernel set. */

import type { DType } from '../../tensor/dtype.ts'
import type { Tensor, TypedArray } from '../../tensor/tensor.ts'

export interface KernelMemory {
  /** Zeroed memory of the kernel set, 64-byte aligned. Throws OutOfMemoryError. */
  alloc(dtype: DType, shape: readonly number[]): Tensor
  free(tensor: Tensor): void
  /** Copies into a contiguous tensor now. f16, bf16 take Uint16Array bits; e4m3, u8 Uint8Array. */
  upload(tensor: Tensor, data: TypedArray): void
  /** Waits for everything submitted, then copies a contiguous tensor out (f16, bf16 as Uint16Array bits). */
  read(tensor: Tensor): Promise<TypedArray>
  /** Bytes obtained by `alloc` and by weights that had to be copied; mapped weights do not count. */
  readonly allocatedBytes: number
}
