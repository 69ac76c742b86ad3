/** Turns the sequences of a step into the buffers that kernels read: ids, positions, who attends to what. */

import type { SequenceCache } from '../cache/sequence-cache.ts'
import { SEQUENCE_FIELDS } from '../kernels/contract/cached-rows.ts'
import type { KernelMemory } from '../kernels/contract/memory.ts'
import { type Tensor, view } from '../tensor/tensor.ts'
import type { KeyStore } from './attention/keys.ts'
import { KEY_CHUNK } from './attention/mla-expanded.ts'
import type { AttentionPath, PromptExtent } from './attention/path.ts'
import { type RopeSet, stepAngles } from './attention/rope-angles.ts'
import type { ExpandedSpan, QueryRun, StepGroup } from './attention/runs.ts'
import { EXPANDED, type RowRules, rowProvenance } from './provenance.ts'
import type { Scratch } from './scratch.ts'
import { type BlockTables, blockTables, type Row, sequencesIn, writeSequences } from './sequences.ts'

/** The keys of a sequence's earlier tokens, and where its own go; and those of its source. */
export interface Past extends Pick<SequenceCache, 'length' | 'keyStart' | 'blockIds'> {
  readonly source?: { readonly length: number } | null
}

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
  /** [tokens, D]: the model's state before each token, for a module of multi-token prediction. All inputs of a step have it, or none. */
  readonly states?: Float32Array
  /** Overrides the path of MLA; leaves the guarantee that chunking does not matter. */
  readonly path?: AttentionPath
}

/** How many of an input's logits are wanted. */
export function wantedLogits({ logits, tokens }: StepInput<Past>): number {
  return logits === 'none' ? 0 : logits === 'last' ? 1 : tokens.length
}

/** A step in numbers, before they have a place in memory. */
export interface StepPlan {
  /** T */
  readonly tokens: number
  /** Rows whose logits are wanted. */
  readonly wanted: number
  /** Ids [T], positions [T], kinds [T] if some input gives them, rows whose logits are wanted [n], then sequences and block tables by group. */
  readonly numbers: Int32Array
  readonly hasTypes: boolean
  readonly groups: readonly GroupPlan[]
  /** By input: how each of its rows is computed. */
  readonly provenance: readonly Uint8Array[]
  /** f32 [T, rotary dim] by rope of the model. */
  readonly angles: readonly Float32Array[]
  /** Keys that a query chooses at most; 0: it sees all. */
  readonly topK: number
  /** Numbers per token that wait for the next layer; 0: there are none. */
  readonly besideSize: number
  /** Numbers per token of the vectors for all layers; 0: there are none. */
  readonly layerInputsSize: number
  /** f32 [T, D]: the state before each token; null: none are given. */
  readonly states: Float32Array | null
}

/** A step's descriptors in memory. */
export interface Step {
  /** T */
  readonly tokens: number
  /** i32: `StepPlan.numbers`. What follows, but for the angles, are parts of it. */
  readonly numbers: Tensor
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
  /** f32 [T, D]: the state before each token, for a module of multi-token prediction; null for a model. */
  readonly states: Tensor | null
  /** i32 [T, topK]: the keys that each query has chosen, from the layer that chooses on; null in models without indexers. */
  readonly selected: Tensor | null
  /** f32 [T, D]: what experts beside the MLP return, from their layer to the end of the next; null in models without. */
  readonly beside: Tensor | null
  /** f32 [T, L W]: the vectors of the tokens for all layers; null in models without. */
  readonly layerInputs: Tensor | null
}

/** What a plan depends on of a model. */
export interface PlannedModel {
  /** Keys that a query chooses at most. Default: it sees all. */
  readonly topK?: number
  /** Numbers per token that wait for the next layer. Default: there are none. */
  readonly besideSize?: number
  /** Numbers per token of the vectors for all layers. Default: there are none. */
  readonly layerInputsSize?: number
  readonly ropes: readonly RopeSet[]
  readonly rowRules: RowRules
}

/** What a plan depends on of a store of keys. */
export type StepKeys = Pick<KeyStore, 'groups' | 'apart' | 'sourceGroup'>

