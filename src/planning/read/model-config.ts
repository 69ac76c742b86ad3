/** The planner's view of a model that the engine runs. */

import { gemma4Weights, perLayerWeights } from '../../families/describe/own-weights.ts'
import { convolutionShape, deltaNetShape, kimiDeltaShape } from '../../families/describe/states.ts'
import type {
  AttentionShape,
  GroupedShape,
  LayerDescriptor,
  MoeShape,
  OwnWeight,
  StateShape,
} from '../../families/descriptor.ts'
import { DISTANCES } from '../../families/traits.ts'
import type { GroupedAttentionConfig } from '../../nn/attention/config.ts'
import type { DistanceBiasConfig } from '../../nn/attention/distance-bias.ts'
import { type BlockOrder, type LayerConfig, type ModelConfig, type MoeConfig, maxHeads } from '../../nn/config.ts'
import { mergeKinds, type PlanModel } from '../plan-model.ts'

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
  const { modelType, hiddenSize, vocabSize, maxPositions, bias, layers, layerInputs, source } = config
  return {
    name: from.name ?? modelType,
    source: from.source ?? 'a ModelConfig',
    modelType,
    hiddenSize,
    vocabSize,
    maxPositions,
    ...mergeKinds(kindsOf(config)),
    ...(layerInputs && { own: perLayerWeights(hiddenSize, layers.length, layerInputs.width, layerInputs.vocabSize) }),
    draftLayers: [],
    ...(source && {
      encoder: {
        layers: mergeKinds(kindsOf(source.encoder)).layers,
        vocabSize: source.encoder.vocabSize,
        sharedEmbedding: source.sharedEmbedding,
      },
    }),
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

function kindsOf(config: ModelConfig): LayerDescriptor[] {
  return config.layers.map(({ attention, window, mlp, beside, cross }, i) => {
    const own = [
      ...ownOf(attention, config, i === 0),
      ...(config.layerScales ? gemma4Weights(config.hiddenSize, config.layerInputs?.width ?? 0, beside?.nExperts) : []),
    ]
    return {
      attention: shapeOf(attention, config),
      window,
      indexer: indexerOf(attention),
      ...(cross && { cross: shapeOf(cross, config) as GroupedShape }),
      ...(own.length > 0 && { own }),
      mlp: mlp.kind === 'moe' ? shapeOfExperts(mlp) : { kind: 'dense', size: mlp.size },
      ...(beside && { beside: shapeOfExperts(beside) }),
      ...(attention.kind === 'grouped' && attention.keysOf !== undefined && { sharesRows: true }),
    }
  })
}

function shapeOfExperts({ nExperts, topK, expertSize, sharedSize, selectionBias, idle }: MoeConfig): MoeShape {
  return { kind: 'moe', nExperts, topK, expertSize, sharedSize, selectionBias, ...(idle && { idle }) }
}

/** As the descriptor has them. */
function ownOf(
  a: LayerConfig['attention'],
  { hiddenSize: D, distanceBias, bias }: ModelConfig,
  first: boolean,
): OwnWeight[] {
  if (a.kind !== 'grouped') return []
  const width = a.nHeads * a.headDim
  const gate: OwnWeight = { name: 'attention gate', role: 'matrix', rows: width, cols: D, split: 'rows' }
  const gateBias: OwnWeight = { name: 'gate bias', role: 'vector', rows: 1, cols: width }
  return [
    ...(a.qkNormWide ? [wideNorms(a)] : []),
    ...(a.gated ? [gate] : []),
    ...(a.gated && bias.qkv ? [gateBias] : []),
    ...(first && distanceBias ? [distances(distanceBias, a.nHeads)] : []),
  ]
}

function distances({ buckets }: DistanceBiasConfig, heads: number): OwnWeight {
  return { name: DISTANCES, role: 'vector', rows: buckets, cols: heads }
}

function wideNorms({ nHeads, nKvHeads, headDim }: GroupedAttentionConfig): OwnWeight {
  return { name: 'q, k norms', role: 'vector', rows: 1, cols: (nHeads + nKvHeads) * headDim }
}

function indexerOf(a: LayerConfig['attention']): LayerDescriptor['indexer'] {
  if (a.kind !== 'latent' || !a.indexer) return null
  const { nHeads, headDim, topK, shared } = a.indexer
  return { nHeads, headDim, topK, ...(shared && { shared }) }
}

function shapeOf(a: LayerConfig['attention'], config: ModelConfig): AttentionShape | StateShape {
  const { hiddenSize: D } = config
  if (a.kind === 'convolution') return convolutionShape({ D, kernel: a.kernel, bias: a.bias, heads: maxHeads(config) })
  if (a.kind === 'delta') {
    const { nHeads: H, nKeyHeads: K, keyDim: dk, valueDim: dv, kernel, lowRank, decay } = a
    return decay === 'channel'
      ? kimiDeltaShape({ D, H, d: dk, kernel, lowRank })
      : deltaNetShape({ D, K, V: H, dk, dv, kernel })
  }
  if (a.kind === 'grouped') {
    const { nHeads, nKvHeads, headDim, keysAreValues } = a
    const sizes = { nHeads, nKvHeads, keyDim: headDim, valueDim: headDim }
    return { kind: 'grouped', ...sizes, ...(keysAreValues && { oneProjection: true }) }
  }
  const { nHeads, qLoraRank, kvLoraRank, qkRopeHeadDim, qkNopeHeadDim, vHeadDim } = a
  return { kind: 'latent', nHeads, qLoraRank, kvLoraRank, qkRopeHeadDim, qkNopeHeadDim, vHeadDim }
}
