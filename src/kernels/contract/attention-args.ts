import type { Tensor } from '../../tensor/tensor.ts'
import type { RowSlice, Sequences } from './cached-rows.ts'

/**
 * Attention is causal: a query sees the keys of its sequence whose position is at most its own. Queries placed at or
 * behind the last key see all of them, as an encoder's do.
 */
export interface AttentionArgs {
  /** [T, H, width of the values], strided. */
  readonly out: Tensor
  /** [T, H, sum of the keys' widths], strided. */
  readonly q: Tensor
  /** Concatenated: the score is the sum over slices of q's part times the slice's vector. */
  readonly keys: readonly RowSlice[]
  readonly values: RowSlice
  readonly sequences: Sequences
  readonly scale: number
  /**
   * `bf16`: queries, keys, probabilities and values may be rounded to bf16 before they are multiplied; sums stay f32.
   * Default: `f32` if some keys or values are stored as f32 or f16, which are more exact than bf16, else `bf16`.
   */
  readonly factors?: 'f32' | 'bf16'
  /** A query sees only key positions > its own - window, itself included. Default: none. */
  readonly window?: number
  /** f32 [H]: one more logit per head in the denominator, without a value. */
  readonly sinkLogits?: Tensor
  /**
   * f32 [H, N]: added to the scaled score of a key by its distance, which is its position less the query's (T5, arXiv 1910.10683). Column
   * c is for distance `biasStart` + c; distances beyond the columns have the nearest one's. Default: nothing is added.
   */
  readonly bias?: Tensor
  /** Default 0. */
  readonly biasStart?: number
  /** f32 [T, H]: natural log of the sum of exponentials, sink logits included. */
  readonly lse?: Tensor
  /**
   * `out` and `lse` already hold the result over other keys; merge this result into them: lse = ln sum exp(lse_i),
   * out = sum exp(lse_i - lse) out_i (arXiv 2205.14135 algorithm 1). Needs `lse`; not together with sinkLogits.
   * Default false.
   */
  readonly carry?: boolean
  /**
   * f32 [H, T, S'] strided: scaled scores, bias included, at column (key position - scoresStart), -inf where masked. Columns of
   * positions that are not among the query's keys are left alone; keys outside the columns are left out. For captures.
   */
  readonly scores?: Tensor
  readonly scoresStart?: number
  /** Of the keys that it would see a query sees only these. Default: all. */
  readonly selected?: SelectedKeys
}

/** What `selectKeys` writes. */
export interface SelectedKeys {
  /** i32 [T, n]: rising positions, then -1. */
  readonly positions: Tensor
  /**
   * How the keys are found, which decides the order of sums: gathered, each query's from its list, where each sequence has one query; or
   * masked, among all keys. Where nothing is left out both have the bits of attention without `selected`.
   */
  readonly gather: boolean
}

export interface IndexScoresArgs {
  /** f32 [B, S], strided: a row for each sequence, S at least its keys. */
  readonly scores: Tensor
  /** f32 [T, H, n], strided. */
  readonly q: Tensor
  /** f32 [T, H], strided: how much each head counts, of either sign. */
  readonly weights: Tensor
  /** One key for all heads. */
  readonly keys: RowSlice
  /** B, each with one query. */
  readonly sequences: Sequences
  readonly scale: number
}

/** One sequence, whose keys and values lie in contiguous rows, as many of each as it has keys. */
export interface TrainingAttentionArgs
  extends Pick<AttentionArgs, 'out' | 'q' | 'keys' | 'values' | 'sequences' | 'scale' | 'window' | 'carry'> {
  /** f32 [T, H]: natural log of the sum of exponentials. */
  readonly lse: Tensor
}

/** One sequence, whose keys and values lie in contiguous rows. */
export interface AttentionBackwardArgs
  extends Pick<AttentionArgs, 'q' | 'keys' | 'values' | 'sequences' | 'scale' | 'window'> {
  /** What `attention` gave over all keys of the queries, also those that are not in this call. */
  readonly out: Tensor
  /** f32 [T, H] */
  readonly lse: Tensor
  /** Of `out`; strided. */
  readonly dout: Tensor
  /** Of `q`, added to; strided. */
  readonly dq: Tensor
  /**
   * f32 [S, H, sum of the keys' widths] and [S, H, width of the values], written: of the S keys of the call, for each query head by
   * itself (`sumHeads` adds those that share a key). What the sequence counts beyond S is left out.
   */
  readonly dkeys: Tensor
  readonly dvalues: Tensor
}
