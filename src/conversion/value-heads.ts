/** Heads of values in the order in which they take those of keys: by turns in llama.cpp's files of some models, neighbours on the hub. */
import { computed, reordered } from '../checkpoint/recode/derived.ts'
import { readRows } from '../checkpoint/recode/weight-rows.ts'
import type { DeltaRuleNames } from '../families/family.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import type { DeltaRuleConfig } from '../nn/states/config.ts'

type Sizes = Pick<DeltaRuleConfig, 'nHeads' | 'nKeyHeads' | 'keyDim' | 'valueDim'>

/** The weights that have a part for each head of values. */
type Names = Pick<DeltaRuleNames, 'qkv' | 'kernels' | 'beta' | 'decay' | 'decayRate' | 'decayBias' | 'gate' | 'out'>

/** `by-turns`: from neighbours to turns; `neighbours`: back. */
type HeadOrder = 'by-turns' | 'neighbours'

/** Which of these modules of a layer the tensor belongs to. */
export function moduleIn(tensor: string, modules: readonly string[]): string | undefined {
  const whole = tensor.replace(/\.(weight|bias)$/, '')
  return modules.find(module => whole.endsWith(`.${module}`))
}

/** A weight of a layer (`names`) with its heads in that order. What has no part for each head stays as it is. */
export function withHeadsOrdered(source: WeightSource, names: Names, sizes: Sizes, to: HeadOrder): WeightSource {
  const { nHeads: H, nKeyHeads: G, keyDim: dk, valueDim: dv } = sizes
  if (H === G) return source
  const perHead = [...names.decay, names.beta, names.decayRate, names.decayBias]
  const module = moduleIn(source.name, [names.out, ...names.qkv, ...names.kernels, ...names.gate, ...perHead])
  if (module === undefined) return source
  const share = H / G
  const from = (head: number) =>
    to === 'by-turns' ? (head % G) * share + Math.floor(head / G) : (head % share) * G + Math.floor(head / share)
  const order = (at: number, width: number) => from(Math.floor(at / width)) * width + (at % width)
  if (module === names.out) return columnsReordered(source, column => order(column, dv))
  if (perHead.includes(module)) return rowsReordered(source, H, from)
  // q and k are in front, in those that are of all three.
  const keys = names.gate.includes(module) ? 0 : 2 * G * dk
  return rowsReordered(source, keys + H * dv, row => (row < keys ? row : keys + order(row - keys, dv)))
}

/** `source` may be a vector, which has so many rows that follow one another. */
function rowsReordered(source: WeightSource, rows: number, order: (row: number) => number): WeightSource {
  const cols = (source.rows * source.cols) / rows
  const moved = reordered({ ...source, rows, cols }, rows, order)
  return { ...moved, rows: source.rows, cols: source.cols }
}

function columnsReordered(source: WeightSource, order: (column: number) => number): WeightSource {
  const { rows, cols } = source
  return computed(source, rows, cols, async (start, count) => {
    const stored = await readRows(source, start, count)
    return Float32Array.from(stored, (_, i) => stored[i - (i % cols) + order(i % cols)]!)
  })
}
