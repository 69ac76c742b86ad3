/** Layers that carry a state from token to token in place of keys, by their sizes. */

/** A gated short convolution (LFM2): y = C conv(B x), where B, C and x are projections of the stream, D channels each. */
export interface ConvolutionConfig {
  readonly kind: 'convolution'
  /** D */
  readonly channels: number
  /** K: rows that a channel looks at, its own included. */
  readonly kernel: number
  /** The projections and the convolution add a bias. */
  readonly bias: boolean
}

/**
 * The gated delta rule behind short convolutions: q, k and v of each token change a matrix that a head carries (Gated DeltaNet,
 * arXiv 2412.06464; Kimi Delta Attention, arXiv 2510.26692).
 */
export interface DeltaRuleConfig {
  readonly kind: 'delta'
  /** H: heads of values, each with a state. */
  readonly nHeads: number
  /** G: heads of queries and keys, of which H / G neighbours share one. */
  readonly nKeyHeads: number
  /** Heads of values take those of keys by turns, head i that with i mod G (llama.cpp's files). Default: neighbours share one. */
  readonly keysByTurns?: true
  /** dk: numbers of a query and a key. */
  readonly keyDim: number
  /** dv: numbers of a value. */
  readonly valueDim: number
  /** K: rows that the convolutions of q, k and v look at, their own included. */
  readonly kernel: number
  /**
   * `apart`: q, k and v have matrices and convolutions of their own. `joined`: one for all. `byHead`: one matrix has for each head of
   * keys the rows of q, k, v and the gate, and another those of beta and decay; one convolution (Qwen3-Next).
   */
  readonly projections: 'apart' | 'joined' | 'byHead'
  /** Rank of the projections to the decay and to the gate, each two matrices; null: one matrix each. */
  readonly lowRank: number | null
  /** A head's state decays as one, or each of its rows by itself. */
  readonly decay: 'head' | 'channel'
  /** The decay is exp(floor sigmoid(a (x + bias))), at least exp(floor) (Ling 3.0); 0: exp(-a softplus(x + bias)). */
  readonly decayFloor: number
  /** Of the output, which is normed and gated: act(z) * norm(o). */
  readonly gate: 'silu' | 'sigmoid'
  /** eps of that norm. */
  readonly normEps: number
}

export type StateConfig = ConvolutionConfig | DeltaRuleConfig

/** Added to the sum of squares by which q and k are divided. */
export const UNIT_EPS = 1e-6
