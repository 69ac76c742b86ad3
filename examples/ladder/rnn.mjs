/**
 * The RNN encoder-decoder (Cho and others, arXiv 1406.1078): one network reads the text, letter after letter, into one state; another writes from that
 * state. Whatever the text was, the state has the same few numbers: this is the bottleneck.
 */
import { embed, linear, matrix, recurrentStates, recurrentWeights, rows, shaped } from 'latentkit/attention'

export const title = 'RNN encoder-decoder (GRU)'

export function build(bench, { letters, size, seed }) {
  const embedding = matrix(bench, letters, size, { seed, deviation: 0.5 })
  const reader = recurrentWeights(bench, { cell: 'gru-after', inputSize: size, size, seed: seed + 1 })
  const writer = recurrentWeights(bench, { cell: 'gru-after', inputSize: size, size, seed: seed + 2 })
  const out = matrix(bench, letters, size, { seed: seed + 3 })

  /** Ids of `length` letters of `count` texts -> [length, count, size]. */
  const embedded = (ids, count) => shaped(bench, embed(bench, embedding, ids), [ids.length / count, count, size])

  return {
    /** What the writer is given of the texts: the state after their last letter, [B, size]. */
    read({ sources, size: B }) {
      const zero = bench.tensor(new Float32Array(B * size), [B, size])
      const states = recurrentStates(bench, reader, embedded(sources, B), zero) // [S, B, size]
      return { state: shaped(bench, rows(states, states.shape[0] - 1, 1), [B, size]) }
    },
    /** Writes on behind letters [T x B]: logits [T B, letters], and what follows. */
    write({ state }, before, B) {
      const states = recurrentStates(bench, writer, embedded(before, B), state)
      const T = states.shape[0]
      const logits = linear(bench, shaped(bench, states, [T * B, size]), out)
      return { logits, next: { state: shaped(bench, rows(states, T - 1, 1), [B, size]) } }
    },
  }
}
