/** Every function of `latentkit/attention` against the operation oracles, on the reference and on the native kernels. */
import { describe, it } from 'vitest'
import {
  absorbQueries,
  additiveAttention,
  additiveWeights,
  attend,
  attendLatents,
  createCache,
  dotProductAttention,
  expandLatents,
  latentLayer,
  type RecurrentSizes,
  recurrentStates,
  recurrentWeights,
  rotate,
  upProjectValues,
} from '../../src/attention/index.ts'
import { Workbench } from '../../src/attention/workbench.ts'
import { rowsOf, type Tensor, view } from '../../src/tensor/tensor.ts'
import { expectClose, type Tolerance } from '../support/compare.ts'
import { operationFixtures } from '../support/fixtures.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'

/** The reference rounds results once; what goes through f32 in between twice. The others add in f32. */
const TOLERANCES: Readonly<Record<string, Tolerance>> = {
  reference: { rel: 2e-6, abs: 2e-6 },
  native: { rel: 2e-5, abs: 2e-5 },
  wasm: { rel: 2e-5, abs: 2e-5 },
}

type Tensors = ReturnType<typeof operationFixtures>['tensors']

class Case {
  readonly name: string
  readonly bench: Workbench
  readonly parameters: Readonly<Record<string, unknown>>
  readonly tolerance: Tolerance
  readonly #tensors: Tensors

  constructor(bench: Workbench, parameters: Record<string, unknown>, tensors: Tensors, tolerance: Tolerance) {
    this.name = String(parameters.name)
    this.bench = bench
    this.parameters = parameters
    this.tolerance = tolerance
    this.#tensors = tensors
  }

  number(name: string): number {
    return Number(this.parameters[name])
  }

  has(name: string): boolean {
    return this.#tensors.has(`${this.name}.${name}`)
  }

  raw(name: string) {
    const found = this.#tensors.get(`${this.name}.${name}`)
    if (!found) throw new Error(`no tensor ${this.name}.${name}`)
    return found
  }

  data(name: string): Float32Array {
    return this.raw(name).data as Float32Array
  }

  tensor(name: string): Tensor {
    return this.bench.tensor(this.data(name), this.raw(name).shape)
  }

  async check(got: Tensor | null, name: string, tolerance = this.tolerance): Promise<void> {
    const { data, shape } = this.raw(name)
    expectClose(`${this.name}.${name}`, await this.bench.read(got as Tensor), data, tolerance, shape)
  }
}

const RUNNERS: Readonly<Record<string, (c: Case) => Promise<void>>> = { grouped, mla, ancestors, rope }

describe.each(KERNEL_SETS)('$name', ({ name, make, missing }) => {
  for (const [group, run] of Object.entries(RUNNERS)) {
    const { title, cases, tensors } = operationFixtures(group)
    describe.skipIf(missing !== null)(title, () => {
      it.each(cases.map(parameters => [String(parameters.name), parameters] as const))('%s', async (_, parameters) => {
        await using bench = new Workbench({ kernels: await make() })
        await run(new Case(bench, parameters, tensors, TOLERANCES[name] as Tolerance))
      })
    })
  }
})

async function grouped(c: Case): Promise<void> {
  const { window } = c.parameters
  const { out, lse, pattern } = dotProductAttention(
    c.bench,
    { queries: c.tensor('q'), keys: c.tensor('k'), values: c.tensor('v') },
    {
      scale: c.number('scale'),
      firstQuery: c.number('first_query_position'),
      firstKey: c.number('key_start'),
      sinkTokens: c.number('sink_tokens'),
      ...(typeof window === 'number' && { window }),
      ...(c.has('sink_logits') && { sinkLogits: c.tensor('sink_logits') }),
      pattern: true,
    },
  )
  await c.check(out, 'out')
  await c.check(lse, 'lse')
  // exp of a difference of two f32 numbers as large as the scores.
  await c.check(pattern, 'probabilities', c.name === 'large-scores' ? { rel: 2e-4, abs: 1e-6 } : c.tolerance)
}

async function mla(c: Case): Promise<void> {
  if (c.name.startsWith('layer-')) return layer(c)
  const { bench } = c
  const layerOf = made(c, { keyValueUp: c.data('kv_b') })
  const [qNope, qRope, latents, ropeKeys] = ['q_nope', 'q_rope', 'latent', 'k_rope'].map(name => c.tensor(name)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ]
  const { keys, values } = expandLatents(bench, layerOf, latents)
  await c.check(keys, 'keys_expanded')
  await c.check(values, 'values_expanded')
  const absorbed = absorbQueries(bench, layerOf, qNope)
  await c.check(absorbed, 'q_latent')
  await c.check(upProjectValues(bench, layerOf, c.tensor('out_latent')), 'out')

  const queries = joined(c, qNope, qRope)
  const firstQuery = c.number('first_query_position')
  for (const path of ['expanded', 'absorbed'] as const) {
    const { out } = attendLatents(bench, layerOf, { queries, latents, ropeKeys }, { path, firstQuery })
    await c.check(out, 'out')
  }
  // Absorbed attention is MQA: one key of C + R numbers, whose first C are the value.
  const [S, C, R] = [latents.shape[0]!, c.number('C'), c.number('R')]
  const rows = joined(c, view(latents, 0, [S, 1, C]), view(ropeKeys, 0, [S, 1, R]))
  const one = dotProductAttention(
    bench,
    { queries: joined(c, absorbed, qRope), keys: rows, values: view(latents, 0, [S, 1, C]) },
    { scale: c.number('scale'), firstQuery },
  )
  await c.check(one.out, 'out_latent')
  await c.check(one.lse, 'lse')
}

