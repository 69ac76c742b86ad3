/**
 * The contract between a model and the machine. One file says what every operation means; each folder beside it
 * is an implementation, and `test/conformance` holds all of them to `reference`, which is the definition in code.
 *
 * Letters: B sequences, T query tokens of a step (all sequences together), S key tokens, H query heads, G key heads,
 * D hidden, C latent, R rope, N nope, V value, E experts, K chosen experts.
 *
 * **Ordering.** Operations take effect in the order in which they are recorded, no later than the next `submit()`.
 * A kernel set may run them at once or keep them; nobody may rely on either. `upload` and `read` act on memory
 * directly: never upload into a buffer that recorded, not yet submitted operations use.
 *
 * **Ownership.** Tensors made by `alloc` live until `free` or `dispose`. Operations never allocate, never keep a
 * handle and write only their first argument (`y`, plus what is named as an output). Outputs may hold anything
 * before; every element of the shape is written. Inputs and outputs do not overlap, unless an operation says that
 * `y` may be `x`.
 *
 * **Strides.** Every tensor's last axis has stride 1. Where an argument says *strided*, its other axes may have any
 * stride (a head's slice of a fused projection, stride 0 for a shared row); all others are contiguous.
 *
 * **Emptiness.** T = 0 is allowed everywhere and does nothing (an empty `groupByExpert` still writes its offsets). A
 * query that sees no key gets zeros and lse -inf; a score of -inf is a key that is not seen. Whatever is not seen is
 * not touched: masked rows and rows past a sequence's keys may hold NaN.
 *
 * **Arithmetic.** Activations are f32; implementations accumulate in f32 or better. How a row of a result is summed
 * depends on that row's own inputs, never on the number of rows, their order or the number of threads: the same row
 * gives the same bits alone and in a batch. NaN and infinity travel as IEEE 754 says.
 *
 * **Failure.** Wrong shapes are bugs of the caller: an implementation checks what is cheap and throws a RangeError
 * that names the operation. Numbers read from buffers (token ids, positions, block tables) are trusted.
 */
import type { ByteRange } from '../tensor/bytes.ts'
import type { CacheType, DType, WeightType } from '../tensor/dtype.ts'
import type { Tensor, TypedArray } from '../tensor/tensor.ts'

/** A matrix as a checkpoint stores it: `rows` outputs, each a row of `cols` inputs. */
export interface WeightSource {
  /** For messages. */
  readonly name: string
  readonly dtype: WeightType
  readonly rows: number
  readonly cols: number
  readonly bytes: ByteRange
  /** FP8: one f32 factor per block, grid ceil(rows / blockRows) x ceil(cols / blockCols); the value is code x factor. */
  readonly scales?: { readonly bytes: ByteRange; readonly blockRows: number; readonly blockCols: number }
  /** Stored as [cols, rows] (GPT's Conv1D); `prepare` turns it. */
  readonly transposed?: boolean
}

/** What a weight will be used for; a kernel set may pack differently for each. */
export type WeightUse = 'matmul' | 'heads' | 'embedding'

/** A matrix ready for the kernels. Only its kernel set knows how it is packed and where it lies. */
export interface Weight {
  readonly name: string
  readonly dtype: WeightType
  readonly rows: number
  readonly cols: number
}

/** One matrix per expert, all of one shape. */
export interface ExpertWeights {
  readonly name: string
  readonly experts: number
  readonly rows: number
  readonly cols: number
}

/**
 * Where rows of a paged cache lie. A block holds `blockTokens` rows of every layer of its group; the row of position
 * p in the layer is at `table[floor(p / blockTokens)] + layerOffset + (p mod blockTokens) * rowBytes`, where the table
 * belongs to the sequence (see `sequences`).
 */
