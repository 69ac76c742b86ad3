/**
 * Why MLA's rope is decoupled. Queries can be absorbed only if W_UQ and W_UK stand side by side. Here rope rotates the keys that are made from latents, as in
 * MHA. The model learns, and its cache is a latent per word; but a rotation that depends on both places stands between W_UQ and W_UK. So all keys
 * have to be made and rotated again for every word that is written; and absorption, tried here on what was learned, gives wrong texts.
 */
import {
  absorbQueries,
  below,
  dotProductAttention,
  expandLatents,
  latentLayer,
  linear,
  matrix,
  norm,
  rotate,
  rows,
  shaped,
  upProjectValues,
  vector,
} from 'latentkit/attention'
import { decoder, ropeTheta as theta } from './llama.mjs'
import { lastRows, likeliest, random } from './random.mjs'
import { text } from './sentences.mjs'

export const title = 'MLA, rope on the raised keys'

export function build(bench, sizes) {
  const model = decoder(bench, sizes, seed => layerOf(bench, sizes, seed))
  const newCache = () => ({ latents: new Map(), length: 0, bytesPerToken: 2 * rank(sizes) * sizes.layers })
  return { ...model, newCache }
}

/** As many numbers as MLA with a decoupled rope caches. */
const rank = ({ size, heads }) => (4 * size) / heads

function layerOf(bench, sizes, seed) {
  const { size: D, heads: H } = sizes
  const [C, d] = [rank(sizes), D / H]
  const weights = {
    query: matrix(bench, D, D, { seed: seed + 2000 }),
    down: matrix(bench, C, D, { seed: seed + 2001 }),
    norm: vector(bench, C, 1),
    // Only its W_UK and W_UV are used, so that the rest is as small as may be.
    up: latentLayer(bench, {
      hiddenSize: 1,
      nHeads: H,
      kvLoraRank: C,
      qkNopeHeadDim: d,
      qkRopeHeadDim: 2,
      vHeadDim: d,
      seed,
    }),
    out: matrix(bench, D, D, { seed: seed + 2002 }),
  }
  const attend = (bench, layer, x, { lengths = [x.shape[0]], cache }) => {
    const queries = shaped(bench, linear(bench, x, weights.query), [x.shape[0], H, d])
    const latents = norm(bench, linear(bench, x, weights.down), weights.norm)
    if (cache) {
      const before = cache.latents.get(layer)
      const all = before ? below(bench, [before, latents]) : latents
      cache.latents.set(layer, all)
      cache.length = all.shape[0]
      return { y: linear(bench, look(bench, weights.up, queries, all, cache.absorbed), weights.out) }
    }
    let at = 0
    const found = lengths.map(n => {
      at += n
      return look(bench, weights.up, rows(queries, at - n, n), rows(latents, at - n, n))
    })
    return { y: linear(bench, below(bench, found), weights.out) }
  }
  return { attend }
}

/** What queries [T, H, d], the last of their text, find in latents [S, C]: [T, H d]. */
function look(bench, up, queries, latents, absorbed = false) {
  const [T, H, d] = queries.shape
  const [S, C] = latents.shape
  const places = Array.from({ length: S }, (_, t) => t)
  const rotated = rotate(bench, queries, places.slice(S - T), { theta })
  const scale = d ** -0.5
  if (absorbed) {
    // The keys' rotation is left out. It differs from key to key, so that nothing done to the query alone could put it back.
    const cached = shaped(bench, latents, [S, 1, C])
    const asked = { queries: absorbQueries(bench, up, rotated), keys: cached, values: cached }
    const { out } = dotProductAttention(bench, asked, { scale })
    return shaped(bench, upProjectValues(bench, up, out), [T, H * d])
  }
  const { keys, values } = expandLatents(bench, up, latents)
  const { out } = dotProductAttention(
    bench,
    { queries: rotated, keys: rotate(bench, keys, places, { theta }), values },
    { scale },
  )
  return shaped(bench, out, [T, H * d])
}

/** What absorption gets wrong in what was learned, and what it costs to do without it, in a layer of DeepSeek-V3's shape. */
export async function notes({ inference: bench }, model) {
  const next = random(1e6)
  const asked = Array.from({ length: 64 }, () => text(next, 4, 1))
  const right = async absorbed => {
    let found = 0
    for (const { ids, answers } of asked) {
      const cache = { ...model.newCache(bench), absorbed }
      const before = ids.slice(0, answers[0])
      const [row] = await lastRows(bench, model.logits(bench, before, { cache }), [before.length])
      if (likeliest(row) === ids[answers[0]]) found++
      await bench.clear()
    }
    return Math.round((100 * found) / asked.length)
  }
  const { raised, decoupled } = multiplications(10_000, { heads: 128, rank: 512, head: 128, rope: 64, value: 128 })
  return [
    `of 4 facts ${await right(false)} % are found with all keys made again, ${await right(true)} % with queries absorbed`,
    `behind 10,000 words a layer of V3 would multiply ${Math.round(raised / decoupled)} times as often as with a decoupled rope`,
  ]
}

/** Multiplications of one layer to decode a word behind `context` others: keys raised and rotated again, or absorbed with a decoupled rope. */
export function multiplications(context, { heads: H, rank: C, head: N, rope: R, value: V }) {
  return {
    raised: context * H * (C * (N + V) + 4 * (N / 2) + N + V),
    decoupled: H * C * (N + V) + context * H * (C + R + C),
  }
}
