/** The planner's view of a model that the engine runs. */

import type { AttentionShape, OwnWeight } from '../../families/descriptor.ts'
import type { AttentionConfig, GroupedAttentionConfig } from '../../nn/attention/config.ts'
import type { BlockOrder, ModelConfig } from '../../nn/config.ts'
import { type LayerKind, mergeKinds, type PlanModel } from '../plan-model.ts'

const NORMS_PER_LAYER: Readonly<Record<BlockOrder, number>> = { pre: 2, sandwich: 4, parallel: 1, post: 2, after: 2 }

/** What a `ModelConfig` does not say of its model. */
export interface ConfigSource {
  /** Default: the model's type. */
  readonly name?: string
  /** Where the sizes are from, for people. Default `a ModelConfig`. */
  readonly source?: string
  /** Type the weights are stored in. Default bf16. */
  readonly weightDtype?: string
}

/** The planner's view of a model that the engine runs. A `ModelConfig` has no layers for multi-token prediction; a config.json does, see `planModelFromJson`. */
export function planModelFromConfig(config: ModelConfig, from: ConfigSource = {}): PlanModel {
  const { modelType, hiddenSize, vocabSize, maxPositions, bias, layers } = config
  return {
    name: from.name ?? modelType,
    source: from.source ?? 'a ModelConfig',
    modelType,
    hiddenSize,
    vocabSize,
    maxPositions,
    ...mergeKinds(
      layers.map(({ attention, window, mlp }): LayerKind => {
        return {
          count: 1,
          attention: shapeOf(attention),
          window,
          indexer: indexerOf(attention),
          ...(attention.kind === 'grouped' && attention.qkNormWide && { own: [wideNorms(attention)] }),
          mlp:
            mlp.kind === 'moe'
              ? {
                  kind: 'moe',
                  nExperts: mlp.nExperts,
                  topK: mlp.topK,
                  expertSize: mlp.expertSize,
                  sharedSize: mlp.sharedSize,
                  selectionBias: mlp.selectionBias,
                }
              : { kind: 'dense', size: mlp.size },
        }
      }),
    ),
    draftLayers: [],
    norm: {
      kind: config.norm.kind,
      perLayer: NORMS_PER_LAYER[config.blockOrder],
      final: config.finalNorm,
      qk: layers.some(({ attention: a }) => a.kind === 'grouped' && a.qkNormEps !== null && !a.qkNormWide),
    },
    bias: { ...bias, router: layers.some(({ mlp }) => mlp.kind === 'moe' && mlp.biased === true), output: false },
    gated: layers.every(({ mlp }) => mlp.kind === 'moe' || mlp.gated),
    sinks: layers.some(({ attention: a }) => a.kind === 'grouped' && a.sinks === true),
    tiedEmbeddings: config.tiedEmbeddings,
    learnedPositions: config.learnedPositions ? maxPositions : 0,
    weightDtype: from.weightDtype ?? 'bf16',
    stored: null,
    notes: [],
  }
}

/** As the descriptor of OLMo 2 has them. */
function wideNorms({ nHeads, nKvHeads, headDim }: GroupedAttentionConfig): OwnWeight {
  return { name: 'q, k norms', role: 'vector', rows: 1, cols: (nHeads + nKvHeads) * headDim }
}

function indexerOf(a: AttentionConfig): LayerKind['indexer'] {
  if (a.kind === 'grouped' || !a.indexer) return null
  const { nHeads, headDim, topK, shared } = a.indexer
  return { nHeads, headDim, topK, ...(shared && { shared }) }
}

function shapeOf(a: AttentionConfig): AttentionShape {
  if (a.kind === 'grouped') {
    const { nHeads, nKvHeads, headDim } = a
    return { kind: 'grouped', nHeads, nKvHeads, keyDim: headDim, valueDim: headDim }
  }
  const { nHeads, qLoraRank, kvLoraRank, qkRopeHeadDim, qkNopeHeadDim, vHeadDim } = a
  return { kind: 'latent', nHeads, qLoraRank, kvLoraRank, qkRopeHeadDim, qkNopeHeadDim, vHeadDim }
}
