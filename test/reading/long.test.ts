/**
 * Long texts, of which MLA computes a part expanded and a part absorbed, windows that hide keys, heads that share keys: every
 * map beside softmax(q k) in f64. (What q and k are is held to transformers.)
 */
import { describe, expect, it } from 'vitest'
import { TextReading } from '../../src/reading/reading.ts'
import { mixedModel } from '../nn/mixed-model.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { ALONE, NO_TOKENIZER, readingModel } from './support.ts'

/** Two cells that are expanded and a rest that is absorbed. */
const T = 300
const TOKENS = Array.from({ length: T }, (_, i) => (i * 37 + 11) % 53)
const WHAT = { probabilities: true, scores: true, pool: 0, pooling: 'max', measures: false, cross: false } as const
const all = (n: number) => Array.from({ length: n }, (_, i) => i)

describe.each(KERNEL_SETS.filter(({ name, missing }) => missing === null && name !== 'reference'))('$name', set => {
  it('every map is softmax(q k) of its own vectors; any rows and heads have the same bits', {
    timeout: 60_000,
  }, async () => {
    await using model = await readingModel(mixedModel(), set)
    const reading = await TextReading.read(model, NO_TOKENIZER, TOKENS, ALONE)
    for (const { layer, heads, keySize, scale, window } of reading.info.layers) {
      const maps = await reading.attention({ layer, heads: all(heads), rows: [0, T], ...WHAT }, ALONE)
      for (const { head, scores, probabilities } of maps) {
        const { queries, keys } = await reading.vectors({ layer, head, rows: [0, T] }, ALONE)
        const want = attended(queries, keys, keySize, scale, window)
        expectNear(scores as Float32Array, want.scores)
        expectNear(probabilities as Float32Array, want.probabilities)
      }
      const head = heads - 1
      const [some] = await reading.attention({ layer, heads: [head], rows: [101, 290], ...WHAT }, ALONE)
      expect(some?.scores).toEqual(maps[head]?.scores?.slice(101 * T, 290 * T))
      expect(some?.probabilities).toEqual(maps[head]?.probabilities?.slice(101 * T, 290 * T))
      for (const path of ['expanded', 'absorbed'] as const) {
        const [forced] = await reading.attention({ layer, heads: [head], rows: [0, T], path, ...WHAT }, ALONE)
        expectNear(forced?.scores as Float32Array, maps[head]?.scores as Float32Array)
      }
    }
    await reading.dispose()
  })

  it('watches no layer once it is disposed of: what is under way is answered, the rest refused', async () => {
    await using model = await readingModel(mixedModel(), set)
    const reading = await TextReading.read(model, NO_TOKENIZER, TOKENS, ALONE)
    const asked = reading.headOutput(0, 0, [0, 1], ALONE)
    const gone = reading.dispose()
    await expect(reading.headOutput(1, 0, [0, 1], ALONE)).rejects.toThrow('This reading has been disposed of')
    expect(await asked).toBeInstanceOf(Float32Array)
    await gone
  })

  it('a cell is worked in every path, and each number follows from those before it', { timeout: 60_000 }, async () => {
    await using model = await readingModel(mixedModel(), set)
    const reading = await TextReading.read(model, NO_TOKENIZER, TOKENS, ALONE)
    for (const { layer, kind, heads, keySize, window } of reading.info.layers) {
      const head = heads - 1
      for (const [query, key] of [
        [290, 280],
        [100, 99],
        [100, 3],
        [5, 9],
      ] as const) {
        const cell = await reading.cell({ layer, head, query, key, cross: false, neighbours: 3 }, ALONE)
        const seen = key <= query && (window === null || key > query - window)
        expect(cell.seen).toBe(seen)
        const own = query < 256 ? 'expanded' : 'absorbed'
        const other = query < 256 ? 'absorbed' : 'expanded'
        expect(cell.paths.map(({ path }) => path)).toEqual(kind === 'latent' ? [own, other] : ['grouped'])
        const vectors = await reading.vectors({ layer, head, rows: [0, T] }, ALONE)
        const [map] = await reading.attention({ layer, heads: [head], rows: [query, query + 1], ...WHAT }, ALONE)
        expect(cell.probability).toBe(map?.probabilities?.[key])
        expect(cell.score).toBe(map?.scores?.[key])
        for (const path of cell.paths) {
          expect(path.dot).toBeCloseTo(path.plainDot + path.ropeDot, 9)
          expect(path.worked).toBeCloseTo(path.dot * cell.scale, 9)
          if (seen) expect(Math.abs(path.worked - path.score)).toBeLessThan(1e-4 * (1 + Math.abs(path.score)))
          else expect([path.score, path.probability]).toEqual([Number.NEGATIVE_INFINITY, 0])
          expectNear(path.output, weightedSum(map?.probabilities as Float32Array, vectors.values))
          expect(path.query).toHaveLength(path.path === 'absorbed' ? path.rope[1] : keySize)
        }
        expectNear(
          cell.weighted,
          cell.value.map(x => x * cell.probability),
        )
        expect(cell.neighbours.map(({ probability }) => probability)).toEqual(
          [...(map?.probabilities ?? [])].sort((a, b) => b - a).slice(0, cell.neighbours.length),
        )
        for (const turned of cell.rotation ? [cell.rotation.query, cell.rotation.key] : []) {
          expectNear(turned.after, rotated(turned, cell.rotation?.interleaved ?? false))
        }
      }
    }
    await reading.dispose()
  })
})

