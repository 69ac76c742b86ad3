/** The same model with other attention: what its cache would be. */
import { OptionError } from '../errors.ts'
import type { AttentionShape, GroupedShape, LatentShape } from '../families/descriptor.ts'
import type { LayerKind, PlanModel } from './plan-model.ts'

/** The names that `whatIf` takes, for messages and help. */
export const WHAT_IFS = 'mha, gqaN (such as gqa8), mqa, expanded, mlaC or mlaC+R (such as mla512 or mla512+64)'

/** Result of `whatIf`. */
export interface WhatIf {
  /** `MHA`, `GQA-8`, `MQA`, `MLA, expanded`, `MLA 256 + 64`. */
  readonly title: string
  /** The model with that attention, without the bytes of its files. */
  readonly model: PlanModel
}

/**
 * `model` with its attention replaced in all layers that attend; windows stay, and so do layers with a state. Heads and their width stay too: as MHA, GQA or MQA
 * an MLA's heads are as wide as its values, which is what W_O expects. An indexer stays with MLA only.
 */
export function whatIf(model: PlanModel, text: string): WhatIf {
  const name = text.trim().toLowerCase()
  const [, gqa] = /^gqa-?(\d+)$/.exec(name) ?? []
  const [, rank, rope] = /^mla-?(\d+)(?:\+(\d+))?$/.exec(name) ?? []
  if (name === 'mha') return { title: 'MHA', model: replace(model, a => grouped(a, a.nHeads)) }
  if (name === 'mqa' || gqa === '1') return { title: 'MQA', model: replace(model, a => grouped(a, 1)) }
  if (gqa)
    return { title: `GQA-${Number(gqa)}`, model: replace(model, a => grouped(a, groupsOf(a, Number(gqa), text))) }
  if (name === 'expanded') return { title: 'MLA, expanded', model: replace(model, a => expanded(a, model)) }
  if (rank) {
    const c = sized(rank, text)
    const r = rope === undefined ? undefined : sized(rope, text)
    const made = replace(model, a => latent(a, c, r), true)
    const shape = made.layers.map(l => l.attention).find(a => a.kind === 'latent') as LatentShape
    return { title: `MLA ${shape.kvLoraRank} + ${shape.qkRopeHeadDim}`, model: made }
  }
  throw new OptionError(
    `There is nothing called ${JSON.stringify(text.slice(0, 60))} to compare with; there are ${WHAT_IFS}.`,
  )
}

function replace(model: PlanModel, shape: (a: AttentionShape) => AttentionShape, keepIndexer = false): PlanModel {
  const kind = (l: LayerKind): LayerKind => {
    if (l.attention.kind === 'state') return l
    return { ...l, attention: shape(l.attention), indexer: keepIndexer ? l.indexer : null }
  }
  return { ...model, layers: model.layers.map(kind), draftLayers: model.draftLayers.map(kind), stored: null }
}

function grouped(a: AttentionShape, nKvHeads: number): GroupedShape {
  const dim = a.kind === 'latent' ? a.vHeadDim : a.valueDim
  return { kind: 'grouped', nHeads: a.nHeads, nKvHeads, keyDim: dim, valueDim: dim }
}

function groupsOf(a: AttentionShape, n: number, text: string): number {
  if (n >= 1 && a.nHeads % n === 0) return n
  throw new OptionError(`${text}: the ${a.nHeads} heads of this model cannot share ${n} key-value heads evenly.`)
}

/** A key and a value for every head, as engines cache an MLA that they do not absorb. */
function expanded(a: AttentionShape, model: PlanModel): GroupedShape {
  if (a.kind === 'grouped') {
    throw new OptionError(`expanded: ${model.name} has no latents that could be expanded; mha is what you may mean.`)
  }
  const { nHeads, qkNopeHeadDim, qkRopeHeadDim, vHeadDim } = a
  return { kind: 'grouped', nHeads, nKvHeads: nHeads, keyDim: qkNopeHeadDim + qkRopeHeadDim, valueDim: vHeadDim }
}

/** For heads of width d, DeepSeek's rope part is half as wide as the rest; here it is the default too. */
function latent(a: AttentionShape, kvLoraRank: number, rope: number | undefined): LatentShape {
  if (a.kind === 'latent') return { ...a, kvLoraRank, qkRopeHeadDim: rope ?? a.qkRopeHeadDim }
  return {
    kind: 'latent',
    nHeads: a.nHeads,
    qLoraRank: null,
    kvLoraRank,
    qkRopeHeadDim: rope ?? Math.ceil(a.keyDim / 2),
    qkNopeHeadDim: a.keyDim,
    vHeadDim: a.valueDim,
  }
}

function sized(digits: string, text: string): number {
  const n = Number(digits)
  if (n >= 1 && n <= 1 << 16) return n
  throw new OptionError(`${text}: expected a rank from 1 to 65536.`)
}
