/** Grouped attention, both paths of MLA and merging of the reference against the operation oracles. */
import type { AttentionArgs } from '../../src/kernels/contract/attention-args.ts'
import type { RowSlice, Sequences } from '../../src/kernels/contract/cached-rows.ts'
import { writeAngles } from '../../src/nn/attention/rope-angles.ts'
import { lastOf, reshape, rowsOf, splitHeads, type Tensor, view } from '../../src/tensor/tensor.ts'
import { type FixtureCase, runFixtures } from '../support/fixtures.ts'

/** Scores of size 1 from f64 sums over f32 inputs: the result is rounded once, the sum of weights is f64 in both. */
const DIRECT = { rel: 2e-7, abs: 1e-7 }
/** Through f32 intermediates: expanded keys, a latent query. */
const COMPOSED = { rel: 2e-6, abs: 2e-6 }

/** All heads of contiguous rows [S, G, width]. */
function slice(rows: Tensor): RowSlice {
  const [S, G, width] = rows.shape as [number, number, number]
  return { rows: reshape(rows, [S, G * width]), dtype: 'f32', offset: 0, heads: G, width, headStride: width }
}

/** One vector of contiguous rows [S, row], `offset` elements into it. */
function shared(rows: Tensor, offset: number, width: number): RowSlice {
  return { rows, dtype: 'f32', offset: offset * 4, heads: 1, width, headStride: width }
}

function oneSequence(c: FixtureCase, T: number, position: number, keyStart: number, keyCount: number): Sequences {
  return { rows: c.put('i32', [1, 6], Int32Array.of(0, T, position, keyStart, keyCount, 0)) }
}

runFixtures('grouped', runGrouped, { 'sink-tokens': 'no family has keys that stay visible beside a window' })

async function runGrouped(c: FixtureCase): Promise<void> {
  const [q, k, v] = [c.tensor('q'), c.tensor('k'), c.tensor('v')]
  const [T, H] = q.shape as [number, number]
  const S = k.shape[0]!
  const keyStart = c.number('key_start')
  const out = c.take(T, H, v.shape[2]!)
  const lse = c.take(T, H)
  const scores = c.take(H, T, S)
  c.kernels.attention({
    out,
    q,
    keys: [slice(k)],
    values: slice(v),
    sequences: oneSequence(c, T, c.number('first_query_position'), keyStart, S),
    scale: c.number('scale'),
    ...(c.parameters.window !== null && { window: c.number('window') }),
    ...(c.has('sink_logits') && { sinkLogits: c.tensor('sink_logits') }),
    lse,
    scores,
    scoresStart: keyStart,
  })
  c.kernels.probabilities(scores, scores, lse)
  await c.check(out, 'out', DIRECT)
  await c.check(lse, 'lse', DIRECT)
  // exp of a difference of two f32 numbers as large as the scores.
  const large = c.name === 'large-scores'
  await c.check(scores, 'probabilities', large ? { rel: 2e-4, abs: 1e-7 } : { rel: 2e-6, abs: 1e-7 })
}

