/** The planner's view of a model that the engine runs. */
import type { BlockOrder, ModelConfig } from '../../nn/config.ts'
import { type AttentionShape, type LayerKind, mergeKinds, type PlanModel } from '../plan-model.ts'

const NORMS_PER_LAYER: Readonly<Record<BlockOrder, number>> = { pre: 2, sandwich: 4, parallel: 1, post: 2 }

export interface ConfigSource {
  /** Default: the model's type. */
  readonly name?: string
  readonly source?: string
  /** Type the weights are stored in. Default bf16. */
  readonly weightDtype?: string
}

/** A `ModelConfig` knows no layers for multi-token prediction; a config.json does, see `planModelFromJson`. */
export function planModelFromConfig(config: ModelConfig, from: ConfigSource = {}): PlanModel {
  const { modelType, hiddenSize, vocabSize, maxPositions, moe, bias } = config
  return {
    name: from.name ?? modelType,
    source: from.source ?? 'a ModelConfig',
    modelType,
    hiddenSize,
    vocabSize,
    maxPositions,
    ...mergeKinds(
      config.layers.map(({ window, mlp }): LayerKind => {
        return {
          count: 1,
          attention: shapeOf(config.attention),
          window,
          indexer: null,
          mlp:
            mlp === 'moe' && moe
              ? {
                  kind: 'moe',
                  nExperts: moe.nExperts,
                  topK: moe.topK,
                  expertSize: moe.expertSize,
                  sharedSize: moe.sharedSize,
                  selectionBias: moe.selectionBias,
                }
              : { kind: 'dense', size: config.mlp.size },
        }
      }),
    ),
    draftLayers: [],
    norm: {
      kind: config.norm.kind,
      perLayer: NORMS_PER_LAYER[config.blockOrder],
      final: config.finalNorm,
      qk: config.attention.kind === 'grouped' && config.attention.qkNormEps !== null,
    },
    bias: { ...bias, router: false, output: false },
    gated: config.mlp.gated,
    sinks: false,
    tiedEmbeddings: config.tiedEmbeddings,
    learnedPositions: config.learnedPositions ? maxPositions : 0,
    weightDtype: from.weightDtype ?? 'bf16',
    stored: null,
    notes: [],
  }
}

function shapeOf(a: ModelConfig['attention']): AttentionShape {
  if (a.kind === 'grouped') {
    const { nHeads, nKvHeads, headDim } = a
    return { kind: 'grouped', nHeads, nKvHeads, keyDim: headDim, valueDim: headDim }
  }
  const { nHeads, qLoraRank, kvLoraRank, qkRopeHeadDim, qkNopeHeadDim, vHeadDim } = a
  return { kind: 'latent', nHeads, qLoraRank, kvLoraRank, qkRopeHeadDim, qkNopeHeadDim, vHeadDim }
}