function rotated(
  { before, cos, sin }: { before: Float32Array; cos: Float32Array; sin: Float32Array },
  interleaved: boolean,
): Float32Array {
  const after = new Float32Array(before.length)
  const r = cos.length
  for (let i = 0; i < r; i++) {
    const [a, b] = interleaved ? [2 * i, 2 * i + 1] : [i, i + r]
    const [x, y, c, s] = [before[a], before[b], cos[i], sin[i]] as [number, number, number, number]
    after[a] = x * c - y * s
    after[b] = x * s + y * c
  }
  return after
}

function attended(q: Float32Array, k: Float32Array, n: number, scale: number, window: number | null) {
  const scores = new Float64Array(T * T).fill(Number.NEGATIVE_INFINITY)
  const probabilities = new Float64Array(T * T)
  for (let t = 0; t < T; t++) {
    let max = Number.NEGATIVE_INFINITY
    const first = window === null ? 0 : Math.max(0, t - window + 1)
    for (let s = first; s <= t; s++) {
      let dot = 0
      for (let i = 0; i < n; i++) dot += (q[t * n + i] as number) * (k[s * n + i] as number)
      scores[t * T + s] = dot * scale
      max = Math.max(max, dot * scale)
    }
    let sum = 0
    for (let s = first; s <= t; s++) sum += Math.exp((scores[t * T + s] as number) - max)
    for (let s = first; s <= t; s++) probabilities[t * T + s] = Math.exp((scores[t * T + s] as number) - max) / sum
  }
  return { scores, probabilities }
}

function weightedSum(p: Float32Array, values: Float32Array): Float32Array {
  const n = values.length / p.length
  const sum = new Float64Array(n)
  for (let s = 0; s < p.length; s++) {
    for (let i = 0; i < n; i++) sum[i] = (sum[i] as number) + (p[s] as number) * (values[s * n + i] as number)
  }
  return Float32Array.from(sum)
}

function expectNear(got: ArrayLike<number>, want: ArrayLike<number>): void {
  expect(got.length).toBe(want.length)
  let worst = 0
  for (let i = 0; i < want.length; i++) {
    const [a, b] = [got[i] as number, want[i] as number]
    if (a !== b) worst = Math.max(worst, Math.abs(a - b) / (1 + Math.abs(b)))
    if (Number.isNaN(a)) worst = Number.POSITIVE_INFINITY
  }
  expect(worst).toBeLessThan(2e-4)
}
