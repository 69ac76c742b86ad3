/**
 * The transformer (Vaswani and others, arXiv 1706.03762): no recurrence. Words look at words of their own text (self-attention), and letters that are written
 * also at the text that was read (cross-attention: queries of one, keys and values of the other). All places are computed at once.
 */
import {
  activate,
  add,
  below,
  dotProductAttention,
  embed,
  gather,
  linear,
  matrix,
  norm,
  rows,
  shaped,
  vector,
} from 'latentkit/attention'

export const title = 'transformer with cross-attention'

export function build(bench, { words, size: D, heads: H, layers: L, seed }) {
  let made = seed
  const drawn = (rows, cols) => matrix(bench, rows, cols, { seed: made++ })
  const [embedding, places] = [words, 128].map(n => matrix(bench, n, D, { seed: made++, deviation: 0.5 }))
  const layerNorm = () => ({ weight: vector(bench, D, 1), bias: vector(bench, D, 0) })
  const attention = () => {
    const [query, key, value, out] = [0, 1, 2, 3].map(() => drawn(D, D))
    return { query, key, value, out, norm: layerNorm() }
  }
  const mlp = () => ({ up: drawn(2 * D, D), down: drawn(D, 2 * D), norm: layerNorm() })
  const blocks = make => Array.from({ length: L }, make)
  const encoder = blocks(() => ({ self: attention(), mlp: mlp() }))
  const decoder = blocks(() => ({ self: attention(), cross: attention(), mlp: mlp() }))
  const out = drawn(words, D)

  const joined = (bench, x, found, { weight, bias }) => norm(bench, add(bench, x, found), weight, { bias })
  const heads = (bench, x, w) => shaped(bench, linear(bench, x, w), [x.shape[0], H, D / H])
  const keysOf = (bench, x, w) => ({ keys: heads(bench, x, w.key), values: heads(bench, x, w.value) })
  const placed = (bench, ids, where) => add(bench, embed(bench, embedding, ids), embed(bench, places, where))
  const feed = (bench, x, w) =>
    joined(bench, x, linear(bench, activate(bench, linear(bench, x, w.up), 'relu'), w.down), w.norm)

  /** Queries of x, of texts of these lengths, each over its own keys and values (eq. 1). */
  function look(bench, x, w, lengths, keysValues, { causal, patterns } = {}) {
    const queries = heads(bench, x, w.query)
    let at = 0
    const found = lengths.map((n, b) => {
      at += n
      const asked = { queries: rows(queries, at - n, n), ...keysValues[b] }
      const { out, pattern } = dotProductAttention(bench, asked, { causal: causal ?? false, pattern: !!patterns })
      if (pattern) patterns.push(pattern)
      return shaped(bench, out, [n, D])
    })
    return joined(bench, x, linear(bench, below(bench, found), w.out), w.norm)
  }
  /** Keys and values of each text, behind those that it has already. */
  function keysOfEach(bench, x, w, lengths, before) {
    const { keys, values } = keysOf(bench, x, w)
    let at = 0
    return lengths.map((n, b) => {
      at += n
      const [own, past] = [[keys, values].map(t => rows(t, at - n, n)), before?.[b]]
      const [k, v] = past ? [below(bench, [past.keys, own[0]]), below(bench, [past.values, own[1]])] : own
      return { keys: k, values: v }
    })
  }

  return {
    /** Bytes that are kept to write on behind a text of S words, in 16 bits: keys and values of every layer, of each word that is read. */
    kept: S => 2 * 2 * D * L * S,
    /** Keys and values for cross-attention, once for all letters. */
    read(bench, { sources, size: B, lengths }) {
      const S = sources.length / B
      const of = (n, b) => Array.from({ length: n }, (_, i) => sources[(S - n + i) * B + b])
      let x = placed(
        bench,
        lengths.flatMap(of),
        lengths.flatMap(n => [...Array(n).keys()]),
      )
      for (const { self, mlp } of encoder) {
        x = look(bench, x, self, lengths, keysOfEach(bench, x, self, lengths))
        x = feed(bench, x, mlp)
      }
      return { source: decoder.map(({ cross }) => keysOfEach(bench, x, cross, lengths)), own: [], written: 0 }
    },
    /** Writes on behind letters [T x B], which see those before them. `patterns`: a list for cross-attention's weights, [H, T, S] of each layer and text. */
    write(bench, { source, own, written }, before, B, { patterns } = {}) {
      const T = before.length / B
      const inTexts = Array.from({ length: T * B }, (_, i) => (i % T) * B + Math.floor(i / T))
      const where = inTexts.map((_, i) => written + (i % T))
      const lengths = Array(B).fill(T)
      const keys = []
      const ids = inTexts.map(i => before[i])
      let x = placed(bench, ids, where)
      for (const [i, { self, cross, mlp }] of decoder.entries()) {
        keys.push(keysOfEach(bench, x, self, lengths, own[i]))
        x = look(bench, x, self, lengths, keys[i], { causal: true })
        x = look(bench, x, cross, lengths, source[i], { patterns })
        x = feed(bench, x, mlp)
      }
      const inOrder = Array.from({ length: T * B }, (_, i) => (i % B) * T + Math.floor(i / B))
      const logits = linear(bench, gather(bench, x, inOrder), out)
      return { logits, next: { source, own: keys, written: written + T } }
    },
  }
}
