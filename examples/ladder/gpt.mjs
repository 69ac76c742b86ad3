/**
 * GPT's decoder (Radford and others 2018): blocks of attention and an MLP, each followed by a LayerNorm of the sum with what it read (post-norm), and learned
 * positions.
 */
import {
  activate,
  add,
  attend,
  createCache,
  embed,
  groupedLayer,
  linear,
  matrix,
  norm,
  vector,
} from 'latentkit/attention'

export const title = 'decoder, post-norm (GPT)'

export function build(bench, sizes) {
  return decoder(bench, sizes, { join: postNorm, last: false })
}

const postNorm = (bench, x, part, norm) => norm(bench, add(bench, x, part(x)))

/** A decoder whose blocks `join` puts together: x, what a part (attention or the MLP) makes of something, and a norm. `last`: a norm before the logits. */
export function decoder(bench, { words, size: D, heads, layers: L, seed }, { join, last }) {
  const [embedding, places] = [words, 256].map((n, i) => matrix(bench, n, D, { seed: seed + i, deviation: 0.5 }))
  const layerNorm = () => {
    const [weight, bias] = [1, 0].map(value => vector(bench, D, value))
    return (bench, x) => norm(bench, x, weight, { bias })
  }
  const blocks = Array.from({ length: L }, (_, i) => ({
    attention: groupedLayer(bench, { hiddenSize: D, nHeads: heads, ropeTheta: null, seed: seed + 10 * i + 2 }),
    attentionNorm: layerNorm(),
    up: matrix(bench, 3 * D, D, { seed: seed + 10 * i + 3 }),
    down: matrix(bench, D, 3 * D, { seed: seed + 10 * i + 4 }),
    mlpNorm: layerNorm(),
  }))
  const lastNorm = last ? layerNorm() : (_, x) => x
  const out = matrix(bench, words, D, { seed: seed + 5 })

  return {
    newCache: bench =>
      createCache(
        bench,
        blocks.map(({ attention }) => attention),
      ),
    logits(bench, ids, { lengths = [ids.length], cache }) {
      const first = cache?.length ?? 0
      const where = lengths.flatMap(n => Array.from({ length: n }, (_, t) => first + t))
      let x = add(bench, embed(bench, embedding, ids), embed(bench, places, where))
      for (const { attention, attentionNorm, up, down, mlpNorm } of blocks) {
        const look = x => attend(bench, attention, x, cache ? { cache } : { lengths }).y
        const think = x => linear(bench, activate(bench, linear(bench, x, up), 'gelu'), down)
        x = join(bench, x, look, attentionNorm)
        x = join(bench, x, think, mlpNorm)
      }
      return linear(bench, lastNorm(bench, x), out)
    },
  }
}
