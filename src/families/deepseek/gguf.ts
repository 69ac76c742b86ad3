/** Everything with DeepSeek's latent attention: DeepSeek-V2 and V3, Kimi-K2, Moonlight, GLM-4.7-Flash, Youtu. */
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { commonAttention } from '../../nn/config.ts'
import type { Architecture, GgufModel } from '../gguf/architecture.ts'
import { decoderConfig } from '../gguf/common.ts'
import { addExpertKeys, SIGMOID, SOFTMAX, STACKED_EXPERTS } from '../gguf/experts.ts'
import { latentSizes } from '../gguf/latent.ts'
import { type LatentYarn, latentYarnFields } from '../gguf/latent-yarn.ts'
import { LATENT } from '../gguf/naming.ts'
import { HEADS, LAYERS, SIZE } from '../gguf/ranges.ts'

/** Not llama.cpp's: it leaves keys alone that it does not know. */
const CONSTANT_NORM = 'latentkit.constant_latent_norm'

export const deepseek2: Architecture = {
  name: 'deepseek2',
  splitsKeyValueUp: true,
  onceJoined: true,
  predictions: true,
  addKeys(keys, config, predictions) {
    addExpertKeys(keys, config, predictions)
    const attention = commonAttention(config)
    if (attention?.kind === 'latent' && attention.constantNorm) keys.f32(CONSTANT_NORM, attention.latentNormEps)
  },
  warnings({ nLayers, vocabSize, layers, ropes }) {
    const attention = layers[0]?.attention
    const scaling = ropes[0]?.scaling.kind
    const lost = [
      ...(scaling === 'linear' ? ['positions that are stretched without the softmax'] : []),
      ...(layers.some(layer => layer.window !== null) ? ['a sliding window'] : []),
    ]
    if (lost.length > 0)
      return [`llama.cpp will not compute this file right: its deepseek2 does not know ${lost.join(' and ')}`]
    // Without a latent of the query llama.cpp takes a file for DeepSeek-V2-Lite, which it knows by its depth.
    const known = nLayers === 26 || nLayers === 27 || (nLayers === 48 && vocabSize === 128_256)
    if (attention?.kind !== 'latent' || attention.qLoraRank !== null || known) return []
    return [
      `llama.cpp will not load this file: without q_lora_rank it expects 26 or 27 layers, and there are ${nLayers}`,
    ]
  },
  naming: {
    ...LATENT,
    inLayer: {
      ...LATENT.inLayer,
      ffn_gate_inp: 'mlp.gate',
      'exp_probs_b.bias': 'mlp.gate.e_score_correction_bias',
      exp_probs_b: 'mlp.gate.e_score_correction_bias',
      ffn_gate_shexp: 'mlp.shared_experts.gate_proj',
      ffn_up_shexp: 'mlp.shared_experts.up_proj',
      ffn_down_shexp: 'mlp.shared_experts.down_proj',
    },
    experts: STACKED_EXPERTS,
  },
  latentYarn: 'same',
  config: model => deepseekConfig(model, 'same'),
}

/** Of deepseek2, and of what only llama.cpp's formulas for YaRN set apart. */
export function deepseekConfig(model: GgufModel, yarn: LatentYarn): JsonObject {
  const base = decoderConfig(model)
  const { attention_factor: _, ...rope } = (base.rope_scaling ?? {}) as JsonObject
  const scaling = () => ({ ...rope, ...latentYarnFields(model.metadata, rope.factor as number, yarn) })
  return {
    ...base,
    ...latentSizes(model.metadata),
    ...routing(model),
    ...constantNorm(model),
    ...(rope.rope_type === 'yarn' && { rope_scaling: scaling() }),
  }
}

/** Of models that latentify made: llama.cpp norms latents with the eps of all norms, so their weights are for that one. */
function constantNorm({ metadata: m }: GgufModel): JsonObject {
  const eps = m.optionalNumber(CONSTANT_NORM, { above: 0, max: 1 })
  if (!eps) return {}
  const window = m.optionalInt('{arch}.attention.sliding_window')
  return { constant_latent_norm: eps, ...(window && { sliding_window: window }) }
}

/** Files do not name the model. Scores by sigmoid, with a bias for the choice, are V3's; by softmax, V2's. */
function routing({ metadata: m, tensors }: GgufModel): JsonObject {
  const experts = m.optionalInt('{arch}.expert_count', { max: HEADS.max }) ?? 0
  const layers = m.int('{arch}.block_count', LAYERS)
  const dense = m.optionalInt('{arch}.leading_dense_block_count') ?? 0
  if (experts === 0 || dense >= layers) return { model_type: 'deepseek_v3', first_k_dense_replace: layers }
  const gating = m.optionalInt('{arch}.expert_gating_func', { min: SOFTMAX, max: SIGMOID }) ?? SOFTMAX
  const biased = [`blk.${dense}.exp_probs_b.bias`, `blk.${dense}.exp_probs_b`].some(name => tensors.has(name))
  const groups = m.optionalInt('{arch}.expert_group_count') || 1
  return {
    model_type: gating === SIGMOID ? 'deepseek_v3' : 'deepseek_v2',
    topk_method: biased ? 'noaux_tc' : groups > 1 ? 'group_limited_greedy' : 'greedy',
    scoring_func: gating === SIGMOID ? 'sigmoid' : 'softmax',
    n_routed_experts: experts,
    num_experts_per_tok: m.int('{arch}.expert_used_count', { min: 1, max: experts }),
    n_shared_experts: m.optionalInt('{arch}.expert_shared_count') ?? 0,
    moe_intermediate_size: m.int('{arch}.expert_feed_forward_length', SIZE),
    first_k_dense_replace: dense,
    norm_topk_prob: m.optionalBool('{arch}.expert_weights_norm') ?? false,
    routed_scaling_factor: m.optionalNumber('{arch}.expert_weights_scale') || 1,
    n_group: groups,
    topk_group: m.optionalInt('{arch}.expert_group_used_count') || groups,
  }
}