/** From hidden states to the layer's output: without a cache, and with one that is read in two calls, on both paths. */
async function layer(c: Case): Promise<void> {
  const { bench } = c
  const lora = c.has('q_a')
  const weights = made(c, {
    ...(lora && { queryDown: c.data('q_a'), queryNorm: c.data('q_a_norm') }),
    query: c.data(lora ? 'q_b' : 'q'),
    keyValueDown: c.data('kv_a'),
    latentNorm: c.data('kv_a_norm'),
    keyValueUp: c.data('kv_b'),
    out: c.data('o'),
  })
  const hidden = c.tensor('hidden')
  const S = hidden.shape[0]!
  const first = c.number('first_query_position')
  for (const path of ['expanded', 'absorbed'] as const) {
    const whole = attend(bench, weights, hidden, { path })
    await c.check(rowsOf(whole.y, first, S - first), 'y')
    const cache = createCache(bench, [weights], { type: 'f32', blockTokens: 3 })
    attend(bench, weights, rowsOf(hidden, 0, first), { cache, path })
    const { y } = attend(bench, weights, rowsOf(hidden, first, S - first), { cache, path })
    await c.check(y, 'y')
    await cache.close()
  }
}

function made(c: Case, numbers: Partial<Parameters<typeof latentLayer>[2]> & object) {
  const [H, C, R, N, V] = ['H', 'C', 'R', 'N', 'V'].map(name => c.number(name)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  const D = c.has('hidden') ? c.number('D') : 1
  const Q = c.has('q_a') ? c.number('q_lora') : null
  const zeros = (n: number) => new Float32Array(n)
  const all = { query: zeros(H * (N + R) * (Q ?? D)), keyValueDown: zeros((C + R) * D), latentNorm: zeros(C) }
  return latentLayer(
    c.bench,
    {
      hiddenSize: D,
      nHeads: H,
      qLoraRank: Q,
      kvLoraRank: C,
      qkNopeHeadDim: N,
      qkRopeHeadDim: R,
      vHeadDim: V,
      softmaxScale: c.number('scale'),
      ...(c.has('hidden') && { latentNormEps: c.number('eps'), ropeTheta: c.number('theta') }),
    },
    { ...all, keyValueUp: zeros(0), out: zeros(D * H * V), ...numbers },
  )
}

async function ancestors(c: Case): Promise<void> {
  const { bench } = c
  if (c.name.startsWith('additive')) {
    const [[A, n], [, m]] = [c.raw('W').shape, c.raw('U').shape] as [[number, number], [number, number]]
    const numbers = { state: c.data('W'), source: c.data('U'), score: c.data('v') }
    const weights = additiveWeights(bench, { width: A, state: n, source: m }, numbers)
    const options = { mask: c.raw('mask').data, pattern: true }
    const found = additiveAttention(bench, weights, c.tensor('s'), c.tensor('h'), options)
    await c.check(found.energies, 'energies')
    await c.check(found.weights, 'weights')
    await c.check(found.context, 'context')
  } else if (c.name.startsWith('cross')) {
    const options = { causal: false, scale: c.number('scale'), mask: c.raw('mask').data }
    const given = { queries: c.tensor('q'), keys: c.tensor('k'), values: c.tensor('v') }
    const { out, lse } = dotProductAttention(bench, given, options)
    await c.check(out, 'out')
    await c.check(lse, 'lse')
  } else {
    const [T, inputSize] = c.raw('x').shape as [number, number]
    const size = c.raw('h0').shape[0]!
    const cell = c.name.replace(/-(step|sequence)$/, '') as RecurrentSizes['cell']
    const numbers = { input: c.data('W'), state: c.data('U'), inputBias: c.data('b'), stateBias: c.data('c') }
    const weights = recurrentWeights(bench, { cell, inputSize, size }, numbers)
    const x = bench.tensor(c.data('x'), [T, 1, inputSize])
    await c.check(recurrentStates(bench, weights, x, bench.tensor(c.data('h0'), [1, size])), 'h')
    // Two texts at once are two texts.
    const both = recurrentStates(
      bench,
      weights,
      view(x, 0, [T, 2, inputSize], [inputSize, 0, 1]),
      bench.tensor([...c.data('h0'), ...c.data('h0')], [2, size]),
    )
    for (const b of [0, 1]) await c.check(view(both, b * size, [T, 1, size], [2 * size, size, 1]), 'h')
  }
}

async function rope(c: Case): Promise<void> {
  if (!c.has('x')) {
    // Scores depend on distances alone.
    const theta = c.number('theta')
    const at = (name: string, position: number) => rotate(c.bench, c.tensor(name), [position], { theta })
    const scores: number[] = []
    for (const [q, k] of [
      [1000, 997],
      [3, 0],
    ] as const) {
      const { lse } = dotProductAttention(
        c.bench,
        { queries: at('q', q), keys: at('k', k), values: at('k', k) },
        { causal: false, scale: 1 },
      )
      scores.push((await c.bench.read(lse))[0]!)
    }
    expectClose(c.name, scores, c.raw('score').data, { rel: 1e-4, abs: 1e-4 })
    return
  }
  const options = {
    theta: c.number('theta'),
    dim: c.number('rotary_dim'),
    interleaved: c.name.startsWith('interleaved'),
  }
  await c.check(rotate(c.bench, c.tensor('x'), [...c.raw('positions').data], options), 'y')
}

/** [.., a | b] */
function joined(c: Case, a: Tensor, b: Tensor): Tensor {
  const [T, H, n] = a.shape as [number, number, number]
  const m = b.shape[2]!
  const y = c.bench.scratch.take([T, H, n + m])
  c.bench.ops.copy(view(y, 0, [T, H, n], y.strides), a)
  c.bench.ops.copy(view(y, n, [T, H, m], y.strides), b)
  return y
}
