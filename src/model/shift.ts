/**
 * Rows of one sequence at other positions of another: what is left when tokens before them are dropped. Only keys know
 * their position, and rotary keys by an angle: R(p - d) = R(-d) R(p). So of MLA's rows the rope key is rotated back
 * and the latent copied, of grouped attention's the key is rotated and the value copied.
 */
import { type CacheLayer, type CacheLayout, cacheSlice } from '../cache/layout.ts'
import type { SequenceCache } from '../cache/sequence-cache.ts'
import type { Sequences } from '../kernels/contract/cached-rows.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Arena } from '../nn/arena.ts'
import { type RopeSet, writeAngles } from '../nn/attention/rope-angles.ts'
import type { ModelConfig } from '../nn/config.ts'
import { usesLongFactors } from '../nn/provenance.ts'
import { putSequence } from '../nn/sequences.ts'
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
  readonly ropes: readonly RopeSet[]
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
  const angles = parts.ropes.map(({ short, long }) => {
    const { frequencies } = longFactors ? long : short
    // The factor of the angles (YaRN's attention factor) is in the cached key already.
    const row = new Float32Array(2 * frequencies.length)
    writeAngles(row, -distance, { frequencies, factor: 1 })
    const rows = new Float32Array(count * row.length)
    for (let t = 0; t < count; t++) rows.set(row, t * row.length)
    const cosSin = arena.take([count, row.length])
    k.memory.upload(cosSin, rows)
    return cosSin
  })
  const place = (cache: SequenceCache, group: number, position: number): Sequences =>
    putSequence(k.memory, arena, [0, count, position, position, count, 0], cache, group)
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
        k.rope(rows, rows, angles[rope] as Tensor, segment.interleaved ?? (config.ropes[rope]?.interleaved as boolean))
      }
      k.cacheWrite(slice, rows, write)
      arena.release(mark)
    }
  }
}
