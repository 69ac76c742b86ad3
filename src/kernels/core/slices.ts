import { DTYPE_BYTES, isScaled, vectorBytes } from '../../tensor/dtype.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { PagedRows, RowSlice, Sequences } from '../contract/cached-rows.ts'
import { isPaged } from '../operations/slices.ts'
import { strideOf } from './command-list.ts'
import type { CoreMemory } from './memory.ts'

/** Sequences as records have them. */
export function coreSequences({ rows, tables }: Sequences, { directory }: CoreMemory) {
  const count = rows.shape[0] as number
  return { rows: rows.address, count, tables: tables?.address ?? 0, directory: directory.address }
}

/** A slice as records have it (`STRUCTS` in ../operations/fields.ts). */
export type CoreSlice = Omit<RowSlice, 'rows' | 'offset'> & {
  readonly blockTokens: number
  readonly base: number
  readonly rowBytes: number
}

export function coreSlice({ rows, offset, dtype, heads, width, headStride }: RowSlice): CoreSlice {
  if (isPaged(rows)) {
    const { blockTokens, layerOffset, rowBytes } = rows
    return { blockTokens, base: layerOffset + offset, rowBytes, dtype, heads, width, headStride }
  }
  const rowBytes = strideOf(rows, 0) * DTYPE_BYTES[rows.dtype]
  return { blockTokens: 0, base: rows.address + offset, rowBytes, dtype, heads, width, headStride }
}

/** Slices as one where they follow each other in the same rows: [latent | rope key] become one product. */
export function joinNeighbours(slices: readonly RowSlice[]): readonly RowSlice[] {
  if (slices.length < 2) return slices
  const joined: RowSlice[] = []
  for (const slice of slices) {
    const last = joined[joined.length - 1]
    const both = last ? joinSlices(last, slice) : null
    if (both) joined[joined.length - 1] = both
    else joined.push(slice)
  }
  return joined
}

function joinSlices(first: RowSlice, second: RowSlice): RowSlice | null {
  const behind = first.offset + vectorBytes(first.dtype, first.width)
  const joined =
    !isScaled(first.dtype) &&
    sameRows(first.rows, second.rows) &&
    first.dtype === second.dtype &&
    first.heads === 1 &&
    second.heads === 1 &&
    second.offset === behind
  return joined ? { ...first, width: first.width + second.width } : null
}

function sameRows(a: PagedRows | Tensor, b: PagedRows | Tensor): boolean {
  if (a === b) return true
  if (isPaged(a)) {
    const { blockTokens, layerOffset, rowBytes } = a
    return isPaged(b) && b.blockTokens === blockTokens && b.layerOffset === layerOffset && b.rowBytes === rowBytes
  }
  return !isPaged(b) && b.address === a.address && strideOf(b, 0) === strideOf(a, 0)
}
