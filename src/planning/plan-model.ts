/** A model as the planner counts it: the descriptor with its layers put together, and the bytes of its files. */

import type { LayerDescriptor, ModelShape, SourceShape } from '../families/descriptor.ts'
import type { WeightType } from '../tensor/dtype.ts'

/** Equal layers of a model. */
export interface LayerKind extends LayerDescriptor {
  /** Number of layers. */
  readonly count: number
}

/** A model as the planner counts it: its sizes, and the bytes of its files if there are any. */
export interface PlanModel extends ModelShape {
  /** For people. */
  readonly name: string
  /** Where the sizes are from: an address, a file. */
  readonly source: string
  /** The layers, equal ones together. */
  readonly layers: readonly LayerKind[]
  /** Index into `layers` of each layer of the model, first to last. Default: one kind after the other. */
  readonly order?: readonly number[]
  /** Layers for multi-token prediction; empty: none. */
  readonly draftLayers: readonly LayerKind[]
  /** Of an encoder-decoder: what reads the source text. Default: a decoder alone. */
  readonly encoder?: PlanEncoder
  /** Type that the published weights have: a name that `weightFormat` knows. */
  readonly weightDtype: string
  /** Bytes of the tensors in the model's files, used in place of counts from sizes; null without files. */
  readonly stored: StoredWeights | null
  /** One sentence each: what was assumed. */
  readonly notes: readonly string[]
}

/** The encoder of an encoder-decoder. */
export interface PlanEncoder extends Omit<SourceShape, 'layers'> {
  /** The layers, equal ones together. */
  readonly layers: readonly LayerKind[]
}

/** Weights as a model's files have them. */
export interface StoredWeights {
  /** Types as the file calls them, most bytes first. */
  readonly dtype: string
  /** Bytes of the tensors that the engine reads. */
  readonly bytes: number
  /**
   * What the engine holds for them: blocks in tiles, whose scales of 6 bits take 8, rarer blocks as f32, and vectors as
   * f32. null: a model that it does not run.
   */
  readonly engineBytes: number | null
  /** Bytes of all tensors of the files: layers for multi-token prediction, copies and what else is never asked for. */
  readonly fileBytes: number
  /** Bytes that one token's step reads: of experts only the chosen, of the embedding one row. */
  readonly activeBytes: number
  /** Number of weights that the engine reads. */
  readonly parameters: number
  /** Type with most bytes among the layers' matrices. */
  readonly matrixType: WeightType
  /** Type of the projection to the vocabulary. */
  readonly outputType: WeightType
}

export function layerCount(layers: readonly LayerKind[]): number {
  return layers.reduce((n, l) => n + l.count, 0)
}

/** One probability matrix per layer and query head. */
export function attentionPatterns(model: PlanModel): number {
  return model.layers.reduce((n, l) => n + (l.attention.kind === 'state' ? 0 : l.count * l.attention.nHeads), 0)
}

/** Layers that are alike become one kind, so that a model of 61 layers reads as two lines. */
export function mergeKinds(layers: readonly LayerDescriptor[]): Pick<PlanModel, 'layers' | 'order'> {
  const kinds = new Map<string, LayerKind>()
  const keys = layers.map(layer => JSON.stringify(layer))
  for (const [i, layer] of layers.entries()) {
    const key = keys[i] as string
    kinds.set(key, { ...layer, count: 1 + (kinds.get(key)?.count ?? 0) })
  }
  const names = [...kinds.keys()]
  const order = keys.map(key => names.indexOf(key))
  const mixed = order.some((kind, i) => i > 0 && kind < (order[i - 1] as number))
  return { layers: [...kinds.values()], ...(mixed && { order }) }
}

/** Each layer as a kind of its own, first to last. */
export function layersInOrder({ layers, order }: Pick<PlanModel, 'layers' | 'order'>): LayerKind[] {
  const kinds = order ?? layers.flatMap((l, i) => Array.from({ length: l.count }, () => i))
  return kinds.map(i => ({ ...(layers[i] as LayerKind), count: 1 }))
}