runFixtures('mla', async c => {
  if (c.name.startsWith('layer-')) return layer(c)
  const k = c.kernels
  const { H, C, R, N, V } = sizes(c)
  const T = c.raw('q_nope').shape[0]!
  const S = c.raw('latent').shape[0]!
  const kvB = await c.weight('kv_b')
  const [qNope, qRope, latent, kRope] = [c.tensor('q_nope'), c.tensor('q_rope'), c.tensor('latent'), c.tensor('k_rope')]
  const common = {
    sequences: oneSequence(c, T, c.number('first_query_position'), 0, S),
    scale: c.number('scale'),
  } as const

  // Expanded: every latent becomes keys and values of all heads.
  const keysValues = c.take(S, H * (N + V))
  k.matmul(keysValues, latent, kvB)
  const perHead = splitHeads(keysValues, H)
  await c.check(copied(c, lastOf(perHead, 0, N)), 'keys_expanded', DIRECT)
  await c.check(copied(c, lastOf(perHead, N, V)), 'values_expanded', DIRECT)
  const expandedKeys = { rows: keysValues, dtype: 'f32', heads: H, headStride: N + V } as const
  const q = joined(c, qNope, qRope)
  const out = c.take(T, H, V)
  const lse = c.take(T, H)
  k.attention({
    ...common,
    out,
    lse,
    q,
    keys: [{ ...expandedKeys, offset: 0, width: N }, shared(kRope, 0, R)],
    values: { ...expandedKeys, offset: N * 4, width: V },
  })
  await c.check(out, 'out', COMPOSED)
  await c.check(lse, 'lse', COMPOSED)

  // Expanded once more by head, without the rope part between: raising is the same operation as in the absorbed path.
  const values = c.take(S, H, V)
  k.headMatmul(values, view(latent, 0, [S, H, C], [C, 0, 1]), kvB, raise(c))
  await c.check(values, 'values_expanded', DIRECT)

  // Absorbed: one row [latent | rope] per token serves all heads, and its own prefix is the value.
  const rows = c.take(S, C + R)
  k.copy(lastOf(rows, 0, C), latent)
  k.copy(lastOf(rows, C, R), kRope)
  const qRow = c.take(T, H, C + R)
  k.headMatmul(lastOf(qRow, 0, C), qNope, kvB, absorb(c))
  k.copy(lastOf(qRow, C, R), qRope)
  await c.check(copied(c, lastOf(qRow, 0, C)), 'q_latent', DIRECT)
  const outLatent = c.take(T, H, C)
  const args: AttentionArgs = {
    ...common,
    out: outLatent,
    lse,
    q: qRow,
    keys: [shared(rows, 0, C + R)],
    values: shared(rows, 0, C),
  }
  k.attention(args)
  await c.check(outLatent, 'out_latent', COMPOSED)
  await c.check(lse, 'lse', COMPOSED)
  // The same with the row in two slices.
  k.attention({ ...args, keys: [shared(rows, 0, C), shared(rows, C, R)] })
  await c.check(outLatent, 'out_latent', COMPOSED)
  k.headMatmul(out, outLatent, kvB, raise(c))
  await c.check(out, 'out', COMPOSED)
})

/** From hidden states to the layer's output, absorbed, with the rows of all tokens written as a cache would hold them. */
async function layer(c: FixtureCase): Promise<void> {
  const k = c.kernels
  const { H, C, R, N, V } = sizes(c)
  const eps = c.number('eps')
  const hidden = c.tensor('hidden')
  const S = hidden.shape[0]!
  const first = c.number('first_query_position')
  const T = S - first
  const kvB = await c.weight('kv_b')
  const frequencies = Float64Array.from({ length: R / 2 }, (_, i) => c.number('theta') ** ((-2 * i) / R))
  const angles = new Float32Array(S * R)
  for (let p = 0; p < S; p++) writeAngles(angles.subarray(p * R, (p + 1) * R), p, { frequencies, factor: 1 })
  const cosSin = c.put('f32', [S, R], angles)

  const rows = c.take(S, C + R)
  k.matmul(rows, hidden, await c.weight('kv_a'))
  k.rmsNorm(lastOf(rows, 0, C), lastOf(rows, 0, C), c.tensor('kv_a_norm'), eps)
  const ropeKeys = view(rows, C, [S, 1, R], [C + R, C + R, 1])
  k.rope(ropeKeys, ropeKeys, cosSin, true)
  await c.check(copied(c, lastOf(rows, 0, C)), 'latent', COMPOSED)
  await c.check(copied(c, lastOf(rows, C, R)), 'k_rope', COMPOSED)

  const x = rowsOf(hidden, first, T)
  const q = c.take(T, H * (N + R))
  if (c.has('q_a')) {
    const qA = await c.weight('q_a')
    const low = c.take(T, qA.rows)
    k.matmul(low, x, qA)
    k.rmsNorm(low, low, c.tensor('q_a_norm'), eps)
    k.matmul(q, low, await c.weight('q_b'))
  } else {
    k.matmul(q, x, await c.weight('q'))
  }
  const heads = splitHeads(q, H)
  const qRow = c.take(T, H, C + R)
  k.headMatmul(lastOf(qRow, 0, C), lastOf(heads, 0, N), kvB, absorb(c))
  k.rope(lastOf(qRow, C, R), lastOf(heads, N, R), rowsOf(cosSin, first, T), true)
  const outLatent = c.take(T, H, C)
  k.attention({
    out: outLatent,
    q: qRow,
    keys: [shared(rows, 0, C + R)],
    values: shared(rows, 0, C),
    sequences: oneSequence(c, T, first, 0, S),
    scale: c.number('scale'),
  })
  const out = c.take(T, H, V)
  k.headMatmul(out, outLatent, kvB, raise(c))
  await c.check(out, 'attention', COMPOSED)
  const y = c.take(T, c.number('D'))
  k.matmul(y, reshape(out, [T, H * V]), await c.weight('o'))
  await c.check(y, 'y', COMPOSED)
}

