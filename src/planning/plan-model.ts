/** A model as the planner counts it: the descriptor with its layers put together, and the bytes of its files. */

import type { LayerDescriptor, ModelShape } from '../families/descriptor.ts'
import type { WeightType } from '../tensor/dtype.ts'

/** Layers that are alike. */
export interface LayerKind extends LayerDescriptor {
  readonly count: number
}

export interface PlanModel extends ModelShape {
  readonly name: string
  /** Where the sizes are from: an address, a file. */
  readonly source: string
  readonly layers: readonly LayerKind[]
  /** Which of `layers` each layer of the model is, first to last. Default: one kind after the other. */
  readonly order?: readonly number[]
  readonly draftLayers: readonly LayerKind[]
  /** Type that the published weights have: a name that `weightFormat` knows. */
  readonly weightDtype: string
  /** Bytes of tensors counted in files, where there are files: they beat what is counted from the sizes. */
  readonly stored: StoredWeights | null
  /** One sentence each: what was assumed. */
  readonly notes: readonly string[]
}

export interface StoredWeights {
  /** Types as the file calls them, most bytes first. */
  readonly dtype: string
  /** Tensors that the engine reads. */
  readonly bytes: number
  /**
   * What the engine holds for them: blocks in tiles, whose scales of 6 bits take 8, rarer blocks as f32, and vectors as
   * f32. null: a model that it does not run.
   */
  readonly engineBytes: number | null
  /** All tensors of the files: layers for multi-token prediction, copies and what else is never asked for. */
  readonly fileBytes: number
  /** Bytes that one token's step reads: of experts only the chosen, of the embedding one row. */
  readonly activeBytes: number
  readonly parameters: number
  /** Of most bytes of the layers' matrices, and of the output: what a step's products run on. */
  readonly matrixType: WeightType
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
