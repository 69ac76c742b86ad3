/**
 * Gemma 4, text: heads of one size with a window and of another without, layers that read the keys of earlier ones, a vector of each token for
 * every layer, values that are normed; with experts (26B-A4B) or without. On the hub it stands inside a model that sees (`text_config`).
 */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { RopeConfig } from '../../nn/attention/rope.ts'
import type { LayerInputsConfig } from '../../nn/config.ts'
import { ATTENTION } from '../biases.ts'
import type { LayerDescriptor, ModelDescriptor } from '../descriptor.ts'
import type { Family } from '../family.ts'
import { GATED_MLP, GEMMA_NAMES } from '../names.ts'
import { readActivation, rmsEps } from '../read/common.ts'
import { readRope } from '../read/rope.ts'
import { type Routing, runnable } from '../runnable.ts'
import { gemma4 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

const ROUTING: Routing = { scoring: 'softmax', groups: 1, topkGroups: 1, groupScore: 'max', normalise: true, scale: 1 }

/** By the descriptor's names. */
const OWN = ['layer scale', 'gate per layer', 'input per layer', 'input norm', 'expert norms and scales']

/** Where a file says nothing of its ropes. */
const ROPES = {
  sliding_attention: { rope_type: 'default', rope_theta: 10_000 },
  full_attention: { rope_type: 'proportional', partial_rotary_factor: 0.25, rope_theta: 1_000_000 },
}

export const gemma4: Family = {
  traits: traits.gemma4,
  gguf,
  hubClass: 'Gemma4ForCausalLM',
  insideOf: ['gemma4'],
  hubBiases: [{ modules: ATTENTION, key: 'attention_bias' }],
  names: {
    ...GEMMA_NAMES,
    layerInputs: {
      table: 'embed_tokens_per_layer',
      projection: 'per_layer_model_projection',
      projectionNorm: 'per_layer_projection_norm',
      gate: 'per_layer_input_gate',
      out: 'per_layer_projection',
      norm: 'post_per_layer_input_norm',
    },
    layerScale: 'layer_scalar',
    moe: {
      router: 'router.proj',
      selectionBias: 'router.e_score_correction_bias',
      expert: 'experts.{expert}.',
      shared: 'shared_experts.',
      mlp: GATED_MLP,
      ofStream: {
        routerNorm: 'router.scale',
        factors: 'router.per_expert_scale',
        in: 'pre_feedforward_layernorm_2',
        out: 'post_feedforward_layernorm_2',
        mlpOut: 'post_feedforward_layernorm_1',
      },
    },
    // Files may have projections of keys in layers that read others'.
    ignored: [...(GEMMA_NAMES.ignored ?? []), /\.self_attn\.[kv]_(proj|norm)\.(weight|bias)$/],
  },
  config(raw, model) {
    refuseOthers(raw)
    const activation = readActivation(raw, 'hidden_activation', 'gelu_pytorch_tanh')
    const ropes = readRopes(raw, model)
    const config = runnable(raw, model, {
      attention: 'grouped',
      eps: rmsEps(raw, 1e-6),
      activation,
      blockOrder: 'sandwich',
      ropes: () => ropes,
      ropeOf: ({ window }) => (window === null ? 0 : 1),
      softmaxScale: 1,
      qkNorm: 'head',
      valueNorm: true,
      keysAreValues: true,
      sharedRows: true,
      windows: true,
      embeddingScale: Math.sqrt(model.hiddenSize),
      logitCap: raw.optionalNumber('final_logit_softcapping', { min: 0, exclusiveMin: true, max: 1e6 }),
      ofStream: true,
      routing: ROUTING,
      own: OWN,
    })
    const layerInputs = layerInputsOf(model, activation)
    if (layerInputs && layerInputs.vocabSize < model.vocabSize) {
      raw.fail(
        'vocab_size_per_layer_input',
        `at least vocab_size, ${model.vocabSize}: every token has a vector for each layer`,
      )
    }
    return { ...config, ...(layerInputs && { layerInputs }), layerScales: true }
  },
}

function refuseOthers(raw: ConfigReader): void {
  if (raw.raw('use_bidirectional_attention') === 'all' || raw.raw('use_bidirectional_attention') === true) {
    throw new UnsupportedModelError(
      `${raw.file}: bidirectional attention is not supported; latentkit decodes causally.`,
    )
  }
  if (!raw.bool('enable_moe_block', { default: false })) return
  raw.int('num_experts', { min: 1, max: 1 << 16 })
  raw.int('top_k_experts', { min: 1, max: 1 << 16 })
}

/** The rope of heads that see everything, then that of those with a window. */
function readRopes(file: ConfigReader, { layers }: ModelDescriptor): RopeConfig[] {
  const raw = file.withDefaults({ rope_parameters: ROPES })
  const sizeOf = (holds: (layer: LayerDescriptor) => boolean): number => {
    const sizes = layers.flatMap(l => (holds(l) && l.attention.kind === 'grouped' ? [l.attention.keyDim] : []))
    if (new Set(sizes).size > 1) raw.fail('per_layer_config', 'one head_dim for all layers of a type')
    return sizes[0] ?? 2
  }
  const types = [
    ['full_attention', sizeOf(layer => layer.window === null)],
    ['sliding_attention', sizeOf(layer => layer.window !== null)],
  ] as const
  return types.map(([layerType, dim]) => {
    const theta = ROPES[layerType].rope_theta
    return readRope(raw, { dim, interleaved: false, theta, layerType })
  })
}

/** From the tables that the descriptor has. */
function layerInputsOf(
  { own = [], layers }: ModelDescriptor,
  activation: LayerInputsConfig['activation'],
): LayerInputsConfig | undefined {
  const table = own.find(({ role }) => role === 'lookup')
  return table && { width: table.cols / layers.length, vocabSize: table.rows, activation }
}
