/** A model's tensors from its sizes alone: how many there are of each kind, their shapes and who reads them. */
import type { IndexerShape, OwnWeight } from '../families/descriptor.ts'
import type { LayerKind, PlanModel } from './plan-model.ts'

/**
 * - `lookup`: of the embedding or of learned positions, one row is read per token
 * - `output`: the head; with tied embeddings the one matrix that is both
 * - `matrix`: read whole for every token
 * - `latentUp`: W_UK and W_UV: a matrix, but what multiplies it depends on the attention path
 * - `expert`: of `experts.of` such tensors a token reads `experts.take`
 * - `router`: small matrices that stay precise when others are quantised
 * - `vector`: norms and biases
 */
export type PartRole = 'lookup' | 'output' | 'matrix' | 'latentUp' | 'expert' | 'router' | 'vector'

export interface WeightPart {
  readonly name: string
  readonly role: PartRole
  readonly rows: number
  readonly cols: number
  /** Tensors of this kind in the whole model. */
  readonly count: number
  readonly experts: { readonly of: number; readonly take: number } | null
  /** Read for a source text, not for a token that is written. Default false. */
  readonly ofSource?: boolean
}

type Sized = Pick<WeightPart, 'name' | 'role' | 'rows' | 'cols'> &
  Partial<Pick<WeightPart, 'count' | 'experts' | 'ofSource'>>

export interface PartOptions {
  /** Count the layers for multi-token prediction. */
  readonly draft: boolean
  /** With them the copies of embedding and head that checkpoints store beside them. */
  readonly draftCopies?: boolean
}

export function weightParts(model: PlanModel, { draft, draftCopies = false }: PartOptions): WeightPart[] {
  const parts = [...firstParts(model), ...model.layers.flatMap(l => layerParts(model, l)), ...lastParts(model)]
  if (draft) for (const l of model.draftLayers) parts.push(...draftParts(model, l, draftCopies))
  return whole(parts)
}

/** The same tensors by place: of one layer, before the first layer and behind the last. */
export function layerWeightParts(model: PlanModel, layer: LayerKind): WeightPart[] {
  return whole(layerParts(model, layer))
}

/** `apart`: the last is on another device than the first, which takes its own copy of an embedding that is tied. */
export function endWeightParts(
  model: PlanModel,
  { draft, apart }: Pick<PartOptions, 'draft'> & { readonly apart: boolean },
): { readonly first: WeightPart[]; readonly last: WeightPart[] } {
  const last = [...lastParts(apart ? { ...model, tiedEmbeddings: false } : model)]
  if (draft) for (const l of model.draftLayers) last.push(...draftParts(model, l, false))
  return { first: whole(firstParts(model)), last: whole(last) }
}

function whole(parts: readonly Sized[]): WeightPart[] {
  return parts.filter(p => p.rows > 0 && p.cols > 0 && p.count !== 0).map(p => ({ count: 1, experts: null, ...p }))
}

function firstParts(model: PlanModel): Sized[] {
  const { hiddenSize: D, vocabSize, learnedPositions, tiedEmbeddings, own = [] } = model
  return [
    { name: 'embedding', role: tiedEmbeddings ? 'output' : 'lookup', rows: vocabSize, cols: D },
    { name: 'positions', role: 'lookup', rows: learnedPositions, cols: D },
    ...own.map(ownPart),
    ...encoderParts(model),
  ]
}

function encoderParts(model: PlanModel): Sized[] {
  const { encoder, hiddenSize: D, norm } = model
  if (!encoder) return []
  const { layers, vocabSize, sharedEmbedding } = encoder
  const parts: Sized[] = [
    { name: 'embedding', role: 'lookup', rows: sharedEmbedding ? 0 : vocabSize, cols: D },
    ...layers.flatMap(layer => layerParts(model, layer)),
    ...normParts(model, 'final norm', norm.final ? 1 : 0),
  ]
  return parts.map(part => ({ ...part, name: `encoder ${part.name}`, ofSource: true }))
}

/** Keys and values are of the source; a norm stands before or behind the attention. */
function crossParts(model: PlanModel, { cross: a }: LayerKind): Sized[] {
  if (!a) return []
  const { hiddenSize: D, bias } = model
  const [q, k, v] = [a.nHeads * a.keyDim, a.nKvHeads * a.keyDim, a.nKvHeads * a.valueDim]
  return [
    ...normParts(model, 'cross norm', 1),
    matrix('cross q', q, D),
    { ...matrix('cross k', k, D), ofSource: true },
    { ...matrix('cross v', v, D), ofSource: true },
    matrix('cross o', D, a.nHeads * a.valueDim),
    vector('cross biases', bias.qkv ? q + k + v : 0),
    vector('cross output bias', bias.attentionOut ? D : 0),
  ]
}

function lastParts(model: PlanModel): Sized[] {
  const { hiddenSize: D, vocabSize, norm, tiedEmbeddings, bias } = model
  return [
    ...normParts(model, 'final norm', norm.final ? 1 : 0),
    { name: 'output', role: 'output', rows: tiedEmbeddings ? 0 : vocabSize, cols: D },
    vector('output bias', bias.output ? vocabSize : 0),
  ]
}

