/**
 * What of the claims has to be measured. Times are the processor's, of one thread, and what is compared takes turns, so that others on the
 * machine change little; figures are ratios and exponents, no speeds.
 */

import type { AttentionCache, AttentionLayer, Workbench } from '../../src/attention/index.ts'
import { attend, createCache, groupedLayer, latentLayer, openWorkbench } from '../../src/attention/index.ts'
import { bundledModel, Engine } from '../../src/index.ts'
import { createNativeKernels } from '../../src/kernels/core/node/addon.ts'
import { reshape } from '../../src/tensor/tensor.ts'
import { mustBe, spread } from '../support/report.ts'
import { decimal, whole } from './claim.ts'

/** What a claim's measurement has found. */
export interface Measured {
  readonly name: string
  readonly found: readonly string[]
  readonly table?: readonly (readonly string[])[]
}

export const MEASUREMENTS: Readonly<Record<string, () => Promise<Omit<Measured, 'name'>>>> = {
  'first-token-2000-times': generation,
  'merged-matrices': merged,
  'six-times': twins,
}

/** Milliseconds of this process's processor time. */
async function cpu(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** The exponent of n^e that fits best: the slope between the logarithms. */
function exponent(points: readonly (readonly [n: number, ms: number])[]): number {
  const logs = points.map(([n, ms]) => [Math.log(n), Math.log(ms)] as const)
  const mean = (at: 0 | 1) => logs.reduce((sum, point) => sum + point[at], 0) / logs.length
  const [x, y] = [mean(0), mean(1)]
  const both = logs.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0)
  return both / logs.reduce((sum, point) => sum + (point[0] - x) ** 2, 0)
}

const LENGTHS = [64, 128, 256, 512]

async function generation() {
  const engine = await Engine.load(bundledModel(), { inline: true, threads: 1 })
  const write = async (maxTokens: number, useCache: boolean) => {
    const options = { maxTokens, useCache, reuse: false, temperature: 0, ignoreEos: true }
    return (await engine.session().prompt('Once', options)).tokenIds
  }
  await write(32, true)
  mustBe('the texts differ', (await write(40, true)).join() === (await write(40, false)).join())
  const rows: { n: number; cached: number; anew: number }[] = []
  for (const n of LENGTHS) {
    rows.push({ n, cached: await cpu(() => write(n, true)), anew: await cpu(() => write(n, false)) })
  }
  await engine.dispose()
  const [cached, anew] = (['cached', 'anew'] as const).map(kind => exponent(rows.map(row => [row.n, row[kind]])))
  return {
    found: [
      `Measured with the bundled model (\`latentkit generate --no-cache\`): the time of a text of n tokens grows as n^${decimal(anew as number)} without a cache and as n^${decimal(cached as number)} with it; the texts are the same.`,
    ],
    table: [
      ['tokens', 'with a cache, ms', 'without, ms', 'times'],
      ...rows.map(({ n, cached, anew }) => [whole(n), whole(cached), whole(anew), decimal(anew / cached, 1)]),
    ],
  }
}

const ROUNDS = 15

