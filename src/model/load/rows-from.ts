import type { WeightSource } from '../../kernels/contract/weights.ts'

/** A matrix without its first rows. Its rows are whole bytes. */
export function rowsFrom(source: WeightSource, first: number): WeightSource {
  if (first === 0) return source
  const { bytes } = source
  const skipped = (bytes.length / source.rows) * first
  const rest = { ...bytes, offset: bytes.offset + skipped, length: bytes.length - skipped }
  return { ...source, rows: source.rows - first, bytes: rest }
}
