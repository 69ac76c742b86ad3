/**
 * Why MLA's rope is decoupled. MLA's queries can be absorbed: W_UK moves from every cached latent to the query, and keys are never made. That needs W_UQ
 * and W_UK side by side. Here rope rotates the keys that are made from latents, as in MHA, and the same trick is tried:
 *
 *     node examples/ladder/raised-keys.mjs [--tokens 64] [--theta 10000]
 */
import { parseArgs } from 'node:util'
import {
  absorbQueries,
  dotProductAttention,
  expandLatents,
  latentLayer,
  openWorkbench,
  rotate,
  shaped,
} from 'latentkit/attention'

const sizes = { hiddenSize: 64, nHeads: 4, kvLoraRank: 32, qkNopeHeadDim: 16, qkRopeHeadDim: 8, vHeadDim: 16 }

/** Largest differences of the probabilities that absorbed queries give from the true ones: with rope on raised keys, and without it. */
export async function raisedKeys({ tokens: S, theta, seed = 0 }) {
  const bench = await openWorkbench()
  const layer = latentLayer(bench, { ...sizes, seed })
  const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N } = sizes
  const latents = bench.random([S, C], seed + 1)
  const queries = bench.random([S, H, N], seed + 2)
  const positions = Array.from({ length: S }, (_, t) => t)
  const { keys } = expandLatents(bench, layer, latents) // [S, H, N]: every key raised again, at every step
  const cached = shaped(bench, latents, [S, 1, C])
  const look = async (queries, keys) => {
    const { pattern } = dotProductAttention(bench, { queries, keys, values: keys }, { scale: N ** -0.5, pattern: true })
    return bench.read(pattern)
  }
  const apart = (a, b) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0)

  // Without positions: one key for all heads, the cached row itself, and the same probabilities.
  const plain = apart(await look(queries, keys), await look(absorbQueries(bench, layer, queries), cached))
  // With rope on queries and raised keys a rotation by the distance stands between W_UQ and W_UK. Absorbing the rotated query into unrotated latents
  // leaves the keys' rotation out; nothing that is done to the query alone can put it back, as it differs from key to key.
  const rotated = rotate(bench, queries, positions, { theta })
  const true_ = await look(rotated, rotate(bench, keys, positions, { theta }))
  const error = apart(true_, await look(absorbQueries(bench, layer, rotated), cached))
  await bench.close()
  return { plain, error }
}

/** Multiplications of one layer to decode a token behind `context` others: keys raised and rotated again, or absorbed with a decoupled rope. */
export function multiplications(
  context,
  { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, qkRopeHeadDim: R, vHeadDim: V },
) {
  return {
    raised: context * H * (C * (N + V) + 4 * (N / 2) + N + V),
    decoupled: H * C * (N + V) + context * H * (C + R + C),
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { tokens: { type: 'string', default: '64' }, theta: { type: 'string', default: '10000' } },
  })
  const { plain, error } = await raisedKeys({ tokens: Number(values.tokens), theta: Number(values.theta) })
  console.log(`without rope, absorbed probabilities differ by at most ${plain.toExponential(1)}`)
  console.log(`with rope on the raised keys, by up to ${error.toFixed(2)}`)
  const v3 = { nHeads: 128, kvLoraRank: 512, qkNopeHeadDim: 128, qkRopeHeadDim: 64, vHeadDim: 128 }
  const { raised, decoupled } = multiplications(10_000, v3)
  const millions = n => Math.round(n / 1e6).toLocaleString('en-GB')
  console.log(
    `raising all keys again: ${millions(raised)} million multiplications in a layer of V3 behind 10,000 tokens,`,
  )
  console.log(
    `absorbed with a decoupled rope: ${millions(decoupled)} million, ${Math.round(raised / decoupled)} times fewer`,
  )
}
