/** Short floating-point formats and expert routing of the reference against the operation oracles. */
import { expect } from 'vitest'
import { EXACT, expectClose } from '../support/compare.ts'
import { type FixtureCase, runFixtures } from '../support/fixtures.ts'
import { weightSource } from '../support/weights.ts'

const LATER = { 'all-e8m0': 'scales of this format are not among the weights yet' }

runFixtures('fp8', runFp8, LATER)

async function runFp8(c: FixtureCase): Promise<void> {
  const k = c.kernels
  if (c.name === 'encode') {
    const x = c.tensor('x')
    const codes = k.memory.alloc('e4m3', x.shape)
    k.copy(codes, x)
    return c.check(codes, 'codes', EXACT)
  }
  const scales = c.has('scale_inv') && {
    data: c.raw('scale_inv').data as Float32Array,
    blockRows: c.number('block_rows'),
    blockCols: c.number('block_cols'),
  }
  const weight = await c.weight('codes', 'e4m3', scales || undefined)
  const y = c.take(weight.rows, weight.cols)
  k.embed(
    y,
    weight,
    c.put(
      'i32',
      [weight.rows],
      Int32Array.from({ length: weight.rows }, (_, i) => i),
    ),
  )
  await c.check(y, 'values', EXACT)
}

runFixtures('halves', async c => {
  for (const dtype of ['f16', 'bf16'] as const) {
    if (c.name === 'from-float32') await encodes(c, dtype)
    else await decodes(c, dtype)
  }
})

async function encodes(c: FixtureCase, dtype: 'f16' | 'bf16'): Promise<void> {
  const x = c.tensor('x')
  const bits = c.kernels.memory.alloc(dtype, x.shape)
  c.kernels.copy(bits, x)
  const got = await c.kernels.memory.read(bits)
  const input = c.raw('x').data
  const want = c.raw(dtype).data
  const [exponent, mantissa] = dtype === 'f16' ? [0x7c00, 0x3ff] : [0x7f80, 0x7f]
  const isNan = (code: number) => (code & exponent) === exponent && (code & mantissa) !== 0
  for (let i = 0; i < want.length; i++) {
    // There are many NaNs; any of them will do.
    if (Number.isNaN(input[i])) expect(isNan(got[i]!)).toBe(true)
    else expect(got[i], `${input[i]} to ${dtype}`).toBe(want[i])
  }
}

async function decodes(c: FixtureCase, dtype: 'f16' | 'bf16'): Promise<void> {
  const bits = c.put(dtype, c.raw('bits').shape, c.raw('bits').data)
  const copied = c.take(...bits.shape)
  c.kernels.copy(copied, bits)
  await c.check(copied, dtype, EXACT)
  const cols = bits.shape[0]!
  const source = weightSource('bits', dtype, 1, cols, c.raw('bits').data)
  const embedded = c.take(1, cols)
  c.kernels.embed(embedded, await c.kernels.prepare(source), c.put('i32', [1], Int32Array.of(0)))
  expectClose(`embed ${dtype}`, await c.kernels.memory.read(embedded), c.raw(dtype).data, EXACT)
}

runFixtures('routing', async c => {
  const logits = c.tensor('logits')
  const [T, E] = logits.shape as [number, number]
  const K = c.number('k')
  const indices = c.kernels.memory.alloc('i32', [T, K])
  const weights = c.take(T, K)
  c.kernels.route(indices, weights, logits, {
    scoring: c.parameters.formula === 'noaux_tc' ? 'sigmoid' : 'softmax',
    ...(c.has('bias') && { bias: c.tensor('bias') }),
    groups: c.number('groups'),
    topkGroups: c.number('topk_group'),
    groupScore: c.parameters.formula === 'noaux_tc' ? 'top2' : 'max',
    normalise: c.parameters.normalise === true,
    scale: c.number('scale'),
  })
  await c.check(indices, 'indices', EXACT)
  await c.check(weights, 'weights', { rel: 2e-7, abs: 0 })
  const chosen = await c.kernels.memory.read(indices)
  const combined = await c.kernels.memory.read(weights)
  const dense = new Float32Array(T * E)
  chosen.forEach((e, i) => {
    dense[Math.floor(i / K) * E + e] = combined[i]!
  })
  expectClose('dense', dense, c.raw('dense').data, { rel: 2e-7, abs: 0 })
})
