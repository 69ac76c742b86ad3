import type { Tensor } from '../../tensor/tensor.ts'
import type { AttentionArgs } from '../contract/attention-args.ts'
import type { RowSlice } from '../contract/cached-rows.ts'
import { axisOf, expect, expectDense, expectStrided, strideOf } from './check.ts'
import type { CommandList } from './command-list.ts'
import { expectSequences, expectSlice, joinSlices, putSlice } from './slices.ts'

/** As `MAX_KEY_SLICES` in native/ops/attention/record.h. */
const MAX_KEY_SLICES = 8

/** `exact`: f32 factors, whatever the rows are stored as. */
export function attention(list: CommandList, args: AttentionArgs, exact: boolean): void {
  const { out, q, values, sequences, window, lse, sinkLogits, scores, scoresStart = 0 } = args
  const T = axisOf(q, 0)
  const H = axisOf(q, 1)
  const keys = joinNeighbours(args.keys)
  checkArgs(args, T, H)
  expect('attention: keys', keys.length > 0 && keys.length <= MAX_KEY_SLICES, `1 to ${MAX_KEY_SLICES} slices`)
  // The core knows the number of keys and finds the work itself.
  list.begin('attention', 0)
  list.put(exact || factorsOf(args) === 'f32' ? 1 : 0)
  list.put(out.address)
  list.put(strideOf(out, 0))
  list.put(strideOf(out, 1))
  list.put(q.address)
  list.put(strideOf(q, 0))
  list.put(strideOf(q, 1))
  list.put(T)
  list.put(H)
  list.put(values.width)
  list.put(sequences.address)
  list.put(axisOf(sequences, 0))
  list.put(args.scale)
  list.put(window ?? -1)
  list.putAddress(sinkLogits)
  list.putAddress(lse)
  list.put(args.carry ? 1 : 0)
  list.putAddress(scores)
  list.put(scores ? strideOf(scores, 0) : 0)
  list.put(scores ? strideOf(scores, 1) : 0)
  list.put(scores ? axisOf(scores, 2) : 0)
  list.put(scoresStart)
  putSlice(list, values)
  list.put(keys.length)
  for (const slice of keys) putSlice(list, slice)
  list.end()
}

function factorsOf({ factors, keys, values }: AttentionArgs): 'f32' | 'bf16' {
  return factors ?? ([...keys, values].some(({ dtype }) => dtype === 'f32' || dtype === 'f16') ? 'f32' : 'bf16')
}

/** [latent | rope] of one row become one product. */
function joinNeighbours(slices: readonly RowSlice[]): readonly RowSlice[] {
  if (slices.length < 2) return slices
  const joined: RowSlice[] = []
  for (const slice of slices) {
    const last = joined[joined.length - 1]
    const both = last ? joinSlices(last, slice) : null
    if (both) joined[joined.length - 1] = both
    else joined.push(slice)
  }
  return joined
}

function checkArgs(args: AttentionArgs, T: number, H: number): void {
  const { out, q, keys, values, sequences, lse, sinkLogits, scores, carry } = args
  let width = 0
  for (const slice of keys) width += slice.width
  expectStrided('attention: q', q, 'f32', T, H, width)
  expectStrided('attention: out', out, 'f32', T, H, values.width)
  expectSequences('attention: sequences', sequences)
  for (const slice of keys) expectSlice('attention: keys', slice, sequences)
  expectSlice('attention: values', values, sequences)
  if (sinkLogits) expectDense('attention: sinkLogits', sinkLogits, 'f32', H)
  if (lse) expectDense('attention: lse', lse, 'f32', T, H)
  if (scores) expectStrided('attention: scores', scores, 'f32', H, T, axisOf(scores, 2))
  if (carry) expect('attention: carry', lse !== undefined && sinkLogits === undefined, 'lse and no sinkLogits')
}

export function probabilities(list: CommandList, p: Tensor, scores: Tensor, lse: Tensor): void {
  const H = axisOf(scores, 0)
  const T = axisOf(scores, 1)
  const S = axisOf(scores, 2)
  expectStrided('probabilities: scores', scores, 'f32', H, T, S)
  expectStrided('probabilities: p', p, 'f32', H, T, S)
  expectDense('probabilities: lse', lse, 'f32', T, H)
  list.begin('probabilities', 16 * H * T * S)
  list.put(lse.address)
  list.put(H)
  list.put(T)
  list.put(S)
  list.put(p.address)
  list.put(strideOf(p, 0))
  list.put(strideOf(p, 1))
  list.put(scores.address)
  list.put(strideOf(scores, 0))
  list.put(strideOf(scores, 1))
  list.end()
}
