/** The definitions of shortConv, deltaRule and decays. */
import type { Tensor } from '../../tensor/tensor.ts'
import type { StatePlace } from '../contract/states.ts'
import { axisOf } from '../operations/check.ts'
import type { Definition } from './definition.ts'
import type { Memory } from './memory.ts'
import { ACTIVATIONS } from './pointwise.ts'
import { type Sequence, sequencesOf } from './slices.ts'

/** The state of `numbers` before a sequence's first token, and where it goes after each token at which somebody keeps it. */
function stateOf(memory: Memory, place: StatePlace | null, sequence: Sequence, numbers: number, what: string) {
  const { blocks, position, queryCount } = sequence
  const at = (id: number) => {
    const { data, start } = memory.at(memory.addressOf(id) + (place?.offset ?? 0), 'f32', numbers, what)
    return data.subarray(start, start + numbers)
  }
  const state = new Float32Array(numbers)
  if (place && blocks[0]) state.set(at(blocks[0]))
  const keep = (t: number) => {
    if (!place) return
    const { blockTokens } = place
    const end = position + t + 1
    if (end % blockTokens !== 0 && t !== queryCount - 1) return
    const id = blocks[1 + Math.floor((end - 1) / blockTokens) - Math.floor(position / blockTokens)]
    if (id) at(id).set(state)
  }
  return { state, keep }
}

/** The numbers of row t, of a tensor [T, n] or of head h of [T, H, n]. */
function rowsIn(memory: Memory, x: Tensor, what: string) {
  const { data, rows } = memory.rows(x, 'f32', what)
  const n = x.shape.at(-1)!
  return (row: number) => data.subarray(rows[row]!, rows[row]! + n)
}

export const shortConv: Definition<'shortConv'> = (
  memory,
  y,
  x,
  w,
  place,
  sequences,
  { bias, before, after, silu = false } = {},
) => {
  const [C, K] = [axisOf(w, 0), axisOf(w, 1)]
  const [to, from] = [rowsIn(memory, y, 'shortConv: y'), rowsIn(memory, x, 'shortConv: x')]
  const weights = rowsIn(memory, w, 'shortConv: w')
  const biases = bias && memory.open(bias, 'f32', 'shortConv: bias')
  const first = before && rowsIn(memory, before, 'shortConv: before')
  const last = after && rowsIn(memory, after, 'shortConv: after')
  for (const sequence of sequencesOf(memory, sequences, 'shortConv')) {
    const { state, keep } = stateOf(memory, place, sequence, (K - 1) * C, 'shortConv: state')
    for (let t = 0; t < sequence.queryCount; t++) {
      const row = sequence.queryStart + t
      const input = first ? from(row).map((u, c) => u * first(row)[c]!) : from(row).slice()
      const seen = (j: number, c: number) => (j === K - 1 ? input[c]! : state[j * C + c]!)
      for (let c = 0; c < C; c++) {
        let sum = biases ? biases.data[biases.start + c]! : 0
        for (let j = 0; j < K; j++) sum += weights(c)[j]! * seen(j, c)
        const z = silu ? ACTIVATIONS.silu(sum) : sum
        to(row)[c] = last ? z * last(row)[c]! : z
      }
      state.copyWithin(0, C)
      if (K > 1) state.set(input, (K - 2) * C)
      keep(t)
    }
  }
}

export const deltaRule: Definition<'deltaRule'> = (memory, o, q, k, v, decay, beta, place, sequences) => {
  const [H, dv] = [axisOf(v, 1), axisOf(v, 2)]
  const [G, dk] = [axisOf(q, 1), axisOf(q, 2)]
  const to = rowsIn(memory, o, 'deltaRule: o')
  const [queries, keys] = [rowsIn(memory, q, 'deltaRule: q'), rowsIn(memory, k, 'deltaRule: k')]
  const [values, factors] = [rowsIn(memory, v, 'deltaRule: v'), rowsIn(memory, decay, 'deltaRule: decay')]
  const strengths = rowsIn(memory, beta, 'deltaRule: beta')
  for (const sequence of sequencesOf(memory, sequences, 'deltaRule')) {
    const { state, keep } = stateOf(memory, place, sequence, H * dk * dv, 'deltaRule: state')
    for (let t = 0; t < sequence.queryCount; t++) {
      const row = sequence.queryStart + t
      for (let h = 0; h < H; h++) {
        const shared = row * G + Math.floor((h * G) / H)
        const [query, key, value] = [queries(shared), keys(shared), values(row * H + h)]
        const factor = factors(row * H + h)
        for (let j = 0; j < dv; j++) {
          const at = (i: number) => (h * dk + i) * dv + j
          const kept = (i: number) => state[at(i)]! * factor[factor.length === 1 ? 0 : i]!
          let known = 0
          for (let i = 0; i < dk; i++) known += kept(i) * key[i]!
          const e = strengths(row)[h]! * (value[j]! - known)
          let found = 0
          for (let i = 0; i < dk; i++) {
            const changed = kept(i) + key[i]! * e
            found += changed * query[i]!
            state[at(i)] = changed
          }
          to(row * H + h)[j] = found
        }
      }
      keep(t)
    }
  }
}

export const decays: Definition<'decays'> = (memory, y, x, logA, bias, floor = 0) => {
  const [T, H, n] = [axisOf(x, 0), axisOf(x, 1), axisOf(x, 2)]
  const [to, from] = [rowsIn(memory, y, 'decays: y'), rowsIn(memory, x, 'decays: x')]
  const rates = memory.open(logA, 'f32', 'decays: logA')
  const biases = rowsIn(memory, bias, 'decays: bias')
  for (let row = 0; row < T * H; row++) {
    const rate = Math.exp(rates.data[rates.start + (row % H)]!)
    for (let i = 0; i < n; i++) {
      const z = from(row)[i]! + biases(row % H)[i]!
      const softplus = Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)))
      to(row)[i] = Math.exp(floor < 0 ? floor * ACTIVATIONS.sigmoid(rate * z) : -rate * softplus)
    }
  }
}
