/** The reference against formulas written once more, for what the operation oracles leave out. */
import { describe, expect, it } from 'vitest'
import type { AttentionArgs } from '../../src/kernels/contract/attention-args.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { lastOf, splitHeads, type Tensor, type TypedArray, view } from '../../src/tensor/tensor.ts'
import { expectClose } from '../support/compare.ts'
import { Rng } from '../support/rng.ts'
import { weightSource } from '../support/weights.ts'

const CLOSE = { rel: 1e-6, abs: 1e-6 }
const k = createReferenceKernels()

function put(shape: readonly number[], data: ArrayLike<number>, dtype: 'f32' | 'i32' = 'f32'): Tensor {
  const made = k.memory.alloc(dtype, shape)
  const array = { f32: Float32Array, i32: Int32Array }[dtype]
  k.memory.upload(made, array.from(data))
  return made
}

const numbers = async (t: Tensor) => Array.from((await k.memory.read(t)) as TypedArray)

const range = (n: number) => [...Array(n).keys()]

describe('products', () => {
  it('matmul is residual + scale (x W^T + bias)', async () => {
    const rng = new Rng('matmul')
    const [T, rows, cols] = [3, 4, 5]
    const [x, w, bias, residual] = [T * cols, rows * cols, rows, T * rows].map(n => rng.normals(n)) as Float32Array[]
    const weight = await k.prepare(weightSource('w', 'f32', rows, cols, w!))
    const y = k.memory.alloc('f32', [T, rows])
    k.matmul(y, put([T, cols], x!), weight, {
      bias: put([rows], bias!),
      residual: put([T, rows], residual!),
      scale: -0.5,
    })
    const want = range(T * rows).map(i => {
      const t = Math.floor(i / rows)
      const n = i % rows
      const terms = range(cols).map(c => x![t * cols + c]! * w![n * cols + c]!)
      return residual![i]! - (terms.reduce((a, b) => a + b) + bias![n]!) / 2
    })
    expectClose('y', await numbers(y), want, CLOSE)
  })

  it('a transposed weight is the same matrix', async () => {
    const rng = new Rng('transposed')
    const w = rng.normals(6)
    const turned = range(6).map(i => w[(i % 2) * 3 + Math.floor(i / 2)]!) // [2, 3] stored as [3, 2]
    const x = put([1, 3], rng.normals(3))
    const results = await Promise.all(
      [
        weightSource('w', 'f32', 2, 3, w),
        weightSource('w', 'f32', 2, 3, Float32Array.from(turned), { transposed: true }),
      ].map(async source => {
        const y = k.memory.alloc('f32', [1, 2])
        k.matmul(y, x, await k.prepare(source))
        return numbers(y)
      }),
    )
    expect(results[0]).toEqual(results[1])
  })

  it('a mixture of experts is the weighted sum of dense products', async () => {
    const rng = new Rng('experts')
    const [T, D, E, K] = [5, 4, 3, 2]
    const matrices = range(E).map(() => rng.normals(D * D))
    const x = rng.normals(T * D)
    const residual = rng.normals(T * D)
    const chosen = [0, 2, 2, 0, 0, 2, 2, 0, 0, 2] // nobody wants expert 1
    const factors = rng.normals(T * K)
    const w = await k.prepareExperts(matrices.map(m => weightSource('w', 'f32', D, D, m)))
    const plan = k.memory.alloc('i32', [E + 1 + 2 * T * K])
    const part = k.memory.alloc('f32', [T * K, D])
    const y = k.memory.alloc('f32', [T, D])
    k.groupByExpert(plan, put([T, K], chosen, 'i32'), E)
    k.expertMatmul(part, put([T, D], x), w, plan, true)
    k.combineExperts(y, part, put([T, K], factors), plan, put([T, D], residual))
    const want = range(T * D).map(i => {
      const t = Math.floor(i / D)
      let sum = residual[i]!
      for (const j of range(K)) {
        const matrix = matrices[chosen[t * K + j]!]!
        for (const c of range(D)) sum += factors[t * K + j]! * matrix[(i % D) * D + c]! * x[t * D + c]!
      }
      return sum
    })
    expectClose('y', await numbers(y), want, CLOSE)
    expect((await numbers(plan)).slice(0, E + 1)).toEqual([0, 5, 5, 10])
  })
})

