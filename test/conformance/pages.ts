import type { RowSlice, Sequences } from '../../src/kernels/contract/cached-rows.ts'
import {
  type CacheType,
  DTYPE_BYTES,
  isScaled,
  type PlainCacheType,
  SCALE_EVERY,
  scalesAt,
  vectorBytes,
} from '../../src/tensor/dtype.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'
import { GUARD, type Lab, randomShort } from './lab.ts'

export interface Segment {
  readonly heads: number
  readonly width: number
  /** Default: the row's. */
  readonly dtype?: CacheType
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
  /** i32: the block tables, and where each sequence's begins. */
  readonly blockTables: Tensor
  readonly tables: readonly number[]
}

const LAYERS = 3
const LAYER = 1
/**
 * Blocks of several layers in shuffled order, as a cache has them after a while. Rows without a token, other layers and
 * freed blocks hold NaN or lead nowhere.
 */
export function makePages(lab: Lab, options: PagesOptions): Pages {
  const { dtype, segments, blockTokens, sequences } = options
  const types = segments.map(s => s.dtype ?? dtype)
  // Rows of several types, or with scales, are written as bytes.
  const plain = types.every(t => t === dtype) && !isScaled(dtype) ? dtype : null
  const slabType = plain ?? 'u8'
  const size = DTYPE_BYTES[slabType]
  // A token's vectors lie in one row, or each head's in a plane of its own.
  const planes = lab.rng.below(2) === 1
  const sizes = segments.map((s, i) => (plain ? s.width : vectorBytes(types[i]!, s.width)))
  const before = segments.map((_, i) => segments.slice(0, i).reduce((n, s, j) => n + s.heads * sizes[j]!, 0))
  const rowElements = segments.reduce((n, s, i) => n + s.heads * sizes[i]!, 0)
  const layerElements = blockTokens * rowElements
  const blockElements = LAYERS * layerElements
  const blocks = sequences.flatMap(({ filled, room = filled }, sequence) =>
    Array.from({ length: Math.ceil(room / blockTokens) }, (_, index) => ({ sequence, index })),
  )
  const used = blocks.filter(({ sequence, index }) => (index + 1) * blockTokens > (sequences[sequence]!.freed ?? 0))
  const order = lab.rng.shuffled(used)

  const nan = plain ? (plain === 'f32' ? Number.NaN : 0xffff) : 0xff
  const contents = order.map(({ sequence, index }) => {
    const elements = new Array<number>(blockElements).fill(nan)
    const { freed = 0, filled } = sequences[sequence]!
    for (let slot = 0; slot < blockTokens; slot++) {
      const position = index * blockTokens + slot
      if (position < freed || position >= filled) continue
      const layer = LAYER * layerElements
      segments.forEach((s, i) => {
        for (let head = 0; head < s.heads; head++) {
          const vector = before[i]! + head * sizes[i]!
          const start = layer + (planes ? vector * blockTokens + slot * sizes[i]! : vector + slot * rowElements)
          const bytes = plain ? null : randomVector(lab, types[i]!, s.width)
          for (let n = 0; n < sizes[i]!; n++) elements[start + n] = plain ? randomNumber(lab, plain) : bytes![n]!
        }
      })
    }
    return elements
  })
  const ids = lab.blocks(slabType, contents, options.output)

  const tables: number[] = []
  // An entry of nobody before the first table.
  const entries = [-1]
  for (const sequence of sequences.keys()) {
    tables.push(entries.length)
    for (const block of blocks) if (block.sequence === sequence) entries.push(ids[order.indexOf(block)] ?? 0)
  }
  const blockTables = lab.input('i32', [entries.length], entries)
  const slices = segments.map(({ heads, width }, i): RowSlice => {
    const type = types[i]!
    const vector = isScaled(type) ? vectorBytes(type, width) : width
    const layerOffset = GUARD + LAYER * layerElements * size
    const at = before[i]! * size
    return planes
      ? {
          rows: { blockTokens, layerOffset: layerOffset + blockTokens * at, rowBytes: sizes[i]! * size },
          dtype: type,
          offset: 0,
          heads,
          width,
          headStride: blockTokens * vector,
        }
      : {
          rows: { blockTokens, layerOffset, rowBytes: rowElements * size },
          dtype: type,
          offset: at,
          heads,
          width,
          headStride: vector,
        }
  })
  return { slices, blockTables, tables }
}

function randomNumber(lab: Lab, type: PlainCacheType): number {
  return type === 'f32' ? lab.rng.normal() : randomShort(lab.rng, type)
}

/** Bytes of a vector of numbers of size 1. */
function randomVector(lab: Lab, type: CacheType, width: number): Uint8Array {
  if (!isScaled(type)) {
    const bits = type === 'f32' ? new Float32Array(width) : new Uint16Array(width)
    for (let i = 0; i < width; i++) bits[i] = randomNumber(lab, type)
    return new Uint8Array(bits.buffer)
  }
  const bytes = new Uint8Array(vectorBytes(type, width))
  // e4m3: exponents 4 to 7 of 15; int8: all codes but -128.
  for (let i = 0; i < width; i++) {
    const magnitude = type === 'fp8' ? 32 + lab.rng.below(32) : lab.rng.below(128)
    bytes[i] = type === 'fp8' ? magnitude | (lab.rng.below(2) << 7) : (lab.rng.below(2) * 2 - 1) * magnitude
  }
  const scales = Math.ceil(width / Math.min(width, SCALE_EVERY[type]))
  const values = Float32Array.from(
    { length: scales },
    () => (0.5 + lab.rng.below(1000) / 1000) / (type === 'fp8' ? 1 : 64),
  )
  bytes.set(new Uint8Array(values.buffer), scalesAt(width))
  return bytes
}

export interface SequenceFields {
  readonly queryStart: number
  readonly queryCount: number
  readonly position: number
  readonly keyStart: number
  readonly keyCount: number
  readonly table: number
}

export function putSequences(lab: Lab, sequences: readonly SequenceFields[], tables?: Tensor): Sequences {
  const fields = sequences.flatMap(s => [s.queryStart, s.queryCount, s.position, s.keyStart, s.keyCount, s.table])
  return { rows: lab.input('i32', [sequences.length, 6], fields), ...(tables && { tables }) }
}