runFixtures('merge', async c => {
  const k = c.kernels
  if (c.name !== 'from-attention') return mergeOneByOne(c)
  const [q, keys, values] = [c.tensor('q'), c.tensor('k'), c.tensor('v')]
  const [T, H] = q.shape as [number, number]
  const V = values.shape[2]!
  const splits = c.parameters.splits as number[]
  const n = splits.length - 1
  const parts = c.take(n, T, H, V)
  const partLse = c.take(n, T, H)
  const carried = { out: c.take(T, H, V), lse: c.take(T, H) }
  for (let i = 0; i < n; i++) {
    const start = splits[i]!
    const count = splits[i + 1]! - start
    const args = {
      q,
      keys: [slice(rowsOf(keys, start, count))],
      values: slice(rowsOf(values, start, count)),
      sequences: oneSequence(c, T, c.number('first_query_position'), start, count),
      scale: c.number('scale'),
    } as const
    k.attention({ ...args, out: nth(parts, i), lse: nth(partLse, i) })
    k.attention({ ...args, ...carried, carry: i > 0 })
  }
  await c.check(parts, 'part_out', DIRECT)
  await c.check(partLse, 'part_lse', DIRECT)
  await c.check(carried.out, 'out', COMPOSED)
  await c.check(carried.lse, 'merged_lse', COMPOSED)
})

/** Carries on over the parts: each is one key per token, whose score is the part's lse and whose value its result. */
async function mergeOneByOne(c: FixtureCase): Promise<void> {
  const parts = c.tensor('parts') // [n, T, H, V]
  const partLse = c.tensor('lse') // [n, T, H]
  const [n, T, H, V] = parts.shape as [number, number, number, number]
  const out = c.take(T, H, V)
  const lse = c.take(T, H)
  const ones = c.put('f32', [1, H, 1], new Float32Array(H).fill(1))
  for (let t = 0; t < T; t++) {
    for (let i = 0; i < n; i++) {
      c.kernels.attention({
        out: rowsOf(out, t, 1),
        lse: rowsOf(lse, t, 1),
        q: ones,
        keys: [slice(reshape(rowsOf(nth(partLse, i), t, 1), [1, H, 1]))],
        values: slice(rowsOf(nth(parts, i), t, 1)),
        sequences: oneSequence(c, 1, 0, 0, 1),
        scale: 1,
        carry: i > 0,
      })
    }
  }
  await c.check(out, 'out', COMPOSED)
  await c.check(lse, 'merged_lse', COMPOSED)
}

/** Entry i of the first axis. */
function nth(t: Tensor, i: number): Tensor {
  return view(t, i * t.strides[0]!, t.shape.slice(1), t.strides.slice(1))
}

function sizes(c: FixtureCase) {
  return { H: c.number('H'), C: c.number('C'), R: c.number('R'), N: c.number('N'), V: c.number('V') }
}

function absorb(c: FixtureCase) {
  const { N, V } = sizes(c)
  return { headRows: N + V, firstRow: 0, rows: N, transposed: true }
}

function raise(c: FixtureCase) {
  const { N, V } = sizes(c)
  return { headRows: N + V, firstRow: N, rows: V, transposed: false }
}

function copied(c: FixtureCase, x: Tensor): Tensor {
  const y = c.take(...x.shape)
  c.kernels.copy(y, x)
  return y
}

/** [.., a | b] */
function joined(c: FixtureCase, a: Tensor, b: Tensor): Tensor {
  const [T, H, n] = a.shape as [number, number, number]
  const m = b.shape[2]!
  const y = c.take(T, H, n + m)
  c.kernels.copy(lastOf(y, 0, n), a)
  c.kernels.copy(lastOf(y, n, m), b)
  return y
}
