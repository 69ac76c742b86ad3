/** docs/mla.md: its lines of code are where it says, and its equations are what the layers compute. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { attend, createCache, type LatentNumbers, latentLayer, openWorkbench } from '../../src/attention/index.ts'
import { rowsOf } from '../../src/tensor/tensor.ts'
import { expectClose } from '../support/compare.ts'
import { Rng } from '../support/rng.ts'

const ROOT = new URL('../../', import.meta.url)
const PAGE = readFileSync(new URL('docs/mla.md', ROOT), 'utf8')
const QUOTED = [...PAGE.matchAll(/`([^`]+)`<br>`([\w./-]+):(\d+)`/g)]

describe('docs/mla.md', () => {
  it.each(QUOTED.map(([, code = '', file = '', line = '']) => [file, Number(line), code] as const))(
    '%s:%i has %s',
    (file, line, code) => {
      const lines = readFileSync(join(ROOT.pathname, file), 'utf8').split('\n')
      const found = lines.flatMap((text, i) => (text.includes(code) ? [i + 1] : []))
      expect(found, `docs/mla.md quotes ${file}:${line}`).toEqual([line])
    },
  )

  it('has every equation from 37 to 47, and those of rope', () => {
    const cells = [...PAGE.matchAll(/^\| ([\d, ]+) \|/gm)].flatMap(([, cell = '']) => cell.split(', ').map(Number))
    for (let equation = 37; equation <= 47; equation++) expect(cells).toContain(equation)
    expect(QUOTED.length).toBeGreaterThanOrEqual(23)
    expect(PAGE).toContain('(eq. 15)')
    expect(PAGE).toContain('(eq. 34)')
  })
})

type Matrix = readonly (readonly number[])[]

/** Rows of a matrix, of the numbers that the layer got. */
function matrix(numbers: ArrayLike<number>, rows: number): Matrix {
  const cols = numbers.length / rows
  return Array.from({ length: rows }, (_, r) => Array.from({ length: cols }, (_, k) => numbers[r * cols + k]!))
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)
const times = (w: Matrix, x: readonly number[]) => w.map(row => dot(row, x))
const rms = (x: readonly number[], weight: ArrayLike<number>) => {
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + 1e-6)
  return x.map((value, i) => value * scale * weight[i]!)
}
/** RoFormer, eq. 34. */
const rotated = (x: readonly number[], m: number) =>
  x.flatMap((_, n) => {
    if (n % 2 === 1) return []
    const angle = m * 10000 ** (-n / x.length)
    const [a, b] = [x[n]!, x[n + 1]!]
    return [a * Math.cos(angle) - b * Math.sin(angle), a * Math.sin(angle) + b * Math.cos(angle)]
  })

interface Sizes {
  readonly D: number
  readonly H: number
  readonly Q: number
  readonly C: number
  readonly N: number
  readonly R: number
  readonly V: number
}

/** u of every token, as the appendix has it. */
function appendixC(hidden: Matrix, { H, Q, C, N, R, V, D }: Sizes, w: LatentNumbers): number[][] {
  const queryRows = matrix(w.query, H * (N + R))
  const ofHead = (rows: Matrix, each: number, i: number, from: number, count: number) =>
    rows.slice(i * each + from, i * each + from + count)
  const down = matrix(w.keyValueDown, C + R)
  const up = matrix(w.keyValueUp, H * (N + V))
  const cached = hidden.map((h, t) => ({
    cKV: rms(times(down.slice(0, C), h), w.latentNorm), // 41
    kR: rotated(times(down.slice(C), h), t), // 43
  }))
  return hidden.map((h, t) => {
    const cQ = rms(times(matrix(w.queryDown!, Q), h), w.queryNorm!) // 37
    const heads = Array.from({ length: H }, (_, i) => {
      const qC = times(ofHead(queryRows, N + R, i, 0, N), cQ) // 38
      const qR = rotated(times(ofHead(queryRows, N + R, i, N, R), cQ), t) // 39
      const q = [...qC, ...qR] // 40
      const seen = cached.slice(0, t + 1).map(({ cKV, kR }) => ({
        k: [...times(ofHead(up, N + V, i, 0, N), cKV), ...kR], // 42, 44
        v: times(ofHead(up, N + V, i, N, V), cKV), // 45
      }))
      const weights = seen.map(({ k }) => Math.exp(dot(q, k) / Math.sqrt(N + R)))
      const sum = weights.reduce((a, b) => a + b, 0)
      return Array.from({ length: V }, (_, n) => seen.reduce((o, { v }, j) => o + (weights[j]! / sum) * v[n]!, 0)) // 46
    })
    return times(matrix(w.out, D), heads.flat()) // 47
  })
}

it.each([1, 2, 3, 4])('the equations, written out naively, give what both paths give (seed %i)', async seed => {
  const rng = new Rng(seed)
  const size = (most: number) => 1 + rng.below(most)
  const sizes: Sizes = { D: size(40), H: size(4), Q: size(20), C: size(30), N: size(12), R: 2 * size(5), V: size(12) }
  const { D, H, Q, C, N, R, V } = sizes
  const T = 4 + rng.below(12)
  const random = (rows: number, cols: number) => rng.normals(rows * cols, 1 / Math.sqrt(cols))
  const numbers: LatentNumbers = {
    queryDown: random(Q, D),
    queryNorm: rng.normals(Q, 0.2, 1),
    query: random(H * (N + R), Q),
    keyValueDown: random(C + R, D),
    latentNorm: rng.normals(C, 0.2, 1),
    keyValueUp: random(H * (N + V), C),
    out: random(D, H * V),
  }
  const hidden = rng.normals(T * D)
  const expected = appendixC(matrix(hidden, T), sizes, numbers).flat()

  await using bench = await openWorkbench({ kernels: 'reference' })
  const config = {
    hiddenSize: D,
    nHeads: H,
    qLoraRank: Q,
    kvLoraRank: C,
    qkNopeHeadDim: N,
    qkRopeHeadDim: R,
    vHeadDim: V,
  }
  const layer = latentLayer(bench, config, numbers)
  const x = bench.tensor(hidden, [T, D])
  for (const path of ['expanded', 'absorbed'] as const) {
    expectClose(path, await bench.read(attend(bench, layer, x, { path }).y), expected, { rel: 1e-5, abs: 1e-5 })
    // One token after the other, as in decoding.
    const cache = createCache(bench, [layer], { type: 'f32' })
    const rows: number[] = []
    for (let t = 0; t < T; t++) {
      const { y } = attend(bench, layer, rowsOf(x, t, 1), { cache, path })
      rows.push(...(await bench.read(y)))
    }
    expectClose(`${path}, token by token`, rows, expected, { rel: 1e-5, abs: 1e-5 })
  }
})
