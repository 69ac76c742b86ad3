/** Weights that a family has beside those of others, as descriptors name them. */
import type { LayerDescriptor, OwnWeight } from '../descriptor.ts'

/** Of a layer of Gemma 4: its scale, what reads the vectors of tokens for it, `width` wide, and what its experts beside the MLP have. */
export function gemma4Weights(D: number, width: number, nExperts: number | undefined): OwnWeight[] {
  return [
    vector('layer scale', 1),
    ...(width > 0
      ? [matrix('gate per layer', width, D), matrix('input per layer', D, width), vector('input norm', D)]
      : []),
    ...(nExperts === undefined ? [] : [vector('expert norms and scales', 4 * D + nExperts)]),
  ]
}

/** Of a model whose tokens have a vector for each layer. */
export function perLayerWeights(D: number, layers: number, width: number, vocabulary: number): OwnWeight[] {
  return [
    { name: 'embedding per layer', role: 'lookup', rows: vocabulary, cols: layers * width },
    matrix('projection per layer', layers * width, D),
    vector('projection norm', width),
  ]
}

export function matrix(name: string, rows: number, cols: number): OwnWeight {
  return { name, role: 'matrix', rows, cols }
}

export function vector(name: string, length: number): OwnWeight {
  return { name, role: 'vector', rows: 1, cols: length }
}

/** A matrix whose rows tensor-parallel ranks divide. */
export function split(name: string, rows: number, cols: number): OwnWeight {
  return { ...matrix(name, rows, cols), split: 'rows' }
}

/** The layer with weights of its own beside those that it has. */
export function withOwn(layer: LayerDescriptor, own: readonly OwnWeight[]): LayerDescriptor {
  return { ...layer, own: [...(layer.own ?? []), ...own] }
}
