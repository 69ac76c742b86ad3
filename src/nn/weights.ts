/** A model's prepared weights, in the shape in which `forward` reads them. */

import type { ExpertWeights, Weight } from '../kernels/contract/weights.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { CrossWeights } from './attention/cross.ts'
import type { DistanceBias } from './attention/distance-bias.ts'
import type { GroupedWeights } from './attention/grouped.ts'
import type { LatentWeights } from './attention/mla.ts'
import type { Linear, Norm } from './layers.ts'
import type { ConvolutionWeights } from './states/convolution.ts'
import type { DeltaRuleWeights } from './states/delta-rule.ts'

export interface DenseMlpWeights {
  /** null where the MLP is not gated, or where `up` has the gate's rows in front of its own: 2 F rows. */
  readonly gate: Linear | null
  readonly up: Linear
  readonly down: Linear
}

export interface MoeWeights {
  /** [E, D] */
  readonly router: Linear
  /** f32 [E], for the choice only. */
  readonly selectionBias: Tensor | null
  readonly gate: ExpertWeights
  readonly up: ExpertWeights
  readonly down: ExpertWeights
  /** Of the experts' projections, each [E, rows]; null: none. */
  readonly biases: { readonly gate: Weight; readonly up: Weight; readonly down: Weight } | null
  /** All shared experts as one MLP. */
  readonly shared: DenseMlpWeights | null
  /** [1, D]: the shared experts count sigmoid(w x). null: they count whole. */
  readonly sharedGate: Linear | null
  /** Where experts read the stream: a norm in front of the router, whose logits count D^-0.5, and a factor of each expert, [E, 1]. */
  readonly ofStream?: { readonly norm: Norm; readonly factors: Weight }
}

export interface LayerWeights {
  readonly attention:
    | { readonly kind: 'grouped'; readonly weights: GroupedWeights }
    | { readonly kind: 'latent'; readonly weights: LatentWeights }
    | { readonly kind: 'convolution'; readonly weights: ConvolutionWeights }
    | { readonly kind: 'delta'; readonly weights: DeltaRuleWeights }
  readonly mlp:
    | { readonly kind: 'dense'; readonly weights: DenseMlpWeights }
    | { readonly kind: 'moe'; readonly weights: MoeWeights }
  /** Set for a layer with experts beside its MLP. */
  readonly beside?: MoeWeights
  /** Of experts that read the stream: on what they read, on what they return, and on what the MLP returns. */
  readonly besideNorms?: { readonly in: Norm; readonly out: Norm; readonly mlpOut: Norm }
  /** Set where layers have vectors of tokens. */
  readonly input?: LayerInputWeights
  /** Factor of what leaves the layer. Default 1. */
  readonly scale?: number
  /** Before attention (`post`: after it has joined the stream; `after`: on what it returns). */
  readonly attentionNorm: Norm
  /** Before the MLP (`post`, `after`: as above); null where a parallel block has one norm only. */
  readonly mlpNorm: Norm | null
  /** `sandwich` only: on what attention returns. */
  readonly attentionOutNorm: Norm | null
  /** `sandwich`, and experts of some `pre` blocks: on what the MLP returns. */
  readonly mlpOutNorm: Norm | null
  /** Set for a layer with cross-attention. */
  readonly cross?: CrossWeights
}

/** x += norm(out(act(gate x) * the token's vector for this layer)) */
export interface LayerInputWeights {
  /** [W, D] */
  readonly gate: Linear
  /** [D, W] */
  readonly out: Linear
  readonly norm: Norm
}

/** What makes the vectors of a token for all layers. */
export interface LayerInputsWeights {
  /** [vocabulary, L W] */
  readonly table: Weight
  /** [L W, D], of the embedding. */
  readonly projection: Linear
  /** Of each layer's part of the projection. */
  readonly norm: Norm
}

export interface ModelWeights {
  readonly embedding: Weight
  /** Set where layers have vectors of tokens. */
  readonly layerInputs?: LayerInputsWeights
  /** A vector for each position, learned or fixed. */
  readonly positions: Weight | null
  /** Set where scores have biases by distance. */
  readonly distanceBias?: DistanceBias
  readonly layers: readonly LayerWeights[]
  readonly finalNorm: Norm | null
  /** [vocab, D]; the weight is the embedding itself where they are tied. null: an encoder. */
  readonly output: Linear | null
  /** null: a decoder. */
  readonly encoder: EncoderWeights | null
  /** Set for a module of multi-token prediction: what its layer reads. Default: the embedding alone. */
  readonly join?: JoinWeights
  /** Set for an encoder-decoder: its encoder. */
  readonly source?: ModelWeights
}

/** How a module of multi-token prediction joins a token and the state before it (DeepSeek-V3, arXiv 2412.19437, eq. 21). */
export interface JoinWeights {
  /** Of the token's embedding. */
  readonly embeddingNorm: Norm
  /** Of the state, which the model's own last norm has passed before. */
  readonly hiddenNorm: Norm
  /** [D, 2D], of the embedding and the state, in this order, as checkpoints have it. */
  readonly linear: Linear
}

export interface EncoderWeights {
  /** [types, D], added to the embedding. */
  readonly tokenTypes: Weight | null
  /** Of the sum of embeddings; null: it is not normed. */
  readonly embeddingNorm: Norm | null
  /** scores = out(tanh(dense x)); without `dense`, out(x). */
  readonly head: { readonly dense: Linear | null; readonly out: Linear } | null
}
