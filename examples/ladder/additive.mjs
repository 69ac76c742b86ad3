/**
 * Additive attention (Bahdanau and others, arXiv 1409.0473): the reader keeps a state for every word, read in both directions, and for each letter that it
 * writes, the writer looks at all of them: scores, a softmax, and a context vector, the weighted sum. There is no bottleneck, and the weights can be seen.
 */
import {
  additiveAttention,
  additiveWeights,
  below,
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

export const title = 'additive attention (Bahdanau)'

export function build(bench, { words, size, seed }) {
  const embedding = matrix(bench, words, size, { seed, deviation: 0.5 })
  const half = size / 2
  const cell = { cell: 'gru-after', inputSize: size, size: half }
  const [forwards, backwards] = [1, 2].map(i => recurrentWeights(bench, { ...cell, seed: seed + i }))
  const attention = additiveWeights(bench, { width: size, state: size, source: size, seed: seed + 3 })
  const writer = recurrentWeights(bench, { cell: 'gru-after', inputSize: 2 * size, size, seed: seed + 4 })
  const out = matrix(bench, words, 2 * size, { seed: seed + 5 })
  const zero = (bench, B, n) => bench.tensor(new Float32Array(B * n), [B, n])

  return {
    /** Bytes that are kept to write on behind a text of S words, in 16 bits: a state for each, and the writer's own. */
    kept: S => 2 * size * (S + 1),
    /** The states of every word of every text: a list of [words of the text, size]. */
    read(bench, { sources, size: B, lengths }) {
      const S = sources.length / B
      const x = embed(bench, embedding, sources) // [S B, size]
      const last = Array.from({ length: S * B }, (_, i) => (S - 1 - Math.floor(i / B)) * B + (i % B))
      const there = recurrentStates(bench, forwards, shaped(bench, x, [S, B, size]), zero(bench, B, half))
      const reversed = shaped(bench, gather(bench, x, last), [S, B, size])
      const back = recurrentStates(bench, backwards, reversed, zero(bench, B, half))
      const inOrder = gather(bench, shaped(bench, back, [S * B, half]), last)
      const states = beside(bench, [shaped(bench, there, [S * B, half]), inOrder]) // [S B, size]
      // Of each text its own words, without what pads it on the left.
      const source = lengths.map((n, b) => {
        const own = Array.from({ length: n }, (_, i) => (S - n + i) * B + b)
        return gather(bench, states, own)
      })
      return { state: zero(bench, B, size), source }
    },
    /** One letter after the other, since what is looked at depends on what was written. `patterns`: a list for the weights, [1, S] of each text. */
    write(bench, { state, source }, before, B, { patterns } = {}) {
      const logits = []
      for (let t = 0; t < before.length / B; t++) {
        const pattern = patterns !== undefined
        const found = source.map((h, b) => additiveAttention(bench, attention, rows(state, b, 1), h, { pattern }))
        patterns?.push(...found.map(({ weights }) => weights))
        const contexts = found.map(({ context }) => context)
        const context = below(bench, contexts) // [B, size]
        const letter = embed(bench, embedding, before.slice(t * B, (t + 1) * B))
        const input = shaped(bench, beside(bench, [letter, context]), [1, B, 2 * size])
        state = shaped(bench, recurrentStates(bench, writer, input, state), [B, size])
        logits.push(linear(bench, beside(bench, [state, context]), out))
      }
      return { logits: below(bench, logits), next: { state, source } }
    },
  }
}