export interface PagedRows {
  readonly blockTokens: number
  /** Bytes from a block's address to this layer's first row. Addresses of elements are multiples of their size. */
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
 * Ragged batches: an f64 tensor [B, 6] describes the sequences of a step; each row is
 * [queryStart, queryCount, position, keyStart, keyCount, table]:
 * query rows queryStart .. + queryCount of the step belong to the sequence, the first of them at absolute position
 * `position`; keys at absolute positions keyStart .. + keyCount may be seen; `table` is the address of an f64 tensor
 * of block addresses (0 where only contiguous rows are used). Query rows of no sequence are left alone.
 */
export const SEQUENCE_FIELDS = 6

export interface AttentionArgs {
  /** [T, H, width of the values], strided. */
  readonly out: Tensor
  /** [T, H, sum of the keys' widths], strided. */
  readonly q: Tensor
  /** Concatenated: the score is the sum over slices of q's part times the slice's vector. */
  readonly keys: readonly RowSlice[]
  readonly values: RowSlice
  /** f64 [B, 6]. */
  readonly sequences: Tensor
  readonly scale: number
  /**
   * `bf16`: queries, keys, probabilities and values may be rounded to bf16 before they are multiplied; sums stay f32.
   * Default: `f32` if some keys or values are stored as f32 or f16, which are more exact than bf16, else `bf16`.
   */
  readonly factors?: 'f32' | 'bf16'
  /** `causal`: key position <= query position. `none`: every key. */
  readonly mask: 'causal' | 'none'
  /** Causal only: also key position > query position - window (the query itself counts), or position < sinkTokens. */
  readonly window?: number
  /** Positions below this stay visible whatever the window (StreamingLLM, arXiv 2309.17453). Default 0. */
  readonly sinkTokens?: number
  /** f32 [H]: one more logit per head in the denominator, without a value (gpt-oss). */
  readonly sinkLogits?: Tensor
  /** f32 [T, H]: natural log of the sum of exponentials, sink logits included. */
  readonly lse?: Tensor
  /**
   * `out` and `lse` already hold the result over other keys; merge this result into them (see `mergeAttention`).
   * Needs `lse`; not together with sinkLogits. Default false.
   */
  readonly carry?: boolean
  /**
   * f32 [H, T, S'] strided: scaled scores at column (key position - scoresStart), -inf where masked. Columns of
   * positions that are not among the query's keys are left alone; keys outside the columns are left out. For captures.
   */
  readonly scores?: Tensor
  readonly scoresStart?: number
}

export type Activation = 'silu' | 'gelu' | 'gelu_tanh' | 'quick_gelu' | 'relu' | 'relu2' | 'sigmoid' | 'tanh'

export interface RouteOptions {
  readonly scoring: 'softmax' | 'sigmoid'
  /** f32 [E], added for the choice only (V3 `e_score_correction_bias`). */
  readonly bias?: Tensor
  /** Neighbouring experts form E / groups groups. 1: no groups. */
  readonly groups: number
  /** So many groups stay; losers are masked with -inf. */
  readonly topkGroups: number
  /** A group counts by its best (V2, device-limited) or by the sum of its two best choice scores (V3). */
  readonly groupScore: 'max' | 'top2'
  /** Divide the chosen scores (without bias) by their sum + 1e-20. */
  readonly normalise: boolean
  readonly scale: number
}

export interface MatmulOptions {
  /** f32 [rows]. */
  readonly bias?: Tensor
  /** f32 [T, rows], strided; may be `y`. */
  readonly residual?: Tensor
  /** y = residual + scale * (x Wᵀ + bias). Default 1. */
  readonly scale?: number
}

/** Per-head product: head h uses rows h * headRows + firstRow .. + rows of the weight. */
export interface HeadMatmulOptions {
  readonly headRows: number
  readonly firstRow: number
  readonly rows: number
  /** false: y = x Wᵀ, x has `cols` inputs, y has `rows` outputs. true: y = x W, x has `rows`, y has `cols`. */
  readonly transposed: boolean
  /** `bf16`: x and a quantised weight may be rounded to bf16 before they are multiplied; sums stay f32. Default: `f32`. */
  readonly factors?: 'f32' | 'bf16'
}

export interface KernelInfo {
  readonly name: 'reference' | 'native' | 'wasm' | 'webgpu'
  /** Instruction set in use, e.g. `avx512`, `avx2`, `portable`, `simd128`. */
  readonly isa: string
  readonly threads: number
  /** What decides bits: kernel kind and instruction-set class, never the thread count. */
  readonly numerics: string
}

/** A list of operations, in a form that only the kernels know. */
export interface Recording {
  readonly data: Float64Array
}

export interface Kernels {
  readonly info: KernelInfo

