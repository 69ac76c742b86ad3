/** Turns the sequences of a step into the buffers that kernels read: ids, positions, who attends to what. */

import type { SequenceCache } from '../cache/sequence-cache.ts'
import type { KernelMemory } from '../kernels/contract/memory.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { KeyStore } from './attention/keys.ts'
import { KEY_CHUNK } from './attention/mla-expanded.ts'
import { type AttentionPath, type PathSpan, type PromptExtent, pathSpans } from './attention/path.ts'
import { type RopeSet, stepAngles } from './attention/rope-angles.ts'
import type { ExpandedSpan, QueryRun, StepGroup } from './attention/runs.ts'
import type { Scratch } from './scratch.ts'
import { blockTables, putSequences, type Row } from './sequences.ts'

/** The keys of a sequence's earlier tokens, and where its own go. */
export type Past = Pick<SequenceCache, 'length' | 'keyStart' | 'blockIds'>

/** Of a sequence that begins in this step and has no cache; for `contiguousKeys`. */
export const NO_PAST: Past = { length: 0, keyStart: () => 0, blockIds: () => new Int32Array() }

/** A run of tokens that one sequence adds in this step. */
export interface StepInput<P extends Past = SequenceCache> {
  readonly tokens: ArrayLike<number>
  /** Where they go on: the tokens' positions are cache.length, cache.length + 1, … */
  readonly cache: P
  /** The prompt these tokens belong to, in absolute positions; null: generated tokens. */
  readonly prompt: PromptExtent | null
  /** For which of the tokens logits are wanted. */
  readonly logits: 'all' | 'last' | 'none'
  /** The text has no later tokens, and each token sees all of it, as in an encoder. Default: those before it, and itself. */
  readonly seesAll?: boolean
  /** The kind of each token, for an encoder that tells them apart. Default: 0. */
  readonly types?: ArrayLike<number>
  /** Overrides the path of MLA; leaves the guarantee that chunking does not matter. */
  readonly path?: AttentionPath
}

export interface Step {
  readonly inputs: readonly StepInput<Past>[]
  /** T */
  readonly tokens: number
  /** i32 [T] */
  readonly ids: Tensor
  readonly positions: Tensor
  /** i32 [T]: kinds of tokens; null unless some input gives them. */
  readonly types: Tensor | null
  /** i32 [n]: rows whose logits are wanted. */
  readonly logitRows: Tensor
  readonly groups: readonly StepGroup[]
  /** f32 [T, rotary dim] by rope of the model: cos and sin of every token's angles. */
  readonly angles: readonly Tensor[]
}

/** Places a step's descriptors in the scratch memory; reserves nothing and runs nothing. */
export function planStep(
  memory: Pick<KernelMemory, 'upload'>,
  scratch: Scratch,
  inputs: readonly StepInput<Past>[],
  keys: Pick<KeyStore, 'groups' | 'apart'>,
  ropes: readonly RopeSet[],
): Step {
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
    const t = scratch.take([values.length], 'i32')
    if (values.length > 0) memory.upload(t, values)
    return t
  }
  return {
    inputs,
    tokens,
    ids: put(ids),
    positions: put(positions),
    types: inputs.some(({ types }) => types) ? put(typesOf(inputs, tokens)) : null,
    logitRows: put(new Int32Array(logitRows)),
    groups: Array.from({ length: keys.groups }, (_, g) => planGroup(memory, scratch, inputs, starts, g, keys.apart)),
    angles: ropes.map(rope => {
      const angles = stepAngles(rope, inputs)
      const t = scratch.take([tokens, 2 * rope.short.frequencies.length])
      if (tokens > 0) memory.upload(t, angles)
      return t
    }),
  }
}

function typesOf(inputs: readonly StepInput<Past>[], tokens: number): Int32Array {
  const all = new Int32Array(tokens)
  let row = 0
  for (const { tokens: list, types } of inputs) {
    if (types) all.set(types, row)
    row += list.length
  }
  return all
}

/** Rows of the descriptor that are for one call of attention. */
interface PlannedRun {
  readonly start: number
  readonly firstRow: number
  readonly rows: Row[]
}

function planGroup(
  memory: Pick<KernelMemory, 'upload'>,
  scratch: Scratch,
  inputs: readonly StepInput<Past>[],
  starts: readonly number[],
  group: number,
  apart: boolean,
): StepGroup {
  const all: PlannedRun[] = []
  const absorbed: PlannedRun[] = []
  const expanded: (PlannedRun & { readonly count: number })[] = []
  /** Joins the run before it where that ends at `begin`. */
  const add = (runs: PlannedRun[], begin: number, firstRow: number, rowAt: (queryStart: number) => Row) => {
    const last = runs.at(-1)
    const joins = last && !apart && last.start + countOf(last) === begin
    if (joins) last.rows.push(rowAt(begin - last.start))
    else runs.push({ start: begin, firstRow, rows: [rowAt(0)] })
  }

  const tables = blockTables(
    inputs.map(({ cache }) => cache),
    group,
  )
  inputs.forEach(({ tokens, cache, prompt, path, seesAll }, i) => {
    const position = cache.length
    const table = tables.starts[i] as number
    const keyStart = cache.keyStart(group)
    const start = starts[i] as number
    const row = (span: Omit<PathSpan, 'path'>, queryStart: number): Row => {
      const first = position + span.start
      const end = first + span.count
      // Queries behind the last key see all of them.
      return [queryStart, span.count, seesAll ? end : first, keyStart, end - keyStart, table]
    }
    add(all, start, start, queryStart => row({ start: 0, count: tokens.length }, queryStart))
    for (const span of pathSpans(position, tokens.length, prompt, path)) {
      const begin = start + span.start
      if (span.path === 'absorbed') add(absorbed, begin, start, queryStart => row(span, queryStart))
      else expanded.push({ start: begin, firstRow: start, count: span.count, rows: keyChunks(row(span, 0)) })
    }
  })

  const rows = [...all, ...absorbed, ...expanded].flatMap(run => run.rows)
  const sequences = putSequences(memory, scratch, rows, tables.ids)
  let next = 0
  const take = (count: number) => {
    next += count
    return sequences(next - count, count)
  }
  const queryRun = (run: PlannedRun): QueryRun => {
    const { start, firstRow, rows } = run
    return { start, count: countOf(run), firstRow, sequences: take(rows.length) }
  }
  return {
    all: all.map(queryRun),
    absorbed: absorbed.map(queryRun),
    expanded: expanded.map(({ start, firstRow, count, rows }): ExpandedSpan => {
      const keyChunks = rows.map(r => ({ keyStart: r[3], keyCount: r[4], firstRow, sequence: take(1) }))
      return { start, count, keyChunks }
    }),
  }
}

function countOf({ rows }: PlannedRun): number {
  return rows.reduce((n, row) => n + row[1], 0)
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
