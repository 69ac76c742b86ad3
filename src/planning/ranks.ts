/**
 * One rank's share of a stage. Tensor parallel: heads, MLP width and vocabulary are divided; a latent is one head, so every rank
 * keeps all of it. Data parallel: sequences are divided, weights repeated. Expert parallel: experts are divided over
 * all ranks of both.
 */
import { OptionError } from '../errors.ts'
import type { MoeShape, OwnWeight } from '../families/descriptor.ts'
import type { LayerKind, PlanModel } from './plan-model.ts'
import { tensorBytes, type WeightFormat } from './weight-format.ts'
import { type PartOptions, type WeightPart, weightParts } from './weight-parts.ts'

/** How a model is divided over devices. */
export interface Ranks {
  /** Ranks that divide heads, MLP width and vocabulary. */
  readonly tensorParallel: number
  /** Ranks that divide the sequences and repeat the weights. */
  readonly dataParallel: number
  /** Whole experts on each rank instead of a slice of every expert. */
  readonly expertParallel: boolean
  /** Stages of whole layers, one after the other; each is divided into the ranks above. */
  readonly pipelineParallel: number
}

export const ONE_RANK: Ranks = { tensorParallel: 1, dataParallel: 1, expertParallel: false, pipelineParallel: 1 }

/** Of all stages. */
export function deviceCount(ranks: Ranks): number {
  return rankCount(ranks) * ranks.pipelineParallel
}

/** Of one stage. */
export function rankCount({ tensorParallel, dataParallel }: Ranks): number {
  return tensorParallel * dataParallel
}

/** Sequences of the rank that has most. */
export function rankBatch(batch: number, { dataParallel }: Ranks): number {
  return Math.ceil(batch / dataParallel)
}

/**
 * The model as one rank sees it: the same tensors with fewer rows or columns. With whole experts on each rank, `topK`
 * is how many of its experts a token of any rank chooses on average.
 */
export function rankModel(model: PlanModel, ranks: Ranks): PlanModel {
  const { tensorParallel: n } = ranks
  const total = rankCount(ranks)
  if (total === 1) return model
  const share = (size: number) => Math.ceil(size / n)
  const experts = (moe: MoeShape): MoeShape => ({
    ...moe,
    sharedSize: share(moe.sharedSize),
    ...(ranks.expertParallel
      ? { nExperts: Math.ceil(moe.nExperts / total), topK: moe.topK / total, routed: moe.nExperts }
      : { expertSize: share(moe.expertSize) }),
  })
  const kind = (layer: LayerKind): LayerKind => {
    const { mlp, beside } = layer
    return {
      ...layer,
      attention: rankAttention(layer.attention, n, model.name),
      ...(layer.own && { own: rankOwn(layer.own, n) }),
      mlp: mlp.kind === 'dense' ? { ...mlp, size: share(mlp.size) } : experts(mlp),
      ...(beside && { beside: experts(beside) }),
    }
  }
  return {
    ...model,
    vocabSize: share(model.vocabSize),
    layers: model.layers.map(kind),
    draftLayers: model.draftLayers.map(kind),
  }
}

function rankAttention(a: LayerKind['attention'], n: number, name: string): LayerKind['attention'] {
  const refuse = (what: string): never => {
    throw new OptionError(
      `${name} has ${what}, which ${n} tensor-parallel ranks cannot divide evenly; use a divisor, or data-parallel ranks.`,
    )
  }
  if (a.nHeads % n !== 0) refuse(`${a.nHeads} heads`)
  if (a.kind === 'state') {
    return { ...a, nHeads: a.nHeads / n, numbers: a.numbers / n, weights: rankOwn(a.weights, n) }
  }
  if (a.kind === 'latent') return { ...a, nHeads: a.nHeads / n }
  if (a.nKvHeads % n !== 0 && n % a.nKvHeads !== 0) refuse(`${a.nKvHeads} key-value heads`)
  return { ...a, nHeads: a.nHeads / n, nKvHeads: Math.max(1, a.nKvHeads / n) }
}

function rankOwn(weights: readonly OwnWeight[], n: number): OwnWeight[] {
  return weights.map(w => ({
    ...w,
    ...(w.split === 'rows' && { rows: Math.ceil(w.rows / n) }),
    ...(w.split === 'cols' && { cols: Math.ceil(w.cols / n) }),
  }))
}

/** Bytes of one rank's weights: of each tensor the part that it keeps. */
export function rankWeightBytes(model: PlanModel, ranks: Ranks, format: WeightFormat, options: PartOptions): number {
  return keptBytes(weightParts(model, options), weightParts(rankModel(model, ranks), options), format)
}

/** Bytes of the parts that one rank keeps of the same whole ones. */
export function keptBytes(whole: readonly WeightPart[], kept: readonly WeightPart[], format: WeightFormat): number {
  // Sizes never become 0, so both lists have the same tensors in the same order.
  return whole.reduce((bytes, part, i) => {
    const own = kept[i] as typeof part
    const share = (own.rows * own.cols * own.count) / (part.rows * part.cols * part.count)
    return bytes + Math.ceil(part.count * tensorBytes(part, format) * share)
  }, 0)
}
