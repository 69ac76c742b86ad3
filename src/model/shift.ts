/**
 * Rows of one sequence at other positions of another: what is left when tokens before them are dropped. Only keys know
 * their position, and rotary keys by an angle: R(p - d) = R(-d) R(p). So of MLA's rows the rope key is rotated back
 * and the latent copied, of grouped attention's the key is rotated and the value copied.
 */
import { type CacheLayer, type CacheLayout, cacheSlice } from '../cache/layout.ts'
import type { SequenceCache } from '../cache/sequence-cache.ts'
import { SEQUENCE_FIELDS } from '../kernels/contract/cached-rows.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Arena } from '../nn/arena.ts'
import type { ModelConfig } from '../nn/config.ts'
import { usesLongFactors } from '../nn/provenance.ts'
import { splitHeads, type Tensor } from '../tensor/tensor.ts'

/** Rows start .. start + count that were rotated with the same set of LongRoPE's factors. */
export interface RowRun {
  readonly start: number
  readonly count: number
  readonly longFactors: boolean
}

/** Cuts rows start .. end into runs of at most `most` that were rotated alike. */
export function rowRuns(provenance: readonly number[], start: number, end: number, most: number): RowRun[] {
  const runs: { start: number; count: number; longFactors: boolean }[] = []
  for (let row = start; row < end; row++) {
    const longFactors = usesLongFactors(provenance[row] as number)
    const last = runs.at(-1)
    if (last?.longFactors === longFactors && last.count < most) last.count++
    else runs.push({ start: row, count: 1, longFactors })
  }
  return runs
}

export interface ShiftParts {
  readonly kernels: Kernels
  readonly arena: Arena
  readonly layout: CacheLayout
  readonly config: ModelConfig
  /** f64 [dim / 2] of a rope. */
  frequencies(rope: number, longFactors: boolean): Tensor
}

/** Records the copying of a run of rows of `from` into `to`, `distance` positions earlier; room must be reserved. */
export function recordShift(
  parts: ShiftParts,
  from: SequenceCache,
  to: SequenceCache,
  { start, count, longFactors }: RowRun,
  distance: number,
): void {
  const { kernels: k, arena, layout, config } = parts
  const positions = arena.take([count], 'i32')
  k.upload(positions, new Int32Array(count).fill(-distance))
  const angles = config.ropes.map((_, rope) => {
    const frequencies = parts.frequencies(rope, longFactors)
    const cosSin = arena.take([count, 2 * (frequencies.shape[0] as number)])
    // The factor of the angles (YaRN's attention factor) is in the cached key already.
    k.ropeTable(cosSin, positions, frequencies, 1)
    return cosSin
  })
  const place = (cache: SequenceCache, group: number, position: number): Tensor => {
    const sequence = arena.take([1, SEQUENCE_FIELDS], 'f64')
    k.upload(sequence, Float64Array.of(0, count, position, position, count, cache.table(group)))
    return sequence
  }
  const places = layout.groups.map((_, group) => ({
    read: place(from, group, start),
    write: place(to, group, start - distance),
  }))
  for (const [layer, { rope }] of config.layers.entries()) {
    const { group, segments } = layout.layers[layer] as CacheLayer
    const { read, write } = places[group] as (typeof places)[number]
    for (const segment of segments) {
      const mark = arena.mark()
      const slice = cacheSlice(layout, layer, segment.name)
      const flat = arena.take([count, segment.heads * segment.width])
      const rows = splitHeads(flat, segment.heads) // [n, heads, width]
      k.cacheRead(flat, slice, read)
      if (rope !== null && segment.rotary) {
        k.rope(rows, rows, angles[rope] as Tensor, config.ropes[rope]?.interleaved as boolean)
      }
      k.cacheWrite(slice, rows, write)
      arena.release(mark)
    }
  }
}
