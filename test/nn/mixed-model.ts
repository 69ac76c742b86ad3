/** A small model whose layers differ in kind of attention, heads, sizes, window, rope and MLP. */
import { deepseekV3 } from '../../src/families/deepseek/config.ts'
import { GATED_MLP, GROUPED, HUB_NAMES, LATENT } from '../../src/families/names.ts'
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

/** With made-up weights, the same for all who ask. */
export function mixedModel(): OpenedModel {
  const norms = { queryNorm: 'self_attn.q_norm', keyNorm: 'self_attn.k_norm' }
  return {
    checkpoint: new RandomCheckpoint({ model_type: 'mixed' }, 1),
    family: {
      ...deepseekV3,
      config: () => MIXED,
      names: {
        ...HUB_NAMES,
        attention: { ...GROUPED, ...norms, ...LATENT },
        moe: {
          ...{ router: 'mlp.gate', selectionBias: '', expert: 'mlp.experts.{expert}.', shared: 'mlp.shared_experts.' },
          mlp: GATED_MLP,
        },
      },
    },
    config: MIXED,
  }
}
