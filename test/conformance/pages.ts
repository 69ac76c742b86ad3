import type { RowSlice } from '../../src/kernels/contract.ts'
import { type CacheType, DTYPE_BYTES } from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { type Lab, randomShort } from './lab.ts'

export interface Segment {
  readonly heads: number
  readonly width: number
}

/** Positions `freed` .. `filled` hold numbers; there is room up to `room`; blocks wholly below `freed` are gone. */
export interface PagedSequence {
  readonly freed?: number
  readonly filled: number
  readonly room?: number
}

export interface PagesOptions {
  readonly dtype: CacheType
  /** One row: these one after the other. */
  readonly segments: readonly Segment[]
  readonly blockTokens: number
  readonly sequences: readonly PagedSequence[]
  /** The blocks are an output of this name. */
  readonly output?: string
}

export interface Pages {
  /** One for each segment, and what they lie in. */
  readonly slices: readonly RowSlice[]
  /** Addresses of the tables, one for each sequence. */
  readonly tables: readonly number[]
}

const LAYERS = 3
const LAYER = 1
/** Bytes between blocks; no power of two. */
const GAP = 24

/**
 * Blocks of several layers in shuffled order with gaps between, as a cache has them after a while. Rows without a
 * token, other layers, gaps and freed blocks hold NaN or lead nowhere.
 */
export function makePages(lab: Lab, options: PagesOptions): Pages {
  const { dtype, segments, blockTokens, sequences } = options
  const size = DTYPE_BYTES[dtype]
  const rowElements = segments.reduce((n, s) => n + s.heads * s.width, 0)
  const layerElements = blockTokens * rowElements
  const blockElements = LAYERS * layerElements + GAP / size
  const blocks = sequences.flatMap(({ filled, room = filled }, sequence) =>
    Array.from({ length: Math.ceil(room / blockTokens) }, (_, index) => ({ sequence, index })),
  )
  const used = blocks.filter(({ sequence, index }) => (index + 1) * blockTokens > (sequences[sequence]!.freed ?? 0))
  const order = lab.rng.shuffled(used)

  const nan = dtype === 'f32' ? Number.NaN : 0xffff
  const elements = new Array<number>(order.length * blockElements).fill(nan)
  order.forEach(({ sequence, index }, place) => {
    const { freed = 0, filled } = sequences[sequence]!
    for (let slot = 0; slot < blockTokens; slot++) {
      const position = index * blockTokens + slot
      if (position < freed || position >= filled) continue
      const row = place * blockElements + LAYER * layerElements + slot * rowElements
      for (let i = 0; i < rowElements; i++)
        elements[row + i] = dtype === 'f32' ? lab.rng.normal() : randomShort(lab.rng, dtype)
    }
  })
  const slab = options.output
    ? lab.inout(options.output, dtype, [elements.length], elements)
    : lab.input(dtype, [elements.length], elements)

  const tables = sequences.map((_, sequence) => {
    const addresses = blocks.flatMap(block => {
      if (block.sequence !== sequence) return []
      const place = order.indexOf(block)
      return [place < 0 ? 0 : slab.address + place * blockElements * size]
    })
    return lab.input('f64', [addresses.length], addresses).address
  })
  const rows = { blockTokens, layerOffset: LAYER * layerElements * size, rowBytes: rowElements * size }
  let offset = 0
  const slices = segments.map(({ heads, width }): RowSlice => {
    const slice = { rows, dtype, offset, heads, width, headStride: width }
    offset += heads * width * size
    return slice
  })
  return { slices, tables }
}

export interface SequenceFields {
  readonly queryStart: number
  readonly queryCount: number
  readonly position: number
  readonly keyStart: number
  readonly keyCount: number
  readonly table: number
}

/** f64 [B, 6]. */
export function putSequences(lab: Lab, sequences: readonly SequenceFields[]): Tensor {
  const fields = sequences.flatMap(s => [s.queryStart, s.queryCount, s.position, s.keyStart, s.keyCount, s.table])
  return lab.input('f64', [sequences.length, 6], fields)
}
