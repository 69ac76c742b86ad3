/**
 * The RNN encoder-decoder (Cho and others, arXiv 1406.1078): one network reads the text, word after word, into one state; another writes from that
 * state. Whatever the text was, the state has the same few numbers: this is the bottleneck.
 */
import {
  beside,
  embed,
  gather,
  linear,
  matrix,
  recurrentStates,
  recurrentWeights,
  rows,
  shaped,
} from 'latentkit/attention'

export const title = 'RNN encoder-decoder (GRU)'

export function build(bench, { words, size, seed }) {
  const embedding = matrix(bench, words, size, { seed, deviation: 0.5 })
  const reader = recurrentWeights(bench, { cell: 'gru-after', inputSize: size, size, seed: seed + 1 })
  const writer = recurrentWeights(bench, { cell: 'gru-after', inputSize: 2 * size, size, seed: seed + 2 })
  const out = matrix(bench, words, 2 * size, { seed: seed + 3 })

  return {
    /** Bytes that are kept to write on behind a text of S words, in 16 bits. */
    kept: () => 2 * 2 * size,
    /** What the writer is given of B texts: the state after their last word, [B, size]. */
    read(bench, { sources, size: B }) {
      const zero = bench.tensor(new Float32Array(B * size), [B, size])
      const x = shaped(bench, embed(bench, embedding, sources), [sources.length / B, B, size])
      const states = recurrentStates(bench, reader, x, zero) // [S, B, size]
      const state = shaped(bench, rows(states, states.shape[0] - 1, 1), [B, size])
      return { state, context: state }
    },
    /** Writes on behind letters [T x B]: logits [T B, words], and what follows. The state that was read is beside every letter. */
    write(bench, { state, context }, before, B) {
      const T = before.length / B
      const repeated = Array.from({ length: T * B }, (_, i) => i % B)
      const again = gather(bench, context, repeated) // [T B, size]
      const x = beside(bench, [embed(bench, embedding, before), again])
      const states = recurrentStates(bench, writer, shaped(bench, x, [T, B, 2 * size]), state)
      const logits = linear(bench, beside(bench, [shaped(bench, states, [T * B, size]), again]), out)
      return { logits, next: { state: shaped(bench, rows(states, T - 1, 1), [B, size]), context } }
    },
  }
}