function layerParts(model: PlanModel, layer: LayerKind): Sized[] {
  const { hiddenSize: D, norm, bias } = model
  const each: Sized[] = [
    ...normParts(model, 'norms', norm.perLayer),
    ...attentionParts(model, layer),
    ...crossParts(model, layer),
    ...(layer.own ?? []).map(ownPart),
    vector('attention bias', bias.attentionOut && layer.attention.kind !== 'state' ? D : 0),
    ...(layer.indexer && !layer.indexer.shared ? indexerParts(model, layer.indexer, layer.attention) : []),
    ...mlpParts(model, layer.mlp),
    ...(layer.beside ? mlpParts(model, layer.beside) : []),
  ]
  return each.map(p => ({ ...p, count: (p.count ?? 1) * layer.count }))
}

function ownPart({ name, role, rows, cols }: OwnWeight): Sized {
  return { name, role, rows, cols }
}

function attentionParts({ hiddenSize: D, norm, bias, sinks }: PlanModel, layer: LayerKind): Sized[] {
  const { attention: a, sharesRows } = layer
  if (a.kind === 'state') return a.weights.map(ownPart)
  if (a.kind === 'grouped') {
    const q = a.nHeads * a.keyDim
    const k = sharesRows ? 0 : a.nKvHeads * a.keyDim
    const v = sharesRows || a.oneProjection ? 0 : a.nKvHeads * a.valueDim
    return [
      matrix('q', q, D),
      matrix('k', k, D),
      matrix('v', v, D),
      matrix('o', D, a.nHeads * a.valueDim),
      vector('q, k, v biases', bias.qkv ? q + k + v : 0),
      vector('head norms', norm.qk ? (sharesRows ? 1 : 2) * a.keyDim : 0),
      vector('sinks', sinks ? a.nHeads : 0),
    ]
  }
  const { nHeads: H, qLoraRank: Q, kvLoraRank: C, qkRopeHeadDim: R, qkNopeHeadDim: N, vHeadDim: V } = a
  return [
    ...(Q === null
      ? [matrix('q', H * (N + R), D)]
      : [matrix('q down', Q, D), vector('q norm', Q), matrix('q up', H * (N + R), Q)]),
    matrix('kv down', C + R, D),
    vector('kv norm', C),
    { ...matrix('kv up', H * (N + V), C), role: 'latentUp' },
    matrix('o', D, H * V),
    vector('down biases', bias.qkv ? (Q ?? 0) + C + R : 0),
  ]
}

/** Queries from the query's latent, one key for all of the indexer's heads, a LayerNorm on it, a weight per head. */
function indexerParts(
  { hiddenSize: D }: PlanModel,
  { nHeads, headDim }: IndexerShape,
  a: LayerKind['attention'],
): Sized[] {
  const queryFrom = a.kind === 'latent' ? (a.qLoraRank ?? D) : D
  return [
    matrix('indexer q', nHeads * headDim, queryFrom),
    matrix('indexer k', headDim, D),
    vector('indexer norm', 2 * headDim),
    { name: 'indexer weights', role: 'router', rows: nHeads, cols: D },
  ]
}

function mlpParts(model: PlanModel, mlp: LayerKind['mlp']): Sized[] {
  const { hiddenSize: D, bias } = model
  if (mlp.kind === 'dense') return mlpMatrices(model, 'mlp', mlp.size)
  const { nExperts: of, idle = 0 } = mlp
  const routed = (mlp.routed ?? of) + idle
  const take = mlp.topK * ((routed - idle) / routed)
  const experts = mlpMatrices(model, 'expert', mlp.expertSize).map((p): Sized => {
    return { ...p, role: p.role === 'matrix' ? 'expert' : p.role, count: of, experts: { of, take } }
  })
  return [
    { name: 'router', role: 'router', rows: routed, cols: D },
    vector('router bias', bias.router ? routed : 0),
    vector('selection bias', mlp.selectionBias ? routed : 0),
    ...experts,
    ...mlpMatrices(model, 'shared expert', mlp.sharedSize),
  ]
}

function mlpMatrices({ hiddenSize: D, gated, bias }: PlanModel, name: string, size: number): Sized[] {
  if (size === 0) return []
  return [
    matrix(`${name} gate`, gated ? size : 0, D),
    matrix(`${name} up`, size, D),
    matrix(`${name} down`, D, size),
    vector(`${name} biases`, bias.mlp ? (gated ? 2 : 1) * size + D : 0),
  ]
}

/** DeepSeek-V3 paper (arXiv 2412.19437), section 2.2: two norms, a projection from 2 D, a layer, a norm. */
function draftParts(model: PlanModel, layer: LayerKind, copies: boolean): Sized[] {
  const { hiddenSize: D, vocabSize } = model
  const each: Sized[] = [
    { name: 'draft projection', role: 'router', rows: D, cols: 2 * D },
    ...normParts(model, 'draft norms', 3),
    { name: 'draft embedding', role: 'lookup', rows: copies ? vocabSize : 0, cols: D },
    { name: 'draft output', role: 'lookup', rows: copies ? vocabSize : 0, cols: D },
  ]
  return [...each.map(p => ({ ...p, count: (p.count ?? 1) * layer.count })), ...layerParts(model, layer)]
}

function normParts({ hiddenSize, norm }: PlanModel, name: string, count: number): Sized[] {
  return [{ ...vector(name, norm.kind === 'layer' ? 2 * hiddenSize : hiddenSize), count }]
}

function matrix(name: string, rows: number, cols: number): Sized {
  return { name, role: 'matrix', rows, cols }
}

function vector(name: string, length: number): Sized {
  return { name, role: 'vector', rows: length > 0 ? 1 : 0, cols: length }
}
