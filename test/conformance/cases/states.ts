import type { StatePlace } from '../../../src/kernels/contract/states.ts'
import { lastOf, reshape, splitHeads, type Tensor } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'
import { GUARD, type Lab } from '../lab.ts'
import { putSequences } from '../pages.ts'

/** Tokens of each sequence and the position of the first. */
type Steps = readonly (readonly [tokens: number, position: number])[]

const BLOCK_TOKENS = 4
const STEPS: Readonly<Record<string, Steps>> = {
  'one token': [[1, 0]],
  'one token of a text': [[1, 6]],
  'a prompt across blocks': [[11, 0]],
  'ragged sequences': [
    [1, 9],
    [7, 3],
    [0, 4],
    [2, 8],
  ],
  'no sequence': [],
}
const BEFORE = 5

/**
 * A state of so many numbers for each sequence: those that are read hold numbers, those that are written NaN. Every second end of
 * a block is kept by nobody.
 */
function states(lab: Lab, steps: Steps, numbers: number) {
  const blockOf = (fill: number | null) => [
    ...new Array<number>(BEFORE).fill(Number.NaN),
    ...(fill === null ? lab.rng.normals(numbers, 0.3) : new Array<number>(numbers).fill(fill)),
  ]
  const entries = [-1]
  let queryStart = 1
  const fields = steps.map(([tokens, position], s) => {
    const table = entries.length
    const [before] = position > 0 ? lab.blocks('f32', [blockOf(null)]) : [0]
    const count =
      tokens === 0 ? 0 : Math.floor((position + tokens - 1) / BLOCK_TOKENS) - Math.floor(position / BLOCK_TOKENS) + 1
    const written = Array.from({ length: count }, (_, i) =>
      i % 2 === 1 && i < count - 1 ? 0 : (lab.blocks('f32', [blockOf(Number.NaN)], `state ${s}.${i}`)[0] as number),
    )
    entries.push(before as number, ...written)
    const start = queryStart
    queryStart += tokens
    return { queryStart: start, queryCount: tokens, position, keyStart: 0, keyCount: 0, table }
  })
  const place: StatePlace = { blockTokens: BLOCK_TOKENS, offset: GUARD + 4 * BEFORE }
  return { T: queryStart, place, sequences: putSequences(lab, fields, lab.input('i32', [entries.length], entries)) }
}

/** Part of wider rows; row 0 is nobody's. */
const rows = (lab: Lab, T: number, n: number, scale?: number) => lastOf(lab.normals([T, n + 3], scale), 2, n)
const heads = (lab: Lab, T: number, H: number, n: number, scale?: number) => splitHeads(rows(lab, T, H * n, scale), H)

/** The rows of sequences, all but the first. */
function output(lab: Lab, T: number, n: number, width = n + 3): Tensor {
  return lab.inout('y', 'f32', [T, width], new Array<number>(T * width).fill(0), y => lastOf(y, 1, n))
}

const convolutions = Object.entries(STEPS).flatMap(([name, steps]) =>
  (
    [
      [5, 3, { before: true, after: true }],
      [300, 4, { silu: true, bias: true }],
      [33, 1, { bias: true }],
      [16, 2, { before: true, silu: true }],
    ] as const
  ).map(
    ([C, K, given]): ConformanceCase => ({
      op: 'shortConv',
      name: `${name}, ${C} channels, ${K} rows, ${Object.keys(given).join(', ')}`,
      record(lab) {
        const { T, place, sequences } = states(lab, steps, (K - 1) * C)
        const on = given as { readonly [option: string]: boolean }
        lab.k.shortConv(output(lab, T, C), rows(lab, T, C), lab.normals([C, K]), place, sequences, {
          ...(on.bias && { bias: lab.normals([C]) }),
          ...(on.before && { before: rows(lab, T, C) }),
          ...(on.after && { after: rows(lab, T, C) }),
          ...(on.silu && { silu: true }),
        })
      },
    }),
  ),
)

const rules = Object.entries(STEPS).flatMap(([name, steps]) =>
  (
    [
      { H: 2, G: 2, dk: 16, dv: 16, channels: 16 },
      { H: 4, G: 2, dk: 20, dv: 70, channels: 1 },
      { H: 3, G: 1, dk: 7, dv: 5, channels: 7 },
    ] as const
  ).map(
    ({ H, G, dk, dv, channels }): ConformanceCase => ({
      op: 'deltaRule',
      name: `${name}, ${H} heads of ${dk} x ${dv}, ${G} of keys, decay by ${channels > 1 ? 'channel' : 'head'}`,
      record(lab) {
        const { T, place, sequences } = states(lab, steps, H * dk * dv)
        const positive = (n: number) =>
          lab.input(
            'f32',
            [T, H, n],
            lab.rng.normals(T * H * n).map(x => 1 / (1 + Math.exp(-x))),
          )
        const o = splitHeads(output(lab, T, H * dv), H)
        const [q, k] = [heads(lab, T, G, dk, 0.3), heads(lab, T, G, dk, 0.3)]
        const beta = reshape(positive(1), [T, H])
        lab.k.deltaRule(o, q, k, heads(lab, T, H, dv), positive(channels), beta, place, sequences)
      },
    }),
  ),
)

const factors = [0, -5].flatMap(floor =>
  [1, 16, 37].map(
    (n): ConformanceCase => ({
      op: 'decays',
      name: `${n} numbers for each of 3 heads, ${floor < 0 ? `at least exp(${floor})` : 'softplus'}`,
      record(lab) {
        const [T, H] = [9, 3]
        const y = splitHeads(
          lab.output('y', 'f32', [T, H * n + 2], whole => lastOf(whole, 1, H * n)),
          H,
        )
        const logA = lab.input('f32', [H], [-4.6, 0, 2.77])
        lab.k.decays(y, heads(lab, T, H, n, 4), logA, lab.normals([H, n]), floor)
      },
    }),
  ),
)

export const stateCases: readonly ConformanceCase[] = [...convolutions, ...rules, ...factors]
