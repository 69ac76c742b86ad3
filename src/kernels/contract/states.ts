/** Where the states of sequences lie: what layers without keys carry from one token to the next. */

import type { Tensor } from '../../tensor/tensor.ts'

/**
 * The state of one layer in blocks of a cache group that holds states: f32, `offset` bytes from a block's beginning. The
 * table of a sequence (`Sequences.table`) has first the id of the block with the state before its first token, 0 at
 * position 0, where the state is zeros. Behind it, for each cache block of `blockTokens` positions that the tokens fall
 * into, the block that receives the state after the last of them in it; 0: that state is not kept.
 */
export interface StatePlace {
  readonly blockTokens: number
  readonly offset: number
}

export interface ShortConvOptions {
  /** f32 [C] */
  readonly bias?: Tensor | null
  /** f32 [T, C], strided: what x is multiplied by before the convolution, and what its result is multiplied by (LFM2). */
  readonly before?: Tensor
  readonly after?: Tensor
  /** SiLU of the result. Default false. */
  readonly silu?: boolean
}
