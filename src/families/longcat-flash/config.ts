/**
 * LongCat-Flash (arXiv 2509.01322): each layer has two latent attentions and two MLPs, and beside the first MLP experts whose result joins
 * behind the second one. They are two layers here. Some experts return their input.
 */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { quote } from '../../checkpoint/quote.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Family } from '../family.ts'
import { GATED_MLP, HUB_NAMES, LATENT } from '../names.ts'
import { latentArithmetic } from '../read/latent.ts'
import { runnable } from '../runnable.ts'
import * as traits from './traits.ts'

const ATTENTION = Object.fromEntries(
  Object.entries(LATENT).map(([key, name]) => [key, String(name).replace('self_attn.', 'self_attn.{part}.')]),
) as unknown as typeof LATENT

export const longcatFlash: Family = {
  traits: traits.longcatFlash,
  hubClass: 'LongcatFlashForCausalLM',
  hubBiases: [{ modules: /\.self_attn\.\d+\.(q_a_proj|kv_a_proj_with_mqa|o_proj)$/, key: 'attention_bias' }],
  names: {
    ...HUB_NAMES,
    attentionNorm: 'input_layernorm.{part}',
    attention: ATTENTION,
    mlpNorm: 'post_attention_layernorm.{part}',
    mlp: { gate: 'mlps.{part}.gate_proj', up: 'mlps.{part}.up_proj', down: 'mlps.{part}.down_proj' },
    moe: {
      router: 'mlp.router.classifier',
      selectionBias: 'mlp.router.e_score_correction_bias',
      expert: 'mlp.experts.{expert}.',
      shared: 'mlp.shared_experts.',
      mlp: GATED_MLP,
    },
    prediction: {
      at: 'model.mtp.',
      layer: 'layers.0.',
      embeddingNorm: 'layers.0.enorm.m',
      hiddenNorm: 'layers.0.hnorm.m',
      join: 'layers.0.eh_proj',
      norm: 'norm',
      // One attention and one MLP.
      inLayer: {
        attentionNorm: 'input_layernorm',
        attention: LATENT,
        mlpNorm: 'post_attention_layernorm',
        mlp: {
          gate: 'transformer_layer.mlp.gate_proj',
          up: 'transformer_layer.mlp.up_proj',
          down: 'transformer_layer.mlp.down_proj',
        },
      },
    },
    ignored: [...(HUB_NAMES.ignored ?? []), /^model\.mtp\./],
  },
  config(raw, model) {
    refuseOthers(raw)
    const { hiddenSize: D } = model
    const config = runnable(raw, model, {
      ...latentArithmetic(raw, { interleaved: true, theta: 10_000_000, eps: 1e-5 }),
      latentScales: ({ qLoraRank, kvLoraRank: C }) => ({
        query: qLoraRank === null ? 1 : Math.sqrt(D / qLoraRank),
        keyValue: Math.sqrt(D / C),
      }),
      idleExperts: true,
      routing: {
        ...{ scoring: 'softmax', groups: 1, topkGroups: 1, groupScore: 'max' },
        normalise: false,
        scale: raw.number('routed_scaling_factor', { min: 0, exclusiveMin: true, default: 6 }),
      },
    })
    return { ...config, layersInOne: 2 }
  },
}

/** Switches that no published model has otherwise, and that programs read in different ways. */
function refuseOthers(raw: ConfigReader): void {
  const refuse = (what: string): never => {
    throw new UnsupportedModelError(`${raw.file}: longcat_flash with ${what} is not supported.`)
  }
  raw.int('n_routed_experts', { min: 1, max: 1 << 16 })
  // Absent it is 256 to transformers, and 0 to others.
  if (!raw.keys().includes('zero_expert_num')) raw.missing('zero_expert_num', 'a number of experts, which may be 0')
  const method = raw.optionalString('attention_method') ?? 'MLA'
  if (!/^mla$/i.test(method)) refuse(`an attention_method of ${quote(method, 60)}`)
  if (raw.bool('norm_topk_prob', { default: false })) refuse('weights of experts that are normalised (norm_topk_prob)')
  for (const key of ['use_ngram_embedding', 'ngram_vocab_size_ratio', 'emb_neighbor_num', 'oe_vocab_size_ratio']) {
    if (raw.raw(key)) refuse(`an embedding of n-grams (${key})`)
  }
  const idle = raw.optionalString('zero_expert_type') ?? 'identity'
  if (idle !== 'identity') refuse(`a zero_expert_type of ${quote(idle, 60)}; "identity" is`)
  if (raw.bool('router_bias', { default: false })) refuse('a bias of its router (router_bias)')
  for (const key of ['mla_scale_q_lora', 'mla_scale_kv_lora']) {
    if (!raw.bool(key, { default: true })) refuse(`latents that are not scaled (${key})`)
  }
}