/** Products of one token with the merged matrices and with the thin ones, of V3's ranks and heads of which 16 are taken. */
async function merged() {
  const kernels = await createNativeKernels({ threads: 1 })
  const [H, Q, C, N, V, D] = [16, 1536, 512, 128, 128, 7168]
  const matrix = (rows: number, cols: number) => {
    const values = kernels.memory.alloc('f32', [rows, cols])
    const row = Float32Array.from({ length: rows * cols }, (_, i) => ((i * 7919) % 2048) / 2048 - 0.5)
    kernels.memory.upload(values, row)
    return kernels.weightOf(`${rows} x ${cols}`, values)
  }
  const vector = (...shape: number[]) => kernels.memory.alloc('f32', shape)
  const [queryUp, keyValueUp, out] = [matrix(H * N, Q), matrix(H * (N + V), C), matrix(D, H * V)]
  const [mergedQk, mergedVo] = [matrix(H * C, Q), matrix(D, H * C)]
  const [latentQuery, heads, absorbed, sums, values, y] = [
    vector(1, Q),
    vector(1, H, N),
    vector(1, H, C),
    vector(1, H, C),
    vector(1, H, V),
    vector(1, D),
  ] as const
  const up = { headRows: N + V, rows: N, firstRow: 0, transposed: true }
  const run = {
    thinQk: () => {
      kernels.matmul(reshape(heads, [1, H * N]), latentQuery, queryUp)
      kernels.headMatmul(absorbed, heads, keyValueUp, up)
    },
    mergedQk: () => kernels.matmul(reshape(absorbed, [1, H * C]), latentQuery, mergedQk),
    thinVo: () => {
      kernels.headMatmul(values, sums, keyValueUp, { headRows: N + V, rows: V, firstRow: N, transposed: false })
      kernels.matmul(y, reshape(values, [1, H * V]), out)
    },
    mergedVo: () => kernels.matmul(y, reshape(sums, [1, H * C]), mergedVo),
  }
  const times: Record<keyof typeof run, number[]> = { thinQk: [], mergedQk: [], thinVo: [], mergedVo: [] }
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of Object.keys(run) as (keyof typeof run)[]) {
      times[name].push(
        await cpu(() => {
          run[name]()
          return kernels.submit()
        }),
      )
    }
  }
  kernels.dispose()
  const ratio = (a: keyof typeof run, b: keyof typeof run) =>
    decimal(spread(times[a]).median / spread(times[b]).median, 1)
  return {
    found: [
      `Measured for one token, 16 heads of V3's sizes in f32: merged W_UQᵀ W_UK takes ${ratio('mergedQk', 'thinQk')} times as long as the two thin products, W_UV W_O ${ratio('mergedVo', 'thinVo')} times.`,
    ],
  }
}

const CONTEXTS = [512, 2048, 8192, 32_768]
/** Tokens that one step reads while the cache is filled, and steps that are timed. */
const [CHUNK, STEPS] = [512, 8]

/** One layer's decoding step with its projections, for twins of equal heads: 16 of 128, V2-Lite's. */
async function twins() {
  const bench = await openWorkbench({ kernels: 'native', threads: 1 })
  const D = 2048
  const heads = { hiddenSize: D, nHeads: 16, headDim: 128 }
  const layers: readonly (readonly [string, AttentionLayer])[] = [
    ['MHA', groupedLayer(bench, heads)],
    ['GQA-4', groupedLayer(bench, { ...heads, nKvHeads: 4 })],
    ['MQA', groupedLayer(bench, { ...heads, nKvHeads: 1 })],
    [
      'MLA',
      latentLayer(bench, {
        hiddenSize: D,
        nHeads: 16,
        kvLoraRank: 512,
        qkNopeHeadDim: 128,
        qkRopeHeadDim: 64,
        vHeadDim: 128,
      }),
    ],
  ]
  const caches = layers.map(([, layer]) => createCache(bench, [layer], { type: 'bf16' }))
  const rows: string[][] = []
  for (const context of CONTEXTS) {
    for (const [i, [, layer]] of layers.entries()) await fill(bench, layer, caches[i] as AttentionCache, context, D)
    const times = layers.map(() => [] as number[])
    const x = new Float32Array(D).fill(0.1)
    for (let step = 0; step < STEPS; step++) {
      for (const [i, [, layer]] of layers.entries()) {
        const cache = caches[i] as AttentionCache
        times[i]?.push(
          await cpu(async () => {
            await bench.read(attend(bench, layer, bench.tensor(x, [1, D]), { cache }).y)
          }),
        )
        cache.truncate(context)
        await bench.clear()
      }
    }
    const median = times.map(list => spread(list).median)
    const mla = median.at(-1) as number
    rows.push([whole(context), ...median.slice(0, -1).map(ms => decimal(ms / mla))])
  }
  await bench.close()
  return {
    found: [
      "Measured here, one stream on one core: a decoding step of one layer of 16 heads of 128 with its projections and its cache in bf16, as a multiple of MLA's (below 1: MLA is slower).",
    ],
    table: [['behind', ...layers.slice(0, -1).map(([name]) => name)], ...rows],
  }
}

async function fill(bench: Workbench, layer: AttentionLayer, cache: AttentionCache, context: number, D: number) {
  while (cache.length < context) {
    const count = Math.min(CHUNK, context - cache.length)
    attend(bench, layer, bench.random([count, D], cache.length), { cache })
    await bench.clear()
  }
}