export function planStep(
  inputs: readonly StepInput<Past>[],
  keys: StepKeys,
  { ropes, rowRules, topK = 0, besideSize = 0, layerInputsSize = 0 }: PlannedModel,
): StepPlan {
  const tokens = inputs.reduce((n, input) => n + input.tokens.length, 0)
  const wanted = inputs.reduce((n, input) => n + wantedLogits(input), 0)
  const hasTypes = inputs.some(({ types }) => types)
  const provenance = inputs.map(({ tokens, cache, prompt, path }) => {
    return rowProvenance(rowRules, cache.length, tokens.length, prompt, path)
  })
  let size = (hasTypes ? 3 : 2) * tokens + wanted
  const groups: GroupPlan[] = []
  for (let g = 0; g < keys.groups; g++) {
    const group =
      g === keys.sourceGroup
        ? planSources(inputs, g, size)
        : planGroup(inputs, provenance, g, keys.apart, size, topK > 0)
    groups.push(group)
    size += group.rows.length * SEQUENCE_FIELDS + group.tables.capacity
  }
  const numbers = new Int32Array(size)
  writeTokens(numbers, inputs, tokens, hasTypes)
  for (const { at, rows, tables } of groups) writeSequences(numbers, at, rows, tables)
  const angles = ropes.map(rope => stepAngles(rope, inputs))
  const sizes = { topK, besideSize, layerInputsSize }
  return { tokens, wanted, numbers, hasTypes, groups, provenance, angles, ...sizes, states: statesOf(inputs) }
}