describe('moving numbers', () => {
  it('copies strided heads', async () => {
    const x = put([2, 6], range(12))
    const y = k.memory.alloc('f32', [2, 2, 4])
    k.copy(lastOf(y, 1, 2), lastOf(splitHeads(x, 2), 1, 2))
    expect(await numbers(y)).toEqual([0, 1, 2, 0, 0, 4, 5, 0, 0, 7, 8, 0, 0, 10, 11, 0])
  })

  it('writes rows of two sequences where their tables say', async () => {
    // Two blocks of two tokens and two layers, 16-bit rows of [3 | 1]; layer 1; the second sequence has block 0.
    const rowBytes = 8
    const blocks = [0, 1].map(() => k.memory.allocBlock(2 * 2 * rowBytes))
    const sequences = {
      rows: put([2, 6], [0, 1, 1, 0, 2, 0, 1, 1, 0, 0, 1, 1], 'i32'),
      tables: put([2], [blocks[1]!.id, blocks[0]!.id], 'i32'),
    }
    const rows = { blockTokens: 2, layerOffset: 2 * rowBytes, rowBytes }
    const slice = { rows, dtype: 'bf16', offset: 2, heads: 1, width: 3, headStride: 3 } as const
    k.cacheWrite(slice, put([2, 1, 3], [1, 2, 4, -1, -2, -4]), sequences)
    const bits = (await Promise.all(blocks.map(b => numbers(view({ ...b.memory, dtype: 'bf16' }, 0, [16]))))).flat()
    const want = new Array(32).fill(0)
    want.splice(16 + 8 + 4 + 1, 3, 0x3f80, 0x4000, 0x4080) // block 1, layer 1, slot 1
    want.splice(8 + 1, 3, 0xbf80, 0xc000, 0xc080) // block 0, layer 1, slot 0
    expect(bits).toEqual(want)
  })
})

describe('attention', () => {
  const [T, H, G, S, d, V] = [4, 4, 2, 9, 5, 3]
  const rng = new Rng('attention')
  const [q, keys, values] = [T * H * d, S * G * d, S * G * V].map(n => rng.normals(n)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const position = 4
  const keyStart = 1

  /** Plain exponentials, key by key, in any order. */
  function oracle(visible: (query: number, key: number) => boolean, sinks?: readonly number[]) {
    const out: number[] = []
    const lse: number[] = []
    for (const t of range(T)) {
      for (const h of range(H)) {
        const g = h < H / 2 ? 0 : 1
        const seen = range(S).filter(s => visible(position + t, keyStart + s))
        const exponentials = seen.map(s =>
          Math.exp(0.4 * range(d).reduce((sum, i) => sum + q[(t * H + h) * d + i]! * keys[(s * G + g) * d + i]!, 0)),
        )
        const total = exponentials.reduce((a, b) => a + b, 0) + (sinks ? Math.exp(sinks[h]!) : 0)
        lse.push(Math.log(total))
        for (const i of range(V)) {
          out.push(seen.reduce((sum, s, n) => sum + (exponentials[n]! / total) * values[(s * G + g) * V + i]!, 0))
        }
      }
    }
    return { out, lse }
  }

  async function run(more: Partial<AttentionArgs>) {
    const out = k.memory.alloc('f32', [T, H, V])
    const lse = k.memory.alloc('f32', [T, H])
    const slice = (data: Float32Array, width: number) =>
      ({ rows: put([S, G * width], data), dtype: 'f32', offset: 0, heads: G, width, headStride: width }) as const
    k.attention({
      out,
      lse,
      q: put([T, H, d], q),
      keys: [slice(keys, d)],
      values: slice(values, V),
      sequences: { rows: put([1, 6], [0, T, position, keyStart, S, 0], 'i32') },
      scale: 0.4,
      ...more,
    })
    return { out: await numbers(out), lse: await numbers(lse) }
  }

  const cases: Readonly<Record<string, [Partial<AttentionArgs>, ReturnType<typeof oracle>]>> = {
    causal: [{}, oracle((query, key) => key <= query)],
    'in a window': [{ window: 3 }, oracle((query, key) => key <= query && key > query - 3)],
    'with sink logits': [{ sinkLogits: put([H], [1, -1, 0, 3]) }, oracle((query, key) => key <= query, [1, -1, 0, 3])],
  }
  for (const [name, [args, want]] of Object.entries(cases)) {
    it(`is the formula: ${name}`, async () => {
      const got = await run(args)
      expectClose('out', got.out, want.out, CLOSE)
      expectClose('lse', got.lse, want.lse, CLOSE)
    })
  }

  it('captures scores at the columns of their positions', async () => {
    const scores = put([H, T, 7], new Array(H * T * 7).fill(99))
    await run({ scores, scoresStart: 4 })
    const row = (await numbers(view(scores, 0, [1, 7]))).map(x =>
      x === 99 ? 'left' : Number.isFinite(x) ? 'seen' : 'masked',
    )
    // Query 4 sees keys up to 4; keys end at 9, so column 6 is key 10 and no key at all.
    expect(row).toEqual(['seen', 'masked', 'masked', 'masked', 'masked', 'masked', 'left'])
  })
})
