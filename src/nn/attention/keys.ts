/**
 * Where keys are stored between their projection and attention: in the paged cache, after those of earlier steps, or in
 * contiguous rows of this step alone.
 */
import { type CacheLayer, type CacheLayout, cacheSlice, sourceGroup, statePlace } from '../../cache/layout.ts'
import type { RowSlice } from '../../kernels/contract/cached-rows.ts'
import type { StatePlace } from '../../kernels/contract/states.ts'
import type { Operations } from '../../kernels/operations/table.ts'
import { reshape, rowsOf, type Tensor } from '../../tensor/tensor.ts'
import type { Scratch } from '../scratch.ts'
import type { KeyChunk, QueryRun, StepGroup } from './runs.ts'

export interface KeyStore {
  /** Groups of layers that see the same keys, and which of them a layer is in. */
  readonly groups: number
  groupOf(layer: number): number
  /** The group whose rows are of a source text. Default: there is none. */
  readonly sourceGroup?: number
  /** Whether a call of attention must have queries of one sequence only. */
  readonly apart: boolean
  /** Takes a segment's vectors of all tokens of the step, x [T, heads, width], strided. */
  put(layer: number, segment: string, x: Tensor, group: StepGroup): StoredKeys
  /** What is put there already, by this step or earlier ones, for the sequences of a group. Throws TypeError where nothing is kept. */
  stored(layer: number, segment: string, group: StepGroup): StoredKeys
  /** Where the named part of a layer's state is; null: sequences begin in this step, and their states are not kept. */
  state(layer: number, part: string): StatePlace | null
}

/** The stored vectors of one segment of a layer. */
export interface StoredKeys {
  /** Whether they are more exact than bf16. */
  readonly exact: boolean
  /** Keys that a query of the step may have, as long as the step has its shape. */
  readonly capacity: number
  /** The keys of a run's queries; `run.sequences` says which rows they may see. */
  slice(run: QueryRun): RowSlice
  /** The numbers of a chunk of keys, f32 [S, heads * width]. */
  chunk(chunk: KeyChunk): Tensor
}

/** Keys in the blocks of sequences, for which room must be reserved. */
export function pagedKeys(ops: Operations, scratch: Scratch, layout: CacheLayout): KeyStore {
  const slices = layout.layers.map(({ segments }, layer) => {
    return new Map(segments.map(({ name }) => [name, cacheSlice(layout, layer, name)]))
  })
  const sliceOf = (layer: number, segment: string): RowSlice => {
    const slice = slices[layer]?.get(segment)
    if (!slice) throw new RangeError(`pagedKeys: layer ${layer} caches no segment "${segment}"`)
    return slice
  }
  const storedIn = (slice: RowSlice, group: StepGroup): StoredKeys => ({
    exact: slice.dtype === 'f32' || slice.dtype === 'f16',
    capacity: layout.blockTokens * (group.all[0]?.sequences.tables?.shape[0] ?? 0),
    slice: () => slice,
    chunk({ keyCount, sequence }) {
      const keys = scratch.take([keyCount, slice.heads * slice.width])
      ops.cacheRead(keys, slice, sequence)
      return keys
    },
  })
  return {
    groups: layout.groups.length,
    groupOf: layer => (layout.layers[layer] as CacheLayer).group,
    sourceGroup: sourceGroup(layout),
    apart: false,
    state: (layer, part) => statePlace(layout, layer, part),
    put(layer, segment, x, group) {
      const slice = sliceOf(layer, segment)
      for (const { start, count, sequences } of group.all) ops.cacheWrite(slice, rowsOf(x, start, count), sequences)
      return storedIn(slice, group)
    },
    stored: (layer, segment, group) => storedIn(sliceOf(layer, segment), group),
  }
}

/**
 * Keys of this step only, as f32 in scratch memory: for whole texts without a cache, as in training.
 */
export function contiguousKeys(ops: Operations, scratch: Scratch): KeyStore {
  const known = new Map<string, StoredKeys>()
  return {
    groups: 1,
    groupOf: () => 0,
    apart: true,
    state: () => null,
    put(layer, segment, x, group) {
      const [T, heads, width] = x.shape as [number, number, number]
      const rows = scratch.take([T, heads * width])
      ops.copy(reshape(rows, [T, heads, width]), x)
      const vectors = { dtype: 'f32', offset: 0, heads, width, headStride: width } as const
      const stored: StoredKeys = {
        exact: true,
        capacity: Math.max(0, ...group.all.map(({ count }) => count)),
        // Those that its queries may see, and no more: a backward pass makes room for their gradients.
        slice: ({ firstRow, start, count }) => ({ ...vectors, rows: rowsOf(rows, firstRow, start + count - firstRow) }),
        chunk: ({ firstRow, keyStart, keyCount }) => rowsOf(rows, firstRow + keyStart, keyCount),
      }
      known.set(`${layer} ${segment}`, stored)
      return stored
    },
    stored(layer, segment) {
      const found = known.get(`${layer} ${segment}`)
      if (!found) throw new TypeError(`contiguousKeys: this step has stored no "${segment}" of layer ${layer}`)
      return found
    },
  }
}