function statesOf(inputs: readonly StepInput<Past>[]): Float32Array | null {
  const [first, ...others] = inputs
  if (!first?.states) return null
  if (others.length === 0) return first.states
  const parts = inputs.map(({ states }) => states as Float32Array)
  const all = new Float32Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Ids, positions, kinds and the rows whose logits are wanted. */
function writeTokens(numbers: Int32Array, inputs: readonly StepInput<Past>[], tokens: number, hasTypes: boolean): void {
  let row = 0
  let next = (hasTypes ? 3 : 2) * tokens
  for (const input of inputs) {
    const count = input.tokens.length
    for (let i = 0; i < count; i++) {
      numbers[row + i] = input.tokens[i] as number
      numbers[tokens + row + i] = input.cache.length + i
    }
    if (input.types) numbers.set(input.types, 2 * tokens + row)
    row += count
    for (let i = wantedLogits(input); i > 0; i--) numbers[next++] = row - i
  }
}

/** Takes a plan's place in the scratch memory. Plans of one shape may use the same, one after the other. */
export function placeStep(scratch: Scratch, plan: StepPlan, ropes: readonly RopeSet[]): Step {
  const { tokens, wanted, hasTypes } = plan
  const numbers = scratch.take([plan.numbers.length], 'i32')
  return {
    tokens,
    numbers,
    ids: view(numbers, 0, [tokens]),
    positions: view(numbers, tokens, [tokens]),
    types: hasTypes ? view(numbers, 2 * tokens, [tokens]) : null,
    logitRows: view(numbers, (hasTypes ? 3 : 2) * tokens, [wanted]),
    groups: plan.groups.map(group => placeGroup(numbers, group)),
    angles: ropes.map(({ short }) => scratch.take([tokens, 2 * short.frequencies.length])),
    states: plan.states && scratch.take([tokens, plan.states.length / tokens]),
    selected: plan.topK > 0 ? scratch.take([tokens, plan.topK], 'i32') : null,
    beside: plan.besideSize > 0 ? scratch.take([tokens, plan.besideSize]) : null,
    layerInputs: plan.layerInputsSize > 0 ? scratch.take([tokens, plan.layerInputsSize]) : null,
  }
}

/** Uploads a plan to its place. */
export function putStep(memory: Pick<KernelMemory, 'upload'>, step: Step, { numbers, angles, states }: StepPlan): void {
  if (numbers.length > 0) memory.upload(step.numbers, numbers)
  if (step.tokens === 0) return
  for (let i = 0; i < angles.length; i++) memory.upload(step.angles[i] as Tensor, angles[i] as Float32Array)
  if (step.states && states) memory.upload(step.states, states)
}

/** Plans a step that does not come again, and uploads it. */
export function prepareStep(
  memory: Pick<KernelMemory, 'upload'>,
  scratch: Scratch,
  inputs: readonly StepInput<Past>[],
  keys: StepKeys,
  model: PlannedModel,
): Step {
  const plan = planStep(inputs, keys, model)
  const step = placeStep(scratch, plan, model.ropes)
  putStep(memory, step, plan)
  return step
}

/** Rows of the descriptor that are for one call of attention. */
interface PlannedRun {
  readonly start: number
  readonly firstRow: number
  count: number
  readonly rows: Row[]
}

/** The sequences of a step as one group of layers sees them. */
interface GroupPlan {
  /** Where its rows begin in `StepPlan.numbers`; its tables follow. */
  readonly at: number
  /** Those of `all`, `absorbed`, `expanded`, one behind the other; each run of the first two is followed by its queries, if they choose. */
  readonly rows: readonly Row[]
  readonly tables: BlockTables
  readonly all: readonly PlannedRun[]
  readonly absorbed: readonly PlannedRun[]
  readonly expanded: readonly PlannedRun[]
  /** Queries choose their keys. */
  readonly chooses: boolean
}

/** A row for each query of a run. */
function singleQueries({ rows }: PlannedRun): Row[] {
  return rows.flatMap(([start, count, position, keyStart, keyCount, table]) =>
    Array.from({ length: count }, (_, i): Row => {
      const seen = Math.min(keyCount, position + i + 1 - keyStart)
      return [start + i, 1, position + i, keyStart, seen, table]
    }),
  )
}

function planGroup(
  inputs: readonly StepInput<Past>[],
  provenance: readonly Uint8Array[],
  group: number,
  apart: boolean,
  at: number,
  chooses: boolean,
): GroupPlan {
  const all: PlannedRun[] = []
  const absorbed: PlannedRun[] = []
  const expanded: PlannedRun[] = []
  const tables = blockTables(inputs, group)
  let start = 0
  for (const [i, { tokens, cache, seesAll }] of inputs.entries()) {
    const firstRow = start
    const keyStart = cache.keyStart(group)
    const rowAt = (queryStart: number, offset: number, count: number): Row => {
      const position = cache.length + offset
      const end = position + count
      // Queries behind the last key see all of them.
      return [queryStart, count, seesAll ? end : position, keyStart, end - keyStart, tables.starts[i] as number]
    }
    /** Joins the run before it where that ends where it begins. */
    const add = (runs: PlannedRun[], offset: number, count: number) => {
      const begin = firstRow + offset
      const last = runs.at(-1)
      if (last && !apart && last.start + last.count === begin) {
        last.rows.push(rowAt(last.count, offset, count))
        last.count += count
      } else runs.push({ start: begin, firstRow, count, rows: [rowAt(0, offset, count)] })
    }
    add(all, 0, tokens.length)
    const flags = provenance[i] as Uint8Array
    for (let from = 0; from < flags.length; ) {
      const path = (flags[from] as number) & EXPANDED
      let end = from + 1
      while (end < flags.length && ((flags[end] as number) & EXPANDED) === path) end++
      if (path === EXPANDED) {
        const rows = keyChunks(rowAt(0, from, end - from))
        expanded.push({ start: firstRow + from, firstRow, count: end - from, rows })
      } else add(absorbed, from, end - from)
      from = end
    }
    start += tokens.length
  }
  const rows: Row[] = []
  for (const run of [...all, ...absorbed]) {
    rows.push(...run.rows)
    if (chooses) rows.push(...singleQueries(run))
  }
  for (const run of expanded) rows.push(...run.rows)
  return { at, rows, tables, all, absorbed, expanded, chooses }
}

/** Every query sees all of its sequence's source. */
function planSources(inputs: readonly StepInput<Past>[], group: number, at: number): GroupPlan {
  const tables = blockTables(inputs, group)
  let start = 0
  const rows = inputs.map(({ tokens, cache }, i): Row => {
    const first = start
    start += tokens.length
    const length = cache.source?.length ?? 0
    // Queries behind the last key see all of them.
    return [first, tokens.length, length, 0, length, tables.starts[i] as number]
  })
  const all = [{ start: 0, firstRow: 0, count: start, rows }]
  return { at, rows, tables, all, absorbed: [], expanded: [], chooses: false }
}

function placeGroup(numbers: Tensor, { at, rows, tables, all, absorbed, expanded, chooses }: GroupPlan): StepGroup {
  const sequences = sequencesIn(numbers, at, rows.length, tables.capacity)
  let next = 0
  const take = (count: number) => {
    next += count
    return sequences(next - count, count)
  }
  const queryRun = ({ start, count, firstRow, rows }: PlannedRun): QueryRun => {
    const sequences = take(rows.length)
    return { start, count, firstRow, sequences, queries: chooses ? take(count) : null }
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
