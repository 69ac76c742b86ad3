/** The definition of attention: softmax over the keys that each query sees, with sinks and carried results. */
import type { AttentionArgs } from '../contract/attention-args.ts'
import type { RowSlice } from '../contract/cached-rows.ts'
import { axisOf } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import { dot } from './matmul.ts'
import type { Memory } from './memory.ts'
import { readSlice, type Sequence, sequencesOf } from './slices.ts'
import { softmaxInPlace } from './softmax.ts'

export const attention: Definition<'attention'> = (memory, args) => {
  const { out, q, keys, values, lse, sinkLogits, bias, scores, scoresStart = 0 } = args
  const [T, H] = [axisOf(q, 0), axisOf(q, 1)]
  const query = memory.rows(q, 'f32', 'attention: q')
  const output = memory.rows(out, 'f32', 'attention: out')
  const sums = lse && memory.open(lse, 'f32', 'attention: lse')
  const sinks = sinkLogits && memory.open(sinkLogits, 'f32', 'attention: sinkLogits')
  const biases = bias && memory.rows(bias, 'f32', 'attention: bias')
  const lists = args.selected && memory.open(args.selected.positions, 'i32', 'attention: selected')
  const captured = scores && memory.rows(scores, 'f32', 'attention: scores')

  for (const sequence of sequencesOf(memory, args.sequences, 'attention')) {
    const { queryStart, queryCount, position, keyStart } = sequence
    const keySlices = keys.map(slice => openSlice(memory, slice, sequence, H, 'attention: keys'))
    const valueSlice = openSlice(memory, values, sequence, H, 'attention: values')
    for (let t = queryStart; t < queryStart + queryCount; t++) {
      const listed = args.selected && lists ? axisOf(args.selected.positions, 1) : 0
      const chosen = lists && new Set(lists.data.subarray(lists.start + t * listed, lists.start + (t + 1) * listed))
      for (let h = 0; h < H; h++) {
        const row = t * H + h
        const place = position + t - queryStart
        const logits = scoresOf(args, query.data, query.rows[row]!, keySlices, h, sequence, place, chosen)
        if (bias && biases) {
          const first = keyStart - place - (args.biasStart ?? 0)
          for (let s = 0; s < logits.length; s++) {
            const column = Math.min(Math.max(first + s, 0), axisOf(bias, 1) - 1)
            logits[s] = logits[s]! + biases.data[biases.rows[h]! + column]!
          }
        }
        if (scores && captured) {
          const first = captured.rows[h * T + t]!
          logits.forEach((score, s) => {
            const column = keyStart + s - scoresStart
            if (column >= 0 && column < axisOf(scores, 2)) captured.data[first + column] = score
          })
        }
        const weights = logits.slice()
        let sum = softmaxInPlace(weights, sinks?.data[sinks.start + h])
        const result = weighted(weights, logits, valueSlice, h)
        const held = output.data.subarray(output.rows[row], output.rows[row]! + values.width)
        if (args.carry && sums) sum = carryInto(result, sum, held, sums.data[sums.start + row]!)
        held.set(result)
        if (sums) sums.data[sums.start + row] = sum
      }
    }
  }
}

export const trainingAttention: Definition<'trainingAttention'> = (memory, args) => attention(memory, args)

/** Scaled scores of one query head over the keys of its sequence; -inf where the mask hides one. */
function scoresOf(
  args: AttentionArgs,
  query: Float32Array,
  queryRow: number,
  slices: readonly OpenSlice[],
  h: number,
  sequence: Sequence,
  queryPosition: number,
  chosen: ReadonlySet<number> | undefined,
): Float64Array {
  const scores = new Float64Array(sequence.keyCount).fill(Number.NEGATIVE_INFINITY)
  for (let s = 0; s < scores.length; s++) {
    if (!isVisible(args, queryPosition, sequence.keyStart + s)) continue
    if (chosen && !chosen.has(sequence.keyStart + s)) continue
    let score = 0
    let part = queryRow
    for (const slice of slices) {
      score += dot(query, part, slice.numbers, slice.vector(s, h), slice.width)
      part += slice.width
    }
    scores[s] = score * args.scale
  }
  return scores
}

/** sum of weight x value. The row of a key that is not seen may hold anything, NaN too, and is not touched. */
function weighted(weights: Float64Array, scores: Float64Array, values: OpenSlice, h: number): Float64Array {
  const result = new Float64Array(values.width)
  for (let s = 0; s < weights.length; s++) {
    if (scores[s] === Number.NEGATIVE_INFINITY) continue
    const weight = weights[s]!
    const vector = values.vector(s, h)
    for (let i = 0; i < result.length; i++) {
      result[i] = result[i]! + weight * values.numbers[vector + i]!
    }
  }
  return result
}

/** Merges what `out` and `lse` held into a result over other keys; returns the common lse. */
function carryInto(result: Float64Array, sum: number, held: Float32Array, heldSum: number): number {
  const weights = Float64Array.of(heldSum, sum)
  const lse = softmaxInPlace(weights)
  const [before, now] = weights as unknown as [number, number]
  for (let i = 0; i < result.length; i++) {
    // A part of weight 0 saw no key; what it holds is not looked at.
    result[i] = (before && before * held[i]!) + (now && now * result[i]!)
  }
  return lse
}

/** Key positions a query may look at: the mask of the contract. */
export function isVisible(args: Pick<AttentionArgs, 'window'>, queryPosition: number, keyPosition: number): boolean {
  return keyPosition <= queryPosition && keyPosition > queryPosition - (args.window ?? Number.POSITIVE_INFINITY)
}

interface OpenSlice {
  readonly numbers: Float32Array
  readonly width: number
  /** Index of the vector that query head h reads at key s. */
  vector(s: number, h: number): number
}

/** A slice's vectors at all key positions of a sequence, decoded once. */
export function openSlice(memory: Memory, slice: RowSlice, sequence: Sequence, H: number, what: string): OpenSlice {
  const numbers = readSlice(memory, slice, sequence, sequence.keyCount, what)
  const { heads, width } = slice
  return {
    numbers,
    width,
    vector: (s, h) => (s * heads + Math.floor((h * heads) / H)) * width,
  }
}