  // ---- memory -------------------------------------------------------------------------------------------------

  /** Zeroed memory of the kernel set, 64-byte aligned. Throws OutOfMemoryError. */
  alloc(dtype: DType, shape: readonly number[]): Tensor
  free(tensor: Tensor): void
  /** Copies into a contiguous tensor now. f16, bf16 take Uint16Array bits; e4m3, u8 Uint8Array. */
  upload(tensor: Tensor, data: TypedArray): void
  /** Waits for everything submitted, then copies a contiguous tensor out (f16, bf16 as Uint16Array bits). */
  read(tensor: Tensor): Promise<TypedArray>
  /** Bytes obtained by `alloc` and by weights that had to be copied; mapped weights do not count. */
  readonly allocatedBytes: number

  /** Makes a weight usable. Maps the file where it can, copies where it must. Lives until `dispose`. */
  prepare(source: WeightSource, use: WeightUse): Promise<Weight>
  /** The same for all experts of a layer. */
  prepareExperts(sources: readonly WeightSource[]): Promise<ExpertWeights>
  /** A small tensor (norm weight, bias) as f32, `add` added to every element (Gemma stores weight - 1). */
  prepareVector(source: WeightSource, add?: number): Promise<Tensor>

  /** Runs what was recorded. Throws `failure`. */
  submit(): Promise<void>
  /**
   * Why this kernel set can compute nothing any more; absent or null while it can. Set when a file of weights that it reads
   * in place has been cut or overwritten: what was computed since is wrong, and every `submit` throws this error.
   */
  readonly failure?: Error | null
  /**
   * The operations that the last `submit` ran, for `resubmit`. Absent, like it, where operations run as they are recorded.
   */
  recording?(): Recording
  /**
   * Runs operations once more, on what their buffers hold now: a step of the same shape need not be recorded again.
   * Nothing may have been recorded since the last `submit`.
   */
  resubmit?(recording: Recording): Promise<void>
  dispose(): void

  // ---- rows ---------------------------------------------------------------------------------------------------

  /** y[t, :] = scale * W[ids[t], :]. y f32 [T, cols], ids i32 [T]. Default scale 1. */
  embed(y: Tensor, w: Weight, ids: Tensor, scale?: number): void
  /** y[t, :] = x[index[t], :]. y and x f32, index i32 [T]. */
  gatherRows(y: Tensor, x: Tensor, index: Tensor): void
  /** y = x converted to y's type, round to nearest even; e4m3 saturates at 448. Strided; same shape. */
  copy(y: Tensor, x: Tensor): void
  /** y = a * x + b * z; without z, y = a * x. f32, strided, same shapes; y may be x or z. */
  axpby(y: Tensor, a: number, x: Tensor, b?: number, z?: Tensor): void

  // ---- norms --------------------------------------------------------------------------------------------------

  /** y = x / sqrt(mean(x^2) + eps) * weight over the last axis (arXiv 1910.07467 eq. 4). Strided; y may be x. */
  rmsNorm(y: Tensor, x: Tensor, weight: Tensor, eps: number): void
  /** y = (x - mean) / sqrt(var + eps) * weight + bias, biased variance (arXiv 1607.06450 eq. 4). Strided; y may be x. */
  layerNorm(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, eps: number): void

  // ---- products -----------------------------------------------------------------------------------------------

  /** y[t, n] = sum_k x[t, k] W[n, k], with options. x, y f32 [T, cols], [T, rows]; x and y strided. */
  matmul(y: Tensor, x: Tensor, w: Weight, options?: MatmulOptions): void
  /**
   * The up-projections of MLA head by head: absorbing a query (transposed), raising an output to values (not).
   * x [T, H, in], y [T, H, out], both strided; x's head stride may be 0.
   */
  headMatmul(y: Tensor, x: Tensor, w: Weight, options: HeadMatmulOptions): void

  // ---- pointwise ----------------------------------------------------------------------------------------------

