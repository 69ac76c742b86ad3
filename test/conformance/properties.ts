import fc from 'fast-check'
import type { AttentionArgs } from '../../src/kernels/contract/attention-args.ts'
import type { RowSlice } from '../../src/kernels/contract/cached-rows.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { lastOf, rowsOf, type Tensor, type TypedArray } from '../../src/tensor/tensor.ts'
import { EXACT, expectClose, type Tolerance } from '../support/compare.ts'
import { Rng } from '../support/rng.ts'
import { Lab } from './lab.ts'
import { makePages, putSequences } from './pages.ts'
import { ROW_OPERATIONS } from './row-operations.ts'

type Test = (name: string, run: () => Promise<void>) => void

const RUNS = { seed: 20240507, numRuns: 12 }

/** Through another path: f32 sums in another order. Outputs are means of numbers of size 1. */
const REORDERED: Tolerance = { rel: 1e-5, abs: 1e-5 }

function properties(test: Test, kernels: () => Kernels) {
  return <T extends unknown[]>(
    name: string,
    inputs: { [K in keyof T]: fc.Arbitrary<T[K]> },
    holds: (lab: Lab, ...values: T) => Promise<void>,
  ) =>
    test(name, async () => {
      const all = fc.tuple(fc.integer({ min: 0, max: 2 ** 31 }), ...inputs)
      const check = fc.asyncProperty(all, async ([seed, ...values]) => {
        const lab = new Lab(kernels(), new Rng(seed))
        try {
          await holds(lab, ...(values as unknown as T))
        } finally {
          lab.free()
        }
      })
      await fc.assert(check, RUNS)
    })
}

const size = (max: number) => fc.integer({ min: 1, max })

/** A row does not depend on the rows beside it, in every operation of rows that `counts`. */
export function runRowProperties(test: Test, kernels: () => Kernels, counts: (op: string) => boolean): void {
  const property = properties(test, kernels)
  for (const [name, make] of Object.entries(ROW_OPERATIONS)) {
    if (!counts(name.replace(/,.*/, ''))) continue
    property(`a row alone is the row in a batch: ${name}`, [size(70), size(90), size(150)], async (lab, T, n, m) => {
      const operation = await make(lab, n, m)
      const x = lab.normals([T, n])
      const whole = lab.k.memory.alloc('f32', [T, operation.width])
      operation.run(whole, x, 0)
      const all = await numbers(lab.k, whole)
      for (const t of lab.rng.shuffled([...Array(T).keys()]).slice(0, 4)) {
        const alone = lab.k.memory.alloc('f32', [1, operation.width])
        operation.run(alone, rowsOf(x, t, 1), t)
        const row = all.slice(t * operation.width, (t + 1) * operation.width)
        expectClose(`row ${t} of ${T}`, await numbers(lab.k, alone), row, EXACT)
        lab.k.memory.free(alone)
      }
      lab.k.memory.free(whole)
    })
  }
}

