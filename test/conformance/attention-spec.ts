import type { RowSlice } from '../../src/kernels/contract/cached-rows.ts'
import { type CacheType, DTYPE_BYTES } from '../../src/tensor/dtype.ts'
import { lastOf, type Tensor, view } from '../../src/tensor/tensor.ts'
import type { Lab } from './lab.ts'
import { makePages, putSequences } from './pages.ts'

export interface AttentionSpec {
  readonly name: string
  readonly heads: number
  /**
   * grouped: key and value heads in a row. absorbed: [latent | rope] rows, the value is the latent; `joint`: one slice
   * for both. expanded: keys and values of all heads contiguous, from a product, and the rope key in paged rows.
   */
  readonly kind: 'grouped' | 'absorbed' | 'joint' | 'expanded'
  /** Key heads of grouped attention. Default 1. */
  readonly groups?: number
  /** Width of a key (N or C of MLA), of its rope part, of a value. */
  readonly width: number
  readonly rope?: number
  readonly value?: number
  /** Where rows lie: paged in this type, or one contiguous f32 tensor. */
  readonly stored: CacheType | 'contiguous'
  /** The second segment's type. Default: as `stored`. */
  readonly storedSecond?: CacheType
  readonly blockTokens?: number
  readonly sequences: readonly AttentionSequence[]
  readonly window?: number
  readonly sinkLogits?: boolean
  /** Columns of the bias, and the distance of the first. */
  readonly bias?: readonly [columns: number, start: number]
  readonly carry?: boolean
  /** Columns of the captured scores before the first key; negative leaves keys out. */
  readonly scores?: number
  /** Size of q. Default 1, which makes scores of size 1. */
  readonly large?: number
  readonly tolerance?: string
  /** Each query sees so many keys at most, drawn from those that it would see, gathered or masked. Default: all. */
  readonly selected?: { readonly most: number; readonly gather: boolean }
  /** q and out are contiguous. Default: strided, out with heads outermost. */
  readonly plain?: boolean
}

export interface AttentionSequence {
  readonly queries: number
  readonly position: number
  readonly keyStart?: number
  /** Default: up to the last query's own. */
  readonly keys?: number
}

/** Makes what a case describes and records its one call. */
export function recordAttention(lab: Lab, spec: AttentionSpec): void {
  const { heads: H, sequences, carry = false } = spec
  const keyWidth = spec.width + (spec.rope ?? 0)
  const V = spec.value ?? spec.width
  // A row of nobody before the first and behind the last sequence's.
  const T = 2 + sequences.reduce((sum, s) => sum + s.queries, 0)
  const { keys, values, fields, blockTables } =
    spec.kind === 'expanded' ? expandedRows(lab, spec) : cachedRows(lab, spec)
  const q = lab.normals([T, H, spec.plain ? keyWidth : keyWidth + 5], spec.large)
  const shape = spec.plain ? [T, H, V] : [H, T, V + 3]
  const part = (whole: Tensor) => (spec.plain ? whole : view(whole, 1, [T, H, V], [V + 3, T * (V + 3), 1]))
  const held = carry && Float64Array.from({ length: H * T * (V + 3) }, () => lab.rng.normal())
  const heldLse = carry && Array.from({ length: T * H }, () => lab.rng.normal() + 1)
  lab.k.attention({
    out: held ? lab.inout('out', 'f32', shape, held, part) : lab.output('out', 'f32', shape, part),
    q: spec.plain ? q : lastOf(q, 2, keyWidth),
    keys,
    values,
    sequences: putSequences(lab, fields, blockTables),
    scale: keyWidth ** -0.5,
    ...(spec.window !== undefined && { window: spec.window }),
    ...(spec.selected && { selected: selectedKeys(lab, fields, T, spec.selected) }),
    ...(spec.sinkLogits && { sinkLogits: lab.normals([H]) }),
    ...(spec.bias && { bias: lab.normals([H, spec.bias[0]]), biasStart: spec.bias[1] }),
    lse: heldLse ? lab.inout('lse', 'f32', [T, H], heldLse) : lab.output('lse', 'f32', [T, H]),
    ...(carry && { carry }),
    ...(spec.scores !== undefined && captured(lab, spec, T, spec.scores)),
  })
}

