/** A small model whose layers differ in kind of attention, heads, sizes, window, rope and MLP. */
import { deepseekV3 } from '../../src/families/deepseek/config.ts'
import { GATED_MLP, GROUPED, HUB_NAMES, INDEXER, LATENT } from '../../src/families/names.ts'
import { kimiDelta, kimiDeltaNames } from '../../src/families/read/delta.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import type { GroupedAttentionConfig, LatentAttentionConfig } from '../../src/nn/attention/config.ts'
import type { DenseMlpConfig, ModelConfig, MoeConfig } from '../../src/nn/config.ts'
import { RandomCheckpoint } from '../support/random-model.ts'

function grouped(nHeads: number, nKvHeads: number, headDim: number, qkNorm = false): GroupedAttentionConfig {
  const softmaxScale = headDim ** -0.5
  return { kind: 'grouped', nHeads, nKvHeads, headDim, softmaxScale, qkNormEps: qkNorm ? 1e-5 : null }
}

function latent(
  nHeads: number,
  qLoraRank: number | null,
  kvLoraRank: number,
  [qkNopeHeadDim, qkRopeHeadDim, vHeadDim]: readonly [number, number, number],
): LatentAttentionConfig {
  const softmaxScale = (qkNopeHeadDim + qkRopeHeadDim) ** -0.5
  const sizes = { nHeads, qLoraRank, kvLoraRank, qkNopeHeadDim, qkRopeHeadDim, vHeadDim }
  return { kind: 'latent', ...sizes, softmaxScale, latentNormEps: 1e-6 }
}

const dense = (size: number): DenseMlpConfig => ({ kind: 'dense', size, activation: 'silu', gated: true })
const MOE: MoeConfig = {
  ...{ kind: 'moe', nExperts: 4, topK: 2, expertSize: 9, sharedSize: 7, activation: 'silu', selectionBias: false },
  ...{ scoring: 'softmax', groups: 1, topkGroups: 1, groupScore: 'max', normalise: true, scale: 1 },
}
const rope = (dim: number, interleaved: boolean) => ({
  dim,
  theta: 1000,
  interleaved,
  scaling: { kind: 'none' } as const,
})

/** Two cache groups, each with layers of both kinds. */
export const MIXED: ModelConfig = {
  ...{ modelType: 'mixed', vocabSize: 53, hiddenSize: 22, nLayers: 6, maxPositions: 2048, blockOrder: 'pre' },
  ropes: [rope(4, true), rope(6, false), rope(8, false)],
  layers: [
    { attention: latent(3, 7, 20, [6, 4, 5]), rope: 0, window: null, mlp: dense(31) },
    { attention: grouped(4, 2, 6), rope: 1, window: 37, mlp: dense(17) },
    { attention: grouped(2, 1, 10), rope: null, window: null, mlp: MOE },
    { attention: latent(2, null, 12, [4, 6, 8]), rope: 1, window: 37, mlp: dense(31) },
    { attention: grouped(3, 3, 8, true), rope: 2, window: null, mlp: MOE },
    { attention: latent(5, null, 9, [3, 8, 2]), rope: 2, window: null, mlp: dense(5) },
  ],
  norm: { kind: 'rms', eps: 1e-5 },
  ...{ embeddingScale: 2, residualScale: 1, logitScale: 0.5, learnedPositions: false, finalNorm: true },
  bias: { qkv: false, attentionOut: false, mlp: false },
  ...{ tiedEmbeddings: false, bosTokenId: null, eosTokenIds: [] },
}

const STATES = kimiDelta({ heads: 2, dim: 6, kernel: 3 }, { lowRank: null, decayFloor: -5, normEps: 1e-5 })
const INDEXED: LatentAttentionConfig = {
  ...latent(3, 7, 20, [6, 4, 5]),
  indexer: { nHeads: 2, headDim: 8, topK: 24, shared: false, interleaved: true },
}

/** The same with layers that carry states, and with one whose queries choose their keys. */
export const ALL_KINDS: ModelConfig = {
  ...MIXED,
  layers: [
    { attention: INDEXED, rope: 0, window: null, mlp: dense(31) },
    { attention: STATES, rope: null, window: null, mlp: MOE },
    { attention: grouped(4, 2, 6), rope: 1, window: 37, mlp: dense(17) },
    {
      attention: { kind: 'convolution', channels: 22, kernel: 3, bias: false },
      rope: null,
      window: null,
      mlp: dense(9),
    },
    { attention: latent(2, null, 12, [4, 6, 8]), rope: 1, window: null, mlp: dense(31) },
    { attention: STATES, rope: null, window: null, mlp: dense(5) },
  ],
}

/** With made-up weights, the same for all who ask. */
export function mixedModel(config: ModelConfig = MIXED): OpenedModel {
  const norms = { queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' }
  return {
    checkpoint: new RandomCheckpoint({ model_type: 'mixed' }, 1),
    family: {
      ...deepseekV3,
      config: () => config,
      names: {
        ...HUB_NAMES,
        attention: { ...GROUPED, ...norms, ...LATENT, indexer: INDEXER },
        convolution: { in: 'conv.in_proj', kernel: 'conv.conv', out: 'conv.out_proj' },
        delta: kimiDeltaNames('self_attn.', { decay: ['self_attn.f_proj'], gate: ['self_attn.g_proj'] }),
        moe: {
          ...{ router: 'mlp.gate', selectionBias: '', expert: 'mlp.experts.{expert}.', shared: 'mlp.shared_experts.' },
          mlp: GATED_MLP,
        },
      },
    },
    config,
  }
}
