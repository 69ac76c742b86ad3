/** Which models become latent ones. */
import type { SourceModel } from '../conversion/source-model.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { RopeConfig } from '../nn/attention/rope.ts'
import type { LayerConfig, ModelConfig } from '../nn/config.ts'

/** Sizes of the original's attention, the same in all layers. */
export interface Plan {
  /** L */
  readonly layers: number
  /** D */
  readonly inputs: number
  /** H */
  readonly heads: number
  /** G */
  readonly groups: number
  /** d */
  readonly width: number
  readonly softmaxScale: number
  readonly rope: RopeConfig
  readonly window: number | null
  /** Some projection has a bias. */
  readonly biased: boolean
}

/** Numbers per token and layer: C and R. */
export interface Sizes {
  /** C, numbers of the latent. */
  readonly rank: number
  /** R, numbers of the rope key. */
  readonly rope: number
}

/** Throws UnsupportedModelError for a model that has no form in deepseek_v3's block, and says why. */
export function planOf({ config, weights, checkpoint }: SourceModel): Plan {
  const { modelType, layers, ropes, norm, blockOrder, hiddenSize } = config
  const refuse = (reason: string): never => {
    throw new UnsupportedModelError(
      `${checkpoint.name} is a ${modelType} model ${reason}; deepseek_v3 has no such block. latentify takes Llama, Mistral, Qwen2 and SmolLM2`,
    )
  }
  const [first] = layers as readonly [LayerConfig, ...LayerConfig[]]
  const { attention, window, rope } = first
  if (attention.kind === 'latent') {
    throw new UnsupportedModelError(`${checkpoint.name} has latent attention already; latentify takes models without`)
  }
  if (attention.kind !== 'grouped') return refuse('whose layers carry a state in place of keys')
  if (attention.qkNormEps !== null) refuse('that norms the heads of its queries and keys')
  if (norm.kind !== 'rms') refuse('with LayerNorm')
  if (config.learnedPositions || rope === null) refuse('without rotary positions')
  if (blockOrder !== 'pre') refuse(`whose blocks are joined in another order (${blockOrder})`)
  if (scales(config).some(scale => scale !== 1)) refuse('that scales embeddings, blocks or logits')
  if (ropes.length !== 1) refuse('with several ropes')
  if (ropes[0]?.dim !== attention.headDim) refuse('that rotates a part of each head')
  const other = layers.findIndex(layer => JSON.stringify(layer) !== JSON.stringify(first))
  if (other >= 0) refuse(`whose layers 0 and ${other} differ`)
  if (first.mlp.kind !== 'dense' || !first.mlp.gated || first.mlp.activation !== 'silu') {
    refuse('without a dense MLP of SwiGLU')
  }
  const scaling = (ropes[0] as RopeConfig).scaling
  if (scaling.kind === 'longrope') refuse('with LongRoPE, whose frequencies change with the length of the text')
  const joined = weights.find(({ name }) => /\.(qkv|gate_up)_proj\.weight$/.test(name))
  if (joined) refuse(`with several projections in one matrix (${joined.name})`)
  const biases = weights.filter(({ name }) => name.endsWith('.bias')).map(({ name }) => name)
  const homeless = biases.find(name => !/\.self_attn\.[qkvo]_proj\.bias$/.test(name))
  if (homeless !== undefined) refuse(`with a bias outside of attention (${homeless})`)
  const { nHeads: heads, nKvHeads: groups, headDim: width, softmaxScale } = attention
  return {
    layers: layers.length,
    inputs: hiddenSize,
    heads,
    groups,
    width,
    softmaxScale,
    rope: ropes[0] as RopeConfig,
    window,
    biased: biases.length > 0,
  }
}

function scales({ embeddingScale, residualScale, logitScale }: ModelConfig): number[] {
  return [embeddingScale, residualScale, logitScale]
}
