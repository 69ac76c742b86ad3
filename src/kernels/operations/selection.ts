/** Sparse attention: what an indexer gives each key, and which keys a query chooses (DeepSeek-V3.2, arXiv 2512.02556, section 2.1). */
import type { Tensor } from '../../tensor/tensor.ts'
import type { IndexScoresArgs } from '../contract/attention-args.ts'
import type { Sequences } from '../contract/cached-rows.ts'
import { axisOf, expect, expectDense, expectStrided } from './check.ts'
import { count, input, operation, output, real, sequences, slice } from './fields.ts'
import { expectSequences, expectSlice } from './slices.ts'

/**
 * scores[b, s] = scale sum_h weights[t, h] max(0, q[t, h] . k) for the one query t of sequence b and its key s, counted from its first;
 * -inf for keys behind the query. Columns from the sequence's number of keys on are left alone. Sums are of f32, h rising.
 */
export const indexScores = operation({
  kernel: 'selection/index-scores.h',
  record: {
    scores: output('f32', 'B'),
    width: count,
    q: input('f32', 'T', 'H'),
    weights: input('f32', 'T'),
    H: count,
    sequences,
    scale: real,
    keys: slice,
  },
  from: ({ scores, q, weights, keys, sequences, scale }: IndexScoresArgs) => {
    const [T, H, B, width] = [axisOf(q, 0), axisOf(q, 1), axisOf(scores, 0), axisOf(scores, 1)]
    expectSequences('indexScores: sequences', sequences)
    expect('indexScores: sequences', axisOf(sequences.rows, 0) === B, `${B} sequences, one for each row of scores`)
    expectSlice('indexScores: keys', keys, sequences, true)
    expect('indexScores: keys', keys.heads === 1, 'one key for all heads')
    expectStrided('indexScores: q', q, 'f32', T, H, keys.width)
    expectStrided('indexScores: weights', weights, 'f32', T, H)
    expectStrided('indexScores: scores', scores, 'f32', B, width)
    return { work: B * width * H * keys.width, scores, width, q, weights, H, sequences, scale, keys }
  },
})

/**
 * selected[t] = the positions of the K keys with the largest scores that the one query t of sequence b sees, rising; of equal scores the
 * lower positions, NaN last. With K keys or fewer all of them, then -1. selected i32 [T, K], scores [B, S] as `indexScores` writes them.
 */
export const selectKeys = operation({
  kernel: 'selection/select-keys.h',
  record: { selected: output('i32'), scores: input('f32', 'B'), width: count, K: count, sequences },
  from: (selected: Tensor, scores: Tensor, sequences: Sequences) => {
    const [T, K, B, width] = [axisOf(selected, 0), axisOf(selected, 1), axisOf(scores, 0), axisOf(scores, 1)]
    expectSequences('selectKeys: sequences', sequences)
    expect('selectKeys: sequences', axisOf(sequences.rows, 0) === B, `${B} sequences, one for each row of scores`)
    expectDense('selectKeys: selected', selected, 'i32', T, K)
    expect('selectKeys: selected', K > 0, 'at least one key')
    expectStrided('selectKeys: scores', scores, 'f32', B, width)
    return { work: 6 * B * width, selected, scores, width, K, sequences }
  },
})
