/** Grouped attention of one layer, as a conversion sees it. */
import { ggufRow } from '../checkpoint/recode/rotated-rows.ts'
import { readRows } from '../checkpoint/recode/weight-rows.ts'
import type { SourceModel } from '../conversion/source-model.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import { ropeFrequencies } from '../nn/attention/rope.ts'
import { type Dense, rowOf, zeros } from './dense.ts'
import type { Plan } from './plan.ts'

/**
 * The projections in f64. Each has a last column, its bias, as if the input ended with a 1. Rows of a head of queries and keys are in halves, whatever the
 * files have: row f and row f + d/2 are the real and the imaginary part of what frequency f rotates.
 */
export interface Attention {
  /** H */
  readonly heads: number
  /** G */
  readonly groups: number
  /** d, of a head. */
  readonly width: number
  /** D, without the 1. */
  readonly inputs: number
  /** [d / 2], radians per position. */
  readonly frequencies: Float64Array
  /** The factor of scores. */
  readonly scale: number
  /** [H d, D + 1], times that factor. */
  readonly queries: Dense
  /** [G d, D + 1] */
  readonly keys: Dense
  readonly values: Dense
  /** [D, H d] */
  readonly out: Dense
  /** [D]; null: none. */
  readonly outBias: Float64Array | null
}

/** The group of keys and values that a query head attends to. */
export function groupOf(head: number, { heads, groups }: Pick<Attention, 'heads' | 'groups'>): number {
  return Math.floor(head / (heads / groups))
}

/** Throws CheckpointError for what cannot be read. */
export async function readAttention(model: SourceModel, plan: Plan, layer: number): Promise<Attention> {
  const { heads, groups, width, inputs, rope } = plan
  const found = new Map(model.weights.map(weight => [weight.name, weight]))
  const name = (module: string) => `model.layers.${layer}.self_attn.${module}`
  const weight = (module: string) => found.get(`${name(module)}.weight`) as WeightSource
  const biased = async (module: string) => {
    const bias = found.get(`${name(module)}.bias`)
    return withBias(weight(module), bias)
  }
  const { frequencies, factor } = ropeFrequencies(rope)
  const neighbours = rope.interleaved
  const queries = inHalves(await biased('q_proj'), width, neighbours)
  // Both sides of a score have the factor of cos and sin.
  const scale = plan.softmaxScale * factor ** 2
  for (let i = 0; i < queries.values.length; i++) queries.values[i] = (queries.values[i] as number) * scale
  const outBias = found.get(`${name('o_proj')}.bias`)
  return {
    heads,
    groups,
    width,
    inputs,
    frequencies,
    scale,
    queries,
    keys: inHalves(await biased('k_proj'), width, neighbours),
    values: await biased('v_proj'),
    out: await plain(weight('o_proj')),
    outBias: outBias ? Float64Array.from(await readRows(outBias, 0, 1)) : null,
  }
}

async function plain(source: WeightSource): Promise<Dense> {
  const { rows, cols } = source
  return { rows, cols, values: Float64Array.from(await readRows(source, 0, rows)) }
}

async function withBias(source: WeightSource, bias: WeightSource | undefined): Promise<Dense> {
  const matrix = await plain(source)
  const column = bias && (await readRows(bias, 0, 1))
  const all = zeros(matrix.rows, matrix.cols + 1)
  for (let i = 0; i < matrix.rows; i++) {
    const row = rowOf(all, i)
    row.set(rowOf(matrix, i))
    row[matrix.cols] = column?.[i] ?? 0
  }
  return all
}

/** Rows of heads whose pairs are neighbours (llama.cpp's files of Llama), reordered into halves. */
function inHalves(a: Dense, width: number, neighbours: boolean): Dense {
  if (!neighbours) return a
  const moved = zeros(a.rows, a.cols)
  for (let i = 0; i < a.rows; i++) rowOf(moved, i).set(rowOf(a, ggufRow(i, width)))
  return moved
}
