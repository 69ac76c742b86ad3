import type { Tensor } from '../../tensor/tensor.ts'
import type { AttentionArgs, AttentionBackwardArgs, TrainingAttentionArgs } from '../contract/attention-args.ts'
import type { RowSlice, Sequences } from '../contract/cached-rows.ts'
import { axisOf, expect, expectDense, expectStrided } from './check.ts'
import {
  count,
  EXPONENTIAL,
  exact,
  flag,
  input,
  MAX_SLICES,
  maybe,
  maybeOutput,
  operation,
  output,
  real,
  sequences,
  slice,
  slices,
} from './fields.ts'
import { expectSequences, expectSlice, isPaged } from './slices.ts'

/** softmax(q kᵀ scale + bias) v for every sequence, over the keys that each query sees (arXiv 1706.03762 eq. 1). */
export const attention = operation({
  kernel: 'attention/attention.h',
  record: {
    exact,
    out: output('f32', 'T', 'H'),
    q: input('f32', 'T', 'H'),
    T: count,
    H: count,
    V: count,
    sequences,
    scale: real,
    /** Negative: none. */
    window: count,
    sinkLogits: maybe('f32'),
    bias: maybe('f32'),
    /** Columns of the bias, and the distance of the first. */
    biasWidth: count,
    biasStart: count,
    lse: maybeOutput('f32'),
    carry: flag,
    scores: maybeOutput('f32', 'H', 'T'),
    scoresWidth: count,
    scoresStart: count,
    selected: maybe('i32'),
    selectedCount: count,
    gather: flag,
    values: slice,
    keys: slices,
  },
  from: (args: AttentionArgs) => {
    const { out, q, keys, values, scale, lse, sinkLogits, bias, scores, carry, selected } = args
    const T = axisOf(q, 0)
    const H = axisOf(q, 1)
    let width = 0
    for (const slice of keys) width += slice.width
    expectStrided('attention: q', q, 'f32', T, H, width)
    expectStrided('attention: out', out, 'f32', T, H, values.width)
    expectSequences('attention: sequences', args.sequences)
    expect('attention: keys', keys.length > 0 && keys.length <= MAX_SLICES, `1 to ${MAX_SLICES} slices`)
    for (const slice of keys) expectSlice('attention: keys', slice, args.sequences, selected?.gather)
    expectSlice('attention: values', values, args.sequences, selected?.gather)
    if (sinkLogits) expectDense('attention: sinkLogits', sinkLogits, 'f32', H)
    const biasWidth = bias ? axisOf(bias, 1) : 0
    if (bias) {
      expect('attention: bias', biasWidth > 0, 'a column at least')
      expectDense('attention: bias', bias, 'f32', H, biasWidth)
      expect('attention: bias', selected === undefined, 'no selected keys')
    }
    if (lse) expectDense('attention: lse', lse, 'f32', T, H)
    if (scores) expectStrided('attention: scores', scores, 'f32', H, T, axisOf(scores, 2))
    if (selected) {
      expectDense('attention: selected', selected.positions, 'i32', T, axisOf(selected.positions, 1))
    }
    if (carry) expect('attention: carry', lse !== undefined && sinkLogits === undefined, 'lse and no sinkLogits')
    return {
      // How many keys there are the core knows, and finds the work itself.
      work: 0,
      exact: mustBeExact(args),
      out,
      q,
      T,
      H,
      V: values.width,
      sequences: args.sequences,
      scale,
      window: args.window ?? -1,
      sinkLogits,
      bias,
      biasWidth,
      biasStart: args.biasStart ?? 0,
      lse,
      carry: carry ?? false,
      scores,
      scoresWidth: scores ? axisOf(scores, 2) : 0,
      scoresStart: args.scoresStart ?? 0,
      selected: selected?.positions,
      selectedCount: selected ? axisOf(selected.positions, 1) : 0,
      gather: selected?.gather ?? false,
      values,
      keys,
    }
  },
})

function mustBeExact({ factors, keys, values }: AttentionArgs): boolean {
  if (factors) return factors === 'f32'
  return [...keys, values].some(({ dtype }) => dtype === 'f32' || dtype === 'f16')
}

/** p[h, t, s] = exp(scores[h, t, s] - lse[t, h]), 0 where the score is -inf. p, scores [H, T, S] strided; may be equal. */
export const probabilities = operation({
  kernel: 'attention/probabilities.h',
  record: {
    lse: input('f32'),
    H: count,
    T: count,
    S: count,
    p: output('f32', 'H', 'T'),
    scores: input('f32', 'H', 'T'),
  },
  from: (p: Tensor, scores: Tensor, lse: Tensor) => {
    const H = axisOf(scores, 0)
    const T = axisOf(scores, 1)
    const S = axisOf(scores, 2)
    expectStrided('probabilities: scores', scores, 'f32', H, T, S)
    expectStrided('probabilities: p', p, 'f32', H, T, S)
    expectDense('probabilities: lse', lse, 'f32', T, H)
    return { work: EXPONENTIAL * H * T * S, lse, H, T, S, p, scores }
  },
})

/**
 * `attention` of one sequence with many queries, whose keys lie in contiguous rows, as training needs it: what a query does not see must be
 * finite.
 */
