/** The names that nearly every family on the hub shares since Llama. */
import type { ExpertNames, GroupedNames, LatentNames, MlpNames, TensorNames } from './family.ts'

export const GATED_MLP: MlpNames = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' }

const IN_LAYER: MlpNames = { gate: 'mlp.gate_proj', up: 'mlp.up_proj', down: 'mlp.down_proj' }

export const JOINED_MLP: MlpNames = { up: 'mlp.gate_up_proj', down: 'mlp.down_proj', joined: true }

export const ROUTED: ExpertNames = {
  router: 'mlp.gate',
  selectionBias: 'mlp.gate.e_score_correction_bias',
  expert: 'mlp.experts.{expert}.',
  shared: 'mlp.shared_experts.',
  mlp: GATED_MLP,
}

export const GROUPED: GroupedNames = {
  qkv: ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'],
  out: 'self_attn.o_proj',
}

export const LATENT: LatentNames = {
  queryDown: 'self_attn.q_a_proj',
  queryDownNorm: 'self_attn.q_a_layernorm',
  queryUp: 'self_attn.q_b_proj',
  query: 'self_attn.q_proj',
  keyValueDown: 'self_attn.kv_a_proj_with_mqa',
  latentNorm: 'self_attn.kv_a_layernorm',
  keyValueUp: 'self_attn.kv_b_proj',
  keyUp: 'self_attn.k_b_proj',
  valueUp: 'self_attn.v_b_proj',
  out: 'self_attn.o_proj',
}

export const INDEXER: NonNullable<LatentNames['indexer']> = {
  query: 'self_attn.indexer.wq_b',
  key: 'self_attn.indexer.wk',
  keyNorm: 'self_attn.indexer.k_norm',
  weights: 'self_attn.indexer.weights_proj',
}

/** Of a module of multi-token prediction that is a layer past the last, beside what other layers have (DeepSeek-V3). */
export const PREDICTION_LAYER = {
  embeddingNorm: 'enorm',
  hiddenNorm: 'hnorm',
  join: 'eh_proj',
  norm: 'shared_head.norm',
} as const

/** Names of layer `index` of those that files count as one. */
export function namesOfOne<T>(names: T, index: number): T {
  if (typeof names === 'string') return names.replaceAll('{part}', String(index)) as T
  if (typeof names !== 'object' || names === null || names instanceof RegExp) return names
  if (Array.isArray(names)) return names.map(name => namesOfOne(name, index)) as T
  return Object.fromEntries(Object.entries(names).map(([key, name]) => [key, namesOfOne(name, index)])) as T
}

export const HUB_NAMES: Omit<TensorNames, 'attention'> = {
  prefixes: ['model.', ''],
  embedding: 'embed_tokens',
  finalNorm: 'norm',
  output: 'lm_head',
  layer: 'layers.{layer}.',
  attentionNorm: 'input_layernorm',
  mlpNorm: 'post_attention_layernorm',
  mlp: IN_LAYER,
  // Old copies of Llama-like models carry the rope's frequencies.
  ignored: [/\.rotary_emb\.inv_freq$/],
}

/** Gemma 3 and 4: heads of q and k are normed, and so is what attention and the MLP return. */
export const GEMMA_NAMES: TensorNames = {
  ...HUB_NAMES,
  attention: { ...GROUPED, queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' },
  attentionOutNorm: 'post_attention_layernorm',
  mlpNorm: 'pre_feedforward_layernorm',
  mlpOutNorm: 'post_feedforward_layernorm',
}