/** Rising positions, then -1; rows of nobody hold nonsense. */
function selectedKeys(
  lab: Lab,
  fields: readonly { queryStart: number; queryCount: number; position: number; keyStart: number; keyCount: number }[],
  T: number,
  { most, gather }: NonNullable<AttentionSpec['selected']>,
) {
  const lists = new Int32Array(T * most).fill(77)
  for (const { queryStart, queryCount, position, keyStart, keyCount } of fields) {
    for (let i = 0; i < queryCount; i++) {
      const seen = Math.min(keyCount, position + i + 1 - keyStart)
      const all = lab.rng.shuffled(Array.from({ length: seen }, (_, s) => keyStart + s))
      const chosen = all.slice(0, most).sort((a, b) => a - b)
      lists.set([...chosen, ...new Array(most - chosen.length).fill(-1)], (queryStart + i) * most)
    }
  }
  return { positions: lab.input('i32', [T, most], lists), gather }
}

/** Columns for more than the keys, or for the later ones only. */
function captured(lab: Lab, { heads, sequences }: AttentionSpec, T: number, before: number) {
  const { keyStart = 0, keys, position, queries } = sequences[0]!
  const columns = (keys ?? position + queries - keyStart) + before + 2
  const scores = lab.output('scores', 'f32', [heads, T, columns + 3], whole => lastOf(whole, 2, columns))
  return { scores, scoresStart: keyStart - before }
}

function fieldsOf(sequences: readonly AttentionSequence[], tables: readonly number[]) {
  let queryStart = 1
  return sequences.map(({ queries, position, keyStart = 0, keys }, i) => {
    const keyCount = keys ?? position + queries - keyStart
    const fields = { queryStart, queryCount: queries, position, keyStart, keyCount, table: tables[i] ?? 0 }
    queryStart += queries
    return fields
  })
}

interface Rows {
  readonly keys: readonly RowSlice[]
  readonly values: RowSlice
  readonly fields: ReturnType<typeof fieldsOf>
  readonly blockTables: Tensor | undefined
}

function cachedRows(lab: Lab, spec: AttentionSpec): Rows {
  const { kind, groups = 1, width, rope = 0, sequences } = spec
  const segments =
    kind === 'grouped'
      ? [
          { heads: groups, width },
          { heads: groups, width: spec.value ?? width },
        ]
      : [
          { heads: 1, width },
          { heads: 1, width: rope },
        ]
  const { slices, tables, blockTables } = storedRows(lab, spec, segments)
  const [first, second] = slices as [RowSlice, RowSlice]
  const fields = fieldsOf(sequences, tables)
  if (kind === 'grouped') return { keys: [first], values: second, fields, blockTables }
  const keys = kind === 'joint' ? [{ ...first, width: width + rope }] : [first, second]
  return { keys, values: first, fields, blockTables }
}

function expandedRows(lab: Lab, spec: AttentionSpec): Rows {
  const { heads, width, rope = 0, value = width } = spec
  const { slices, tables, blockTables } = storedRows(lab, spec, [{ heads: 1, width: rope }])
  const fields = fieldsOf(spec.sequences, tables)
  const S = fields[0]!.keyCount
  const headStride = width + value
  const rows = lab.normals([S, heads * headStride])
  const expanded = { rows, dtype: 'f32', heads, headStride } as const
  return {
    keys: [{ ...expanded, offset: 0, width }, ...slices],
    values: { ...expanded, offset: width * DTYPE_BYTES.f32, width: value },
    fields,
    blockTables,
  }
}

/** Rows at the positions that queries may see hold numbers; the others NaN, or there is no block. */
function storedRows(lab: Lab, spec: AttentionSpec, shapes: readonly { heads: number; width: number }[]) {
  const { stored, storedSecond, sequences, blockTokens = 16 } = spec
  const segments = shapes.map((s, i) => (i === 1 && storedSecond ? { ...s, dtype: storedSecond } : s))
  const spans = fieldsOf(sequences, []).map(({ keyStart, keyCount, position, queryCount }) => {
    const room = keyStart + keyCount
    return { freed: keyStart, filled: Math.min(room, position + queryCount), room }
  })
  if (stored !== 'contiguous') return makePages(lab, { dtype: stored, segments, blockTokens, sequences: spans })
  const rowWidth = segments.reduce((sum, s) => sum + s.heads * s.width, 0)
  const [span = { freed: 0, filled: 0, room: 0 }] = spans
  const rows = lab.normals([span.room - span.freed, rowWidth])
  let offset = 0
  const slices = segments.map(({ heads, width }): RowSlice => {
    const slice = { rows, dtype: 'f32', offset: offset * DTYPE_BYTES.f32, heads, width, headStride: width } as const
    offset += heads * width
    return slice
  })
  return { slices, tables: [], blockTables: undefined }
}
