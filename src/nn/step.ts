/** Turns the sequences of a step into the buffers that kernels read: ids, positions, who attends to what. */

import type { SequenceCache } from '../cache/sequence-cache.ts'
import { SEQUENCE_FIELDS } from '../kernels/contract/cached-rows.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import type { Arena } from './arena.ts'
import { KEY_CHUNK } from './attention/mla-expanded.ts'
import { type AttentionPath, type PathSpan, type PromptExtent, pathSpans } from './attention/path.ts'
import type { AbsorbedRun, ExpandedSpan, StepGroup } from './attention/step.ts'

/** A run of tokens that one sequence adds in this step. */
export interface StepInput {
  readonly tokens: ArrayLike<number>
  /** Where they go on: the tokens' positions are cache.length, cache.length + 1, … */
  readonly cache: SequenceCache
  /** The prompt these tokens belong to, in absolute positions; null: generated tokens. */
  readonly prompt: PromptExtent | null
  /** For which of the tokens logits are wanted. */
  readonly logits: 'all' | 'last' | 'none'
  /** Overrides the path of MLA; leaves the guarantee that chunking does not matter. */
  readonly path?: AttentionPath
}

export interface Step {
  /** T */
  readonly tokens: number
  /** i32 [T] */
  readonly ids: Tensor
  readonly positions: Tensor
  /** i32 [n]: rows whose logits are wanted. */
  readonly logitRows: Tensor
  readonly groups: readonly StepGroup[]
}

/** Places a step's descriptors in the arena; reserves nothing and runs nothing. */
export function planStep(kernels: Kernels, arena: Arena, inputs: readonly StepInput[], groups: number): Step {
  const tokens = inputs.reduce((n, i) => n + i.tokens.length, 0)
  const ids = new Int32Array(tokens)
  const positions = new Int32Array(tokens)
  const logitRows: number[] = []
  const starts: number[] = []
  let row = 0
  for (const { tokens: list, cache, logits } of inputs) {
    starts.push(row)
    for (let i = 0; i < list.length; i++) {
      ids[row + i] = list[i] as number
      positions[row + i] = cache.length + i
      if (logits === 'all' || (logits === 'last' && i === list.length - 1)) logitRows.push(row + i)
    }
    row += list.length
  }
  const put = (values: Int32Array) => {
    const t = arena.take([values.length], 'i32')
    if (values.length > 0) kernels.upload(t, values)
    return t
  }
  return {
    tokens,
    ids: put(ids),
    positions: put(positions),
    logitRows: put(new Int32Array(logitRows)),
    groups: Array.from({ length: groups }, (_, g) => planGroup(kernels, arena, inputs, starts, g)),
  }
}

/** One row of a sequence descriptor (see `SEQUENCE_FIELDS`). */
type Row = readonly [start: number, count: number, position: number, keyStart: number, keyCount: number, table: number]

function planGroup(
  kernels: Kernels,
  arena: Arena,
  inputs: readonly StepInput[],
  starts: readonly number[],
  group: number,
): StepGroup {
  const all: Row[] = []
  const absorbed: { start: number; rows: Row[] }[] = []
  const expanded: { start: number; count: number; rows: Row[] }[] = []

  inputs.forEach(({ tokens, cache, prompt, path }, i) => {
    const position = cache.length
    const table = cache.table(group)
    const keyStart = cache.keyStart(group)
    const start = starts[i] as number
    const row = (span: Omit<PathSpan, 'path'>, queryStart: number): Row => {
      const first = position + span.start
      return [queryStart, span.count, first, keyStart, first + span.count - keyStart, table]
    }
    all.push(row({ start: 0, count: tokens.length }, start))
    for (const span of pathSpans(position, tokens.length, prompt, path)) {
      const begin = start + span.start
      if (span.path === 'absorbed') {
        const last = absorbed.at(-1)
        const joins = last && last.start + last.rows.reduce((n, r) => n + r[1], 0) === begin
        if (joins) last.rows.push(row(span, begin - last.start))
        else absorbed.push({ start: begin, rows: [row(span, 0)] })
      } else {
        expanded.push({ start: begin, count: span.count, rows: keyChunks(row(span, 0)) })
      }
    }
  })

  const rows = [...all, ...absorbed.flatMap(r => r.rows), ...expanded.flatMap(s => s.rows)]
  const buffer = arena.take([rows.length, SEQUENCE_FIELDS], 'f64')
  if (rows.length > 0) kernels.upload(buffer, new Float64Array(rows.flat()))
  let next = all.length
  const take = (count: number) => {
    next += count
    return rowsOf(buffer, next - count, count)
  }
  return {
    sequences: rowsOf(buffer, 0, all.length),
    absorbed: absorbed.map((r): AbsorbedRun => {
      return { start: r.start, count: r.rows.reduce((n, row) => n + row[1], 0), sequences: take(r.rows.length) }
    }),
    expanded: expanded.map((s): ExpandedSpan => {
      return {
        start: s.start,
        count: s.count,
        keyChunks: s.rows.map(r => ({ keyCount: r[4], sequence: take(1) })),
      }
    }),
  }
}

/** Cuts a row's keys on the grid of `KEY_CHUNK` positions. */
function keyChunks([start, count, position, keyStart, keyCount, table]: Row): Row[] {
  const chunks: Row[] = []
  const end = keyStart + keyCount
  for (let from = keyStart; from < end; ) {
    const to = Math.min((Math.floor(from / KEY_CHUNK) + 1) * KEY_CHUNK, end)
    chunks.push([start, count, position, from, to - from, table])
    from = to
  }
  return chunks
}
