/** The planner's view of a model that the engine runs. */

import { convolutionShape, deltaNetShape, kimiDeltaShape } from '../../families/describe/states.ts'
import type { AttentionShape, OwnWeight, StateShape } from '../../families/descriptor.ts'
import type { GroupedAttentionConfig } from '../../nn/attention/config.ts'
import { type BlockOrder, type LayerConfig, type ModelConfig, mostHeads } from '../../nn/config.ts'
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
          attention: shapeOf(attention, config),
          window,
          indexer: indexerOf(attention),
          ...ownOf(attention, hiddenSize),
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

/** As the descriptor has them. */
function ownOf(a: LayerConfig['attention'], D: number): { readonly own?: readonly OwnWeight[] } {
  if (a.kind !== 'grouped') return {}
  const gate: OwnWeight = { name: 'attention gate', role: 'matrix', rows: a.nHeads * a.headDim, cols: D, split: 'rows' }
  const own = [...(a.qkNormWide ? [wideNorms(a)] : []), ...(a.gated ? [gate] : [])]
  return own.length > 0 ? { own } : {}
}

function wideNorms({ nHeads, nKvHeads, headDim }: GroupedAttentionConfig): OwnWeight {
  return { name: 'q, k norms', role: 'vector', rows: 1, cols: (nHeads + nKvHeads) * headDim }
}

function indexerOf(a: LayerConfig['attention']): LayerKind['indexer'] {
  if (a.kind !== 'latent' || !a.indexer) return null
  const { nHeads, headDim, topK, shared } = a.indexer
  return { nHeads, headDim, topK, ...(shared && { shared }) }
}

function shapeOf(a: LayerConfig['attention'], config: ModelConfig): AttentionShape | StateShape {
  const { hiddenSize: D } = config
  if (a.kind === 'convolution') return convolutionShape({ D, kernel: a.kernel, bias: a.bias, heads: mostHeads(config) })
  if (a.kind === 'delta') {
    const { nHeads: H, nKeyHeads: K, keyDim: dk, valueDim: dv, kernel, lowRank, decay } = a
    return decay === 'channel'
      ? kimiDeltaShape({ D, H, d: dk, kernel, lowRank })
      : deltaNetShape({ D, K, V: H, dk, dv, kernel })
  }
  if (a.kind === 'grouped') {
    const { nHeads, nKvHeads, headDim } = a
    return { kind: 'grouped', nHeads, nKvHeads, keyDim: headDim, valueDim: headDim }
  }
  const { nHeads, qLoraRank, kvLoraRank, qkRopeHeadDim, qkNopeHeadDim, vHeadDim } = a
  return { kind: 'latent', nHeads, qLoraRank, kvLoraRank, qkRopeHeadDim, qkNopeHeadDim, vHeadDim }
}
