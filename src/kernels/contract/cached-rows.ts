/** Where rows of a cache lie, and which of them a step reads and writes. */

import type { CacheType } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'

/**
 * Where rows of a paged cache lie. A block (`allocBlock`) holds `blockTokens` rows of every layer of its group; the row
 * of position p in the layer is in block `tables[table + floor(p / blockTokens)]`, `layerOffset + (p mod blockTokens) *
 * rowBytes` bytes from its beginning, where `table` belongs to the sequence (see `Sequences`).
 */
export interface PagedRows {
  readonly blockTokens: number
  /** Bytes from a block's beginning to this layer's first row. Addresses of elements are multiples of their size. */
  readonly layerOffset: number
  readonly rowBytes: number
}

/**
 * A slice of every key row: `heads` vectors of `width` numbers, the first `offset` bytes into the row, the next ones
 * `headStride` elements further. Query head h of H reads vector floor(h * heads / H).
 */
export interface RowSlice {
  /** Paged, or a contiguous f32 tensor [S, row] whose row 0 is key position `keyStart` of the one sequence. */
  readonly rows: PagedRows | Tensor
  readonly dtype: CacheType
  /** In bytes from the row's start; a multiple of the type's alignment, as rows are. */
  readonly offset: number
  readonly heads: number
  readonly width: number
  /** In elements; of a type with scales in bytes, the scales included. */
  readonly headStride: number
}

/**
 * Ragged batches: the sequences of a step. All that devices read of them is 32-bit integers; positions are below 2^31.
 */
export interface Sequences {
  /**
   * i32 [B, 6], each row [queryStart, queryCount, position, keyStart, keyCount, table]: query rows queryStart .. +
   * queryCount of the step belong to the sequence, the first of them at absolute position `position`; keys at absolute
   * positions keyStart .. + keyCount may be seen; `table` is where the sequence's block table begins in `tables`. Query
   * rows of no sequence are left alone.
   */
  readonly rows: Tensor
  /**
   * i32 [n]: block tables, the id of block 0 of a sequence first; 0 where a block is gone, and n may be more than is used.
   * Needed where rows are paged.
   */
  readonly tables?: Tensor
}

export const SEQUENCE_FIELDS = 6