/** What must hold whatever the shapes: keys that a row does not see do not count; paged is contiguous; parts merge to the whole; absorbed is expanded. */
export function runProperties(test: Test, kernels: () => Kernels): void {
  const property = properties(test, kernels)

  const shapeOf = (T: number, before: fc.Arbitrary<number>, heads: number[], width: number) =>
    fc.record({
      T: size(T),
      before,
      H: fc.constantFrom(...heads),
      C: size(width),
      R: size(20),
      blockTokens: size(20),
      window: fc.option(size(60), { nil: undefined }),
      dtype: fc.constantFrom('f32', 'f16', 'bf16'),
    })
  const shape = fc.oneof(
    { weight: 3, arbitrary: shapeOf(40, fc.integer({ min: 0, max: 150 }), [1, 2, 3, 8, 16], 70) },
    // Where an implementation might cut many keys into spans.
    { weight: 1, arbitrary: shapeOf(6, fc.constantFrom(254, 509, 1021, 1300), [1, 2, 5], 20) },
  )

  property(
    'attention: chunks give the bits of the whole, whatever is stored behind',
    [shape, size(39)],
    async (lab, s, cut) => {
      const { whole, run } = joint(lab, s)
      const cutAt = Math.min(cut, s.T)
      const parts = [...(await run(0, cutAt, s.before + cutAt)), ...(await run(cutAt, s.T - cutAt, s.before + s.T))]
      expectClose('chunks', parts, await whole(), EXACT)
      const one = lab.rng.below(s.T)
      const row = (await whole()).slice(one * s.H * s.C, (one + 1) * s.H * s.C)
      expectClose(`query ${one} alone`, await run(one, 1, s.before + one + 1), row, EXACT)
    },
  )

  property('attention: sequences in a batch give the bits of each alone', [shape, shape], async (lab, a, b) => {
    const { H, C, R, dtype, blockTokens } = a
    const counts = [a.T, 1, b.T]
    const befores = [a.before, b.before, 0]
    const pages = makePages(lab, {
      dtype: dtype as 'f32',
      segments: [{ heads: 1, width: C + R }],
      blockTokens,
      sequences: counts.map((T, i) => ({ filled: befores[i]! + T })),
    })
    const T = counts.reduce((sum, n) => sum + n, 0)
    const q = lab.normals([T, H, C + R])
    const [row] = pages.slices as [RowSlice]
    let queryStart = 0
    const fields = counts.map((queryCount, i) => {
      const position = befores[i]!
      const field = {
        queryStart,
        queryCount,
        position,
        keyStart: 0,
        keyCount: position + queryCount,
        table: pages.tables[i]!,
      }
      queryStart += queryCount
      return field
    })
    const args = { q, keys: [row], values: { ...row, width: C }, scale: (C + R) ** -0.5 } as const
    const together = lab.k.memory.alloc('f32', [T, H, C])
    const alone = lab.k.memory.alloc('f32', [T, H, C])
    lab.k.attention({ ...args, out: together, sequences: putSequences(lab, fields, pages.blockTables) })
    for (const field of fields)
      lab.k.attention({ ...args, out: alone, sequences: putSequences(lab, [field], pages.blockTables) })
    expectClose('sequences', await numbers(lab.k, together), await numbers(lab.k, alone), EXACT)
    lab.k.memory.free(together)
    lab.k.memory.free(alone)
  })

  property('attention: queries that choose all keys have the bits of those that see all', [shape], async (lab, s) => {
    const { whole, args, sequence, S } = joint(lab, { ...s, window: undefined })
    const { T, before } = s
    const lists = Array.from({ length: T * S }, (_, i) => (i % S <= before + Math.floor(i / S) ? i % S : -1))
    const positions = lab.input('i32', [T, S], lists)
    const single = Array.from({ length: T }, (_, t) => {
      const [queryStart, position] = [sequence.queryStart + t, before + t]
      return { ...sequence, queryStart, queryCount: 1, position, keyCount: position + 1 }
    })
    const queries = putSequences(lab, single, args.sequences.tables)
    const out = lab.k.memory.alloc('f32', args.out.shape)
    lab.k.attention({ ...args, out, sequences: queries, selected: { positions, gather: true } })
    expectClose('gathered', await numbers(lab.k, out), await whole(), EXACT)
    lab.k.attention({ ...args, out, selected: { positions, gather: false } })
    expectClose('masked', await numbers(lab.k, out), await whole(), EXACT)
    lab.k.memory.free(out)
  })

  property('attention: paged rows give what contiguous rows give', [shape], async (lab, s) => {
    const { whole, args, S } = joint(lab, { ...s, dtype: 'f32' })
    const [row] = args.keys as [RowSlice]
    const rows = lab.k.memory.alloc('f32', [S, row.width])
    lab.k.cacheRead(rows, row, args.sequences)
    const slice = { ...row, rows, offset: 0 }
    const out = lab.k.memory.alloc('f32', args.out.shape)
    lab.k.attention({ ...args, out, keys: [slice], values: { ...slice, width: s.C } })
    expectClose('contiguous', await numbers(lab.k, out), await whole(), REORDERED)
    lab.k.memory.free(rows)
    lab.k.memory.free(out)
  })

  property('attention: parts of the keys, carried on, give the whole', [shape, size(300)], async (lab, s, cut) => {
    const { whole, args, sequence, S } = joint(lab, s)
    const { T, H, C } = s
    const cutAt = Math.min(cut, S)
    const spans = [
      { keyStart: 0, keyCount: cutAt },
      { keyStart: cutAt, keyCount: S - cutAt },
    ]
    const carried = { out: lab.k.memory.alloc('f32', [T, H, C]), lse: lab.k.memory.alloc('f32', [T, H]) }
    spans.forEach((span, i) => {
      const part = { ...args, sequences: putSequences(lab, [{ ...sequence, ...span }], args.sequences.tables) }
      lab.k.attention({ ...part, ...carried, carry: i > 0 })
    })
    const lse = lab.k.memory.alloc('f32', [T, H])
    const out = lab.k.memory.alloc('f32', [T, H, C])
    lab.k.attention({ ...args, out, lse })
    expectClose('out', await numbers(lab.k, carried.out), await whole(), REORDERED)
    expectClose('lse', await numbers(lab.k, carried.lse), await numbers(lab.k, lse), REORDERED)
    for (const t of [carried.out, carried.lse, lse, out]) lab.k.memory.free(t)
  })

  property('attention: captured scores make the output and change nothing', [shape], async (lab, s) => {
    const { whole, args, S } = joint(lab, { ...s, dtype: 'f32' })
    const { T, H } = s
    const scores = lab.k.memory.alloc('f32', [H, T, S])
    const lse = lab.k.memory.alloc('f32', [T, H])
    const out = lab.k.memory.alloc('f32', args.out.shape)
    lab.k.attention({ ...args, out, lse, scores, scoresStart: 0 })
    lab.k.probabilities(scores, scores, lse)
    const p = await numbers(lab.k, scores)
    expectClose('out', await numbers(lab.k, out), await whole(), EXACT)
    const sums = Array.from({ length: H * T }, (_, r) => p.slice(r * S, (r + 1) * S).reduce((sum, x) => sum + x, 0))
    expectClose('sums of probabilities', sums, new Array(H * T).fill(1), REORDERED)
    for (const t of [scores, lse, out]) lab.k.memory.free(t)
  })

  property('absorbed is expanded', [shape, size(40), size(40)], async (lab, s, N, V) => {
    const { T, before, H, C, R } = s
    const S = before + T
    const { k } = lab
    const kvB = await lab.weight('f32', H * (N + V), C, {
      data: lab.rng.normals(H * (N + V) * C, C ** -0.5),
    })
    const rows = lab.normals([S, C + R])
    const query = lab.normals([T, H, N + R])
    const fields = { queryStart: 0, queryCount: T, position: before, keyStart: 0, keyCount: S, table: 0 }
    const common = { sequences: putSequences(lab, [fields]), scale: (N + R) ** -0.5 } as const
    const row = { rows, dtype: 'f32', offset: 0, heads: 1, width: C + R, headStride: 0 } as const
    const keyRows = { headRows: N + V, firstRow: 0, rows: N }
    const valueRows = { headRows: N + V, firstRow: N, rows: V, transposed: false }

    const keys = k.memory.alloc('f32', [S, H * (N + V)])
    k.matmul(keys, lastOf(rows, 0, C), kvB)
    const perHead = { rows: keys, dtype: 'f32', heads: H, headStride: N + V } as const
    const expanded = k.memory.alloc('f32', [T, H, V])
    k.attention({
      ...common,
      out: expanded,
      q: query,
      keys: [
        { ...perHead, offset: 0, width: N },
        { ...row, offset: C * 4, width: R },
      ],
      values: { ...perHead, offset: N * 4, width: V },
    })

    const q = k.memory.alloc('f32', [T, H, C + R])
    k.headMatmul(lastOf(q, 0, C), lastOf(query, 0, N), kvB, { ...keyRows, transposed: true })
    k.copy(lastOf(q, C, R), lastOf(query, N, R))
    const latent = k.memory.alloc('f32', [T, H, C])
    k.attention({ ...common, out: latent, q, keys: [row], values: { ...row, width: C } })
    const absorbed = k.memory.alloc('f32', [T, H, V])
    k.headMatmul(absorbed, latent, kvB, valueRows)
    expectClose('absorbed', await numbers(k, absorbed), await numbers(k, expanded), { rel: 1e-4, abs: 1e-4 })
    for (const t of [keys, expanded, q, latent, absorbed]) k.memory.free(t)
  })
}