export const trainingAttention = operation({
  kernel: 'attention/training-attention.h',
  record: {
    out: output('f32', 'T', 'H'),
    lse: output('f32'),
    q: input('f32', 'T', 'H'),
    T: count,
    H: count,
    V: count,
    width: count,
    sequences,
    scale: real,
    /** Negative: none. */
    window: count,
    carry: flag,
    values: slice,
    keys: slices,
  },
  from: (args: TrainingAttentionArgs) => {
    const { out, lse, q, keys, values, scale, carry = false } = args
    const [T, H, width] = [axisOf(q, 0), axisOf(q, 1), axisOf(q, 2)]
    const V = values.width
    const S = expectRows('trainingAttention', keys, values, args.sequences, width)
    expectStrided('trainingAttention: q', q, 'f32', T, H, width)
    expectStrided('trainingAttention: out', out, 'f32', T, H, V)
    expectDense('trainingAttention: lse', lse, 'f32', T, H)
    const work = (T * H * S * (width + V)) / 2
    const window = args.window ?? -1
    return { work, out, lse, q, T, H, V, width, sequences: args.sequences, scale, window, carry, values, keys }
  },
})

/** Contiguous rows, as many of each slice: returns how many. */
function expectRows(
  what: string,
  keys: readonly RowSlice[],
  values: RowSlice,
  sequences: Sequences,
  width: number,
): number {
  expectSequences(`${what}: sequences`, sequences)
  expect(`${what}: sequences`, axisOf(sequences.rows, 0) === 1, 'one sequence')
  expect(`${what}: keys`, keys.length > 0 && keys.length <= MAX_SLICES, `1 to ${MAX_SLICES} slices`)
  expect(`${what}: keys`, keys.reduce((n, slice) => n + slice.width, 0) === width, `${width} numbers`)
  const counts = [...keys, values].map(slice => {
    expectSlice(`${what}: keys`, slice, sequences)
    expect(`${what}: keys`, !isPaged(slice.rows), 'contiguous rows')
    return axisOf(slice.rows as Tensor, 0)
  })
  const S = counts[0] as number
  expect(
    `${what}: keys`,
    counts.every(count => count === S),
    `${S} rows of each slice`,
  )
  return S
}

/**
 * The backward rule of `attention` (arXiv 2205.14135, algorithm 4): the probabilities are computed again from q, keys and lse. With
 * P = exp(scores - lse) and dS = P (dout · v - dout · out): dq += scale dS k, dkeys = scale dSᵀ q, dvalues = Pᵀ dout.
 */
export const attentionBackward = operation({
  kernel: 'attention/backward.h',
  record: {
    dq: output('f32', 'T', 'H'),
    dkeys: output('f32'),
    dvalues: output('f32'),
    dout: input('f32', 'T', 'H'),
    out: input('f32', 'T', 'H'),
    q: input('f32', 'T', 'H'),
    lse: input('f32'),
    T: count,
    H: count,
    V: count,
    S: count,
    width: count,
    sequences,
    scale: real,
    /** Negative: none. */
    window: count,
    values: slice,
    keys: slices,
  },
  from: (args: AttentionBackwardArgs) => {
    const { dq, dkeys, dvalues, dout, out, q, lse, keys, values, scale } = args
    const [T, H, width] = [axisOf(q, 0), axisOf(q, 1), axisOf(q, 2)]
    const S = axisOf(dkeys, 0)
    const V = values.width
    expectStrided('attentionBackward: q', q, 'f32', T, H, width)
    expectStrided('attentionBackward: dq', dq, 'f32', T, H, width)
    expectStrided('attentionBackward: out', out, 'f32', T, H, V)
    expectStrided('attentionBackward: dout', dout, 'f32', T, H, V)
    expectDense('attentionBackward: lse', lse, 'f32', T, H)
    expectDense('attentionBackward: dkeys', dkeys, 'f32', S, H, width)
    expectDense('attentionBackward: dvalues', dvalues, 'f32', S, H, V)
    const rows = expectRows('attentionBackward', keys, values, args.sequences, width)
    expect('attentionBackward: dkeys', S === rows, `${rows} keys, as there are rows of them`)
    const window = args.window ?? -1
    const work = T * H * S * (width + V)
    return {
      work,
      dq,
      dkeys,
      dvalues,
      dout,
      out,
      q,
      lse,
      T,
      H,
      V,
      S,
      width,
      sequences: args.sequences,
      scale,
      window,
      values,
      keys,
    }
  },
})

/** y[s, g, :] += sum over the query heads h of key head g, rising, of x[s, h, :]. x [S, H, n], y [S, G, n], strided. */
export const sumHeads = operation({
  kernel: 'attention/sum-heads.h',
  record: { y: output('f32', 'S', 'G'), x: input('f32', 'S', 'H'), S: count, G: count, H: count, n: count },
  from: (y: Tensor, x: Tensor) => {
    const [S, H, n, G] = [axisOf(x, 0), axisOf(x, 1), axisOf(x, 2), axisOf(y, 1)]
    expectStrided('sumHeads: x', x, 'f32', S, H, n)
    expectStrided('sumHeads: y', y, 'f32', S, G, n)
    expect('sumHeads', H % G === 0, 'equal groups of heads')
    return { work: S * H * n, y, x, S, G, H, n }
  },
})