  /** y = act(x). Strided; y may be x. */
  activate(y: Tensor, x: Tensor, activation: Activation): void
  /** y = act(gate) * up (SwiGLU, arXiv 2002.05202 eq. 6). Strided; y may be gate or up. */
  gate(y: Tensor, gate: Tensor, up: Tensor, activation: Activation): void
  /**
   * y = softmax(scale * x) over the last axis where mask (u8, same shape) is 1, zeros elsewhere.
   * A row without any 1 gives zeros and lse -inf. lse f32, one per row. x, y, mask [rows, n].
   */
  softmax(y: Tensor, x: Tensor, scale: number, mask?: Tensor, lse?: Tensor): void

  // ---- rotary positions ---------------------------------------------------------------------------------------

  /**
   * The angles of a step: cosSin[t, i] = m cos(p_t f_i), cosSin[t, r + i] = m sin(p_t f_i), computed in f64.
   * cosSin f32 [T, 2r], positions i32 [T], frequencies f64 [r].
   */
  ropeTable(cosSin: Tensor, positions: Tensor, frequencies: Tensor, m: number): void
  /**
   * Rotates the first 2r of the last axis, copies the rest: pairs (2i, 2i+1) if interleaved (RoFormer, arXiv
   * 2104.09864 eq. 34; DeepSeek), else (i, i + r) (NeoX, Llama in hub layout). x, y [T, H, n], strided; y may be x.
   */
  rope(y: Tensor, x: Tensor, cosSin: Tensor, interleaved: boolean): void

  // ---- cache and attention ------------------------------------------------------------------------------------

  /**
   * Writes x [T, heads, width] (strided, f32) into the slice at each query token's own position: the row of query i of
   * a sequence is position + i. Rounds to the slice's type. The slice's rows are paged.
   *
   * A scale is the largest magnitude of what shares it, divided in f32 by the largest code (127, 448); a code is the
   * number divided in f32 by the scale, rounded to nearest even. Where the scale is 0 codes are 0; where a number is
   * not finite, the scale is NaN and codes are 0.
   */
  cacheWrite(slice: RowSlice, x: Tensor, sequences: Tensor): void
  /** y [keyCount, heads * width] f32: the slice's numbers at keyStart .. + keyCount of the one sequence. */
  cacheRead(y: Tensor, slice: RowSlice, sequences: Tensor): void
  /** softmax(q kᵀ scale + mask) v for every sequence (arXiv 1706.03762 eq. 1). */
  attention(args: AttentionArgs): void
  /**
   * out, lse of n disjoint key sets into one: lse = ln sum exp(lse_i), out = sum exp(lse_i - lse) out_i
   * (arXiv 2205.14135 algorithm 1). parts [n, T, H, V], partLse [n, T, H].
   */
  mergeAttention(out: Tensor, lse: Tensor, parts: Tensor, partLse: Tensor): void
  /** p[h, t, s] = exp(scores[h, t, s] - lse[t, h]), 0 where the score is -inf. p, scores [H, T, S] strided; may be equal. */
  probabilities(p: Tensor, scores: Tensor, lse: Tensor): void

  // ---- mixture of experts -------------------------------------------------------------------------------------

  /**
   * indices i32 [T, K] by falling choice score (ties: the lower expert first), weights f32 [T, K], from logits [T, E]
   * (V2 paper 2.1.2-2.1.3, V3 paper eq. 12-16). Of groups with equal scores the lower one stays; NaN is chosen last.
   */
  route(indices: Tensor, weights: Tensor, logits: Tensor, options: RouteOptions): void
  /**
   * Sorts the T * K assignments by expert, stable. plan i32 [E + 1 + 2TK]: offsets of each expert's rows [E + 1], then
   * per grouped row the assignment t * K + j it came from, then per assignment its grouped row.
   */
  groupByExpert(plan: Tensor, indices: Tensor, experts: number): void
  /**
   * y[r, :] = x[row, :] W_eᵀ for each grouped row r of expert e. x is [T, cols] (gather: row = floor(assignment / K))
   * or already grouped [TK, cols]. y [TK, rows].
   */
  expertMatmul(y: Tensor, x: Tensor, w: ExpertWeights, plan: Tensor, gather: boolean): void
  /** y[t, :] = residual[t, :] + sum_j weights[t, j] * part[grouped row of t * K + j, :], j rising. y may be residual. */
  combineExperts(y: Tensor, part: Tensor, weights: Tensor, plan: Tensor, residual: Tensor): void
}
