/** Layers with their caches: what any chunking, path, type and kind must have in common, on random sizes; and clear errors. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type AttentionLayer,
  additiveAttention,
  additiveWeights,
  attend,
  attendLatents,
  createCache,
  dotProductAttention,
  expandLatents,
  groupedLayer,
  latentLayer,
  linear,
  matrix,
  openWorkbench,
  rotate,
  shaped,
  type Workbench,
} from '../../src/attention/index.ts'
import { rowsOf, type Tensor } from '../../src/tensor/tensor.ts'
import { expectClose } from '../support/compare.ts'
import { Rng } from '../support/rng.ts'

let bench: Workbench
beforeAll(async () => {
  bench = await openWorkbench({ threads: 2 })
})
afterAll(() => bench.close())

const CLOSE = { rel: 1e-4, abs: 1e-4 }

/** Layers of every kind, of sizes that no fixture has. */
function layersOf(seed: number): Record<string, AttentionLayer> {
  const rng = new Rng(seed)
  const H = 2 * (1 + rng.below(3))
  const d = 2 * (3 + rng.below(9))
  const common = { hiddenSize: 5 + rng.below(60), nHeads: H, seed }
  const latent = {
    ...common,
    kvLoraRank: 3 + rng.below(40),
    qkNopeHeadDim: 1 + rng.below(20),
    qkRopeHeadDim: 2 * (1 + rng.below(6)),
    vHeadDim: 1 + rng.below(20),
  }
  return {
    MHA: groupedLayer(bench, { ...common, headDim: d }),
    GQA: groupedLayer(bench, { ...common, headDim: d, nKvHeads: 2 }),
    MQA: groupedLayer(bench, { ...common, headDim: d, nKvHeads: 1 }),
    'MQA with a window': groupedLayer(bench, { ...common, headDim: d, nKvHeads: 1, window: 5 }),
    'MQA with partial rope': groupedLayer(bench, { ...common, headDim: d, nKvHeads: 1, ropeDim: 4 }),
    'MHA without rope': groupedLayer(bench, { ...common, headDim: d, ropeTheta: null }),
    MLA: latentLayer(bench, latent),
    'MLA with a query of low rank': latentLayer(bench, { ...latent, qLoraRank: 4 + rng.below(20) }),
    'MLA without rope': latentLayer(bench, { ...latent, ropeTheta: null }),
  }
}

describe.each([1, 2, 3])('seed %i', seed => {
  it('in chunks with a cache as whole without one, on both paths', async () => {
    const rng = new Rng(100 + seed)
    for (const [name, layer] of Object.entries(layersOf(seed))) {
      const T = 20 + rng.below(30)
      const x = bench.random([T, layer.hiddenSize], seed)
      const paths = layer.kind === 'latent' ? (['expanded', 'absorbed', undefined] as const) : [undefined]
      const whole = await bench.read(attend(bench, layer, x).y)
      for (const path of paths) {
        const cache = createCache(bench, [layer], { type: 'f32', blockTokens: 1 + rng.below(9) })
        const rows: number[] = []
        for (let at = 0; at < T; ) {
          const count = Math.min(T - at, 1 + rng.below(8))
          const { y } = attend(bench, layer, rowsOf(x, at, count), { cache, ...(path && { path }) })
          rows.push(...(await bench.read(y)))
          at += count
          expect(cache.length).toBe(at)
        }
        expectClose(`${name}, ${path}`, rows, whole, CLOSE)
        await cache.close()
      }
      await bench.clear()
    }
  })

  it('patterns are probabilities that see nothing of later tokens', async () => {
    for (const [name, layer] of Object.entries(layersOf(seed))) {
      const T = 9
      const { pattern } = attend(bench, layer, bench.random([T, layer.hiddenSize], seed), { pattern: true })
      const p = await bench.read(pattern!)
      for (let row = 0; row < p.length / T; row++) {
        const t = row % T
        const numbers = p.subarray(row * T, (row + 1) * T)
        expect(
          numbers.reduce((sum, x) => sum + x, 0),
          name,
        ).toBeCloseTo(1, 4)
        expect([...numbers.subarray(t + 1)], name).toEqual(new Array(T - 1 - t).fill(0))
        if (layer.window) for (let s = 0; s <= t - layer.window; s++) expect(numbers[s], name).toBe(0)
      }
    }
  })
})