interface JointShape {
  readonly T: number
  readonly before: number
  readonly H: number
  readonly C: number
  readonly R: number
  readonly blockTokens: number
  readonly window?: number | undefined
  readonly dtype: string
}

/** T queries behind `before` tokens on absorbed rows [C | R]. */
function joint(lab: Lab, { T, before, H, C, R, blockTokens, window, dtype }: JointShape) {
  const S = before + T
  const pages = makePages(lab, {
    dtype: dtype as 'f32',
    segments: [{ heads: 1, width: C + R }],
    blockTokens,
    sequences: [{ filled: S }],
  })
  const [row] = pages.slices as [RowSlice]
  const q = lab.normals([T, H, C + R])
  const sequence = { queryStart: 0, queryCount: T, position: before, keyStart: 0, keyCount: S, table: pages.tables[0]! }
  const args: Omit<AttentionArgs, 'out' | 'sequences' | 'q'> = {
    keys: [row],
    values: { ...row, width: C },
    scale: (C + R) ** -0.5,
    ...(window !== undefined && { window }),
  }
  const run = async (first: number, count: number, keyCount: number) => {
    const out = lab.k.memory.alloc('f32', [count, H, C])
    const fields = { ...sequence, queryCount: count, position: before + first, keyCount }
    lab.k.attention({
      ...args,
      out,
      q: rowsOf(q, first, count),
      sequences: putSequences(lab, [fields], pages.blockTables),
    })
    const result = await numbers(lab.k, out)
    lab.k.memory.free(out)
    return result
  }
  const template = { ...args, q, out: { dtype: 'f32', shape: [T, H, C], strides: [], address: 0 } } as const
  return {
    S,
    sequence,
    run,
    whole: () => run(0, T, S),
    args: { ...template, sequences: putSequences(lab, [sequence], pages.blockTables) } as AttentionArgs,
  }
}

async function numbers(k: Kernels, t: Tensor): Promise<number[]> {
  await k.submit()
  return Array.from((await k.memory.read(t)) as TypedArray)
}