describe('the cache', () => {
  const sizes = { hiddenSize: 32, nHeads: 8, headDim: 16 }
  it('holds the bytes that the formulas say', async () => {
    const bytes = (layer: AttentionLayer, type: 'f16' | 'f32') => createCache(bench, [layer], { type }).bytesPerToken
    expect(bytes(groupedLayer(bench, sizes), 'f16')).toBe(2 * 8 * 16 * 2)
    expect(bytes(groupedLayer(bench, { ...sizes, nKvHeads: 2 }), 'f32')).toBe(2 * 2 * 16 * 4)
    expect(bytes(groupedLayer(bench, { ...sizes, nKvHeads: 1 }), 'f16')).toBe(2 * 16 * 2)
    const latent = { hiddenSize: 32, nHeads: 8, kvLoraRank: 24, qkNopeHeadDim: 16, qkRopeHeadDim: 8, vHeadDim: 16 }
    expect(bytes(latentLayer(bench, latent), 'f16')).toBe((24 + 8) * 2)
  })

  it('is one for several layers, and forgets what is truncated', async () => {
    const layers = [groupedLayer(bench, { ...sizes, window: 4 }), groupedLayer(bench, { ...sizes, seed: 1 })]
    const cache = createCache(bench, layers, { type: 'f32', blockTokens: 4 })
    const x = bench.random([6, 32], 3)
    const through = async (from: number, count: number) => {
      const first = attend(bench, layers[0]!, rowsOf(x, from, count), { cache })
      expect(cache.length).toBe(from)
      const second = attend(bench, layers[1]!, first.y, { cache })
      expect(cache.length).toBe(from + count)
      return bench.read(second.y)
    }
    await through(0, 3)
    const after = await through(3, 3)
    expect(cache.usedBytes).toBe(6 * cache.bytesPerToken)
    expect(cache.heldBytes).toBe(8 * cache.bytesPerToken)
    cache.truncate(3)
    expect(await through(3, 3)).toEqual(after)
    await cache.close()
  })

  it('of f16 is nearly as exact', async () => {
    const layer = latentLayer(bench, {
      hiddenSize: 40,
      nHeads: 4,
      kvLoraRank: 20,
      qkNopeHeadDim: 8,
      qkRopeHeadDim: 4,
      vHeadDim: 8,
    })
    const x = bench.random([12, 40], 9)
    const cache = createCache(bench, [layer])
    const { y } = attend(bench, layer, x, { cache, path: 'absorbed' })
    expectClose('f16', await bench.read(y), await bench.read(attend(bench, layer, x).y), { rel: 2e-3, abs: 2e-3 })
    await cache.close()
  })
})

it('the same seed gives the same layer on every kernel set, and the reference agrees', async () => {
  await using reference = await openWorkbench({ kernels: 'reference' })
  const sizes = { hiddenSize: 30, nHeads: 3, kvLoraRank: 17, qkNopeHeadDim: 7, qkRopeHeadDim: 4, vHeadDim: 5, seed: 8 }
  const run = async (on: Workbench) => on.read(attend(on, latentLayer(on, sizes), on.random([11, 30], 5)).y)
  expectClose('reference', await run(bench), await run(reference), CLOSE)
})

it('rope rotates the first ropeDim numbers of each head, and no others', async () => {
  const [T, D, H, d] = [7, 10, 2, 6]
  const drawn = (seed: number) => bench.read(bench.random([H * d, D], seed))
  const numbers = { query: await drawn(1), key: await drawn(2), value: await drawn(3), out: await drawn(4) }
  const sizes = { hiddenSize: D, nHeads: H, headDim: d, ropeDim: 4, ropeTheta: 50 }
  const x = bench.random([T, D], 6)
  const { pattern } = attend(bench, groupedLayer(bench, sizes, numbers), x, { pattern: true })
  const [queries, keys] = [numbers.query, numbers.key].map(numbers => {
    const heads = shaped(bench, linear(bench, x, matrix(bench, H * d, D, { numbers })), [T, H, d])
    return rotate(bench, heads, [...Array(T).keys()], { theta: 50, dim: 4, interleaved: false })
  }) as [Tensor, Tensor]
  const byHand = dotProductAttention(bench, { queries, keys, values: keys }, { pattern: true })
  expectClose('pattern', await bench.read(pattern!), await bench.read(byHand.pattern!), CLOSE)
})

describe('errors name what was met and what was expected', () => {
  const sizes = { hiddenSize: 32, nHeads: 4 }
  const latent = { ...sizes, kvLoraRank: 16, qkNopeHeadDim: 8, qkRopeHeadDim: 4, vHeadDim: 8 }
  const cases: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
    'a shape': [
      () => attend(bench, groupedLayer(bench, sizes), bench.tensor(new Float32Array(6), [2, 3])),
      /x is \[2, 3\]; expected \[T, D = 32\]/,
    ],
    'no tensor': [
      () => attend(bench, groupedLayer(bench, sizes), [1, 2] as never),
      /x is a list of 2; expected a tensor \[T, D = 32\], as workbench\.tensor\(\) makes it/,
    ],
    'numbers for a shape': [
      () => bench.tensor([1, 2, 3], [2, 2]),
      /The tensor has 3 numbers; expected 4, for \[2, 2\]/,
    ],
    'a size': [
      () => latentLayer(bench, { ...latent, kvLoraRank: 0 }),
      /kvLoraRank is 0; expected a whole number, 1 or more/,
    ],
    'a missing size': [
      () => latentLayer(bench, sizes as never),
      /latentLayer is given no kvLoraRank; expected hiddenSize, nHeads, kvLoraRank/,
    ],
    'a misspelt size': [
      () => latentLayer(bench, { ...latent, kvLoraRnk: 3 } as never),
      /latentLayer has no option kvLoraRnk; did you mean kvLoraRank\?/,
    ],
    'odd rope': [
      () => latentLayer(bench, { ...latent, qkRopeHeadDim: 3 }),
      /rope would rotate 3 numbers; expected an even/,
    ],
    'heads that do not divide': [
      () => groupedLayer(bench, { ...sizes, nKvHeads: 3 }),
      /nKvHeads is 3; expected a divisor of nHeads = 4/,
    ],
    'more rope than a head': [
      () => groupedLayer(bench, { ...sizes, ropeDim: 10 }),
      /ropeDim is 10; expected at most 8, the numbers of a head/,
    ],
    'weights of other sizes': [
      () => groupedLayer(bench, sizes, { query: [1], key: [1], value: [1], out: [1] }),
      /query has 1 numbers; expected 1024, for \[32, 32\]/,
    ],
    'a missing weight': [() => groupedLayer(bench, sizes, {} as never), /query is undefined; expected 1024/],
    'a path without latents': [
      () => attend(bench, groupedLayer(bench, sizes), bench.random([1, 32], 0), { path: 'absorbed' }),
      /path is absorbed, and the layer has no latents/,
    ],
    'a path of another name': [
      () => attend(bench, latentLayer(bench, latent), bench.random([1, 32], 0), { path: 'merged' as never }),
      /path is "merged"; expected expanded, absorbed/,
    ],
    "another layer's cache": [
      () =>
        attend(bench, groupedLayer(bench, sizes), bench.random([1, 32], 0), {
          cache: createCache(bench, [groupedLayer(bench, sizes)]),
        }),
      /The cache was made for other layers/,
    ],
    'a type for latents': [
      () => createCache(bench, [groupedLayer(bench, sizes)], { type: 'int8' }),
      /cacheType int8 is made for latents/,
    ],
    latents: [
      () => expandLatents(bench, latentLayer(bench, latent), bench.random([3, 15], 0)),
      /latents is \[3, 15\]; expected \[S, C = 16\]/,
    ],
    'rope keys': [
      () =>
        attendLatents(
          bench,
          latentLayer(bench, latent),
          {
            queries: bench.random([1, 4, 12], 0),
            latents: bench.random([3, 16], 0),
            ropeKeys: bench.random([2, 4], 0),
          },
          { path: 'absorbed' },
        ),
      /ropeKeys is \[2, 4\]; expected \[S = 3, R = 4\]/,
    ],
    'a first query behind the latents': [
      () => {
        const [queries, latents, ropeKeys] = [
          [2, 4, 12],
          [3, 16],
          [3, 4],
        ].map(shape => bench.random(shape, 0))
        const given = { queries, latents, ropeKeys } as Parameters<typeof attendLatents>[2]
        return attendLatents(bench, latentLayer(bench, latent), given, { path: 'absorbed', firstQuery: 2 })
      },
      /firstQuery is 2; expected a whole number from 0 to 1/,
    ],
    'positions of queries': [
      () => {
        const all = bench.random([2, 1, 4], 0)
        return dotProductAttention(bench, { queries: all, keys: all, values: all }, { firstQuery: 0.5 })
      },
      /firstQuery is 0.5; expected a whole number/,
    ],
    lengths: [
      () => attend(bench, groupedLayer(bench, sizes), bench.random([2, 32], 0), { lengths: [3, -1] }),
      /lengths\[1\] is -1; expected a whole number, 0 or more/,
    ],
    'key heads': [
      () => {
        const keys = bench.random([2, 3, 4], 0)
        return dotProductAttention(bench, { queries: bench.random([1, 4, 4], 0), keys, values: keys })
      },
      /keys has 3 heads; expected a divisor of the 4 query heads/,
    ],
    'a mask': [
      () => {
        const all = bench.random([2, 1, 4], 0)
        return dotProductAttention(bench, { queries: all, keys: all, values: all }, { causal: false, mask: [1] })
      },
      /mask has 1 entries; expected 2, one for each key/,
    ],
    positions: [
      () => rotate(bench, bench.random([2, 1, 4], 0), [1]),
      /positions has 1 entries; expected 2, one for each token/,
    ],
    'a source': [
      () => {
        const numbers = { state: new Float32Array(6), source: new Float32Array(8), score: [1, 2] }
        const weights = additiveWeights(bench, { width: 2, state: 3, source: 4 }, numbers)
        return additiveAttention(bench, weights, bench.random([1, 3], 0), bench.random([5, 3], 0))
      },
      /source is \[5, 3\]; expected \[S, m = 4\]/,
    ],
  }
  it.each(Object.entries(cases))('%s', (_, [run, message]) => {
    expect(run).toThrow(message)
  })

  it('a workbench that is closed', async () => {
    const closed = await openWorkbench({ kernels: 'reference' })
    await closed.close()
    expect(() => closed.tensor([1])).toThrow('This workbench has been disposed of; make a new one.')
    await expect(openWorkbench({ kernel: 'native' } as never)).rejects.toThrow('did you mean kernels?')
  })
})
