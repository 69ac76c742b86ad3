/** What of a layer's tokens is taken apart, as a matrix. */
import { OptionError } from '../errors.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { MAX_RANK, type Matrix } from './svd.ts'
import type { SpectrumOf } from './types.ts'
import type { WatchedLayer } from './watched-layer.ts'

/** The segment in which a layer stores it. Throws OptionError where it has none of the kind. */
export function segmentOf(kind: 'latent' | 'grouped', of: 'latent' | 'keys' | 'values', layer: number): string {
  if ((of === 'latent') === (kind === 'latent')) return of === 'latent' ? of : of === 'keys' ? 'key' : 'value'
  const has = kind === 'latent' ? 'a latent (MLA) and no keys and values of its own' : 'keys and values and no latent'
  throw new OptionError(
    `of is ${of}; layer ${layer} stores ${has}: expected ${kind === 'latent' ? 'latent' : 'keys or values'}`,
  )
}

/** Each [T, heads, width]. */
export function spectrumOf({ attention, index, stored, keys }: WatchedLayer, of: SpectrumOf): readonly Tensor[] {
  const { kind } = attention
  if (of === 'keysAndValues') {
    if (kind === 'grouped') return [keys.before, stored.get('value') as Tensor]
    throw new OptionError(`of is ${of}; layer ${index} stores a latent (MLA) in their place: expected latent`)
  }
  return [stored.get(segmentOf(kind, of, index)) as Tensor]
}

/** Matrices of as many rows, side by side. */
export function joinedColumns(parts: readonly Float32Array[], rows: number): Matrix {
  const widths = parts.map(part => part.length / rows)
  const cols = widths.reduce((a, b) => a + b, 0)
  const values = new Float32Array(rows * cols)
  let at = 0
  for (const [i, part] of parts.entries()) {
    const width = widths[i] as number
    for (let t = 0; t < rows; t++) values.set(part.subarray(t * width, (t + 1) * width), t * cols + at)
    at += width
  }
  return { rows, cols, values }
}

/** Throws OptionError for a matrix that would take minutes. */
export function checkedMatrix(matrix: Matrix): Matrix {
  const { rows, cols } = matrix
  if (Math.min(rows, cols) <= MAX_RANK) return matrix
  throw new OptionError(
    `A matrix of ${rows} tokens and ${cols} numbers is too large to be taken apart here: the smaller side may be ${MAX_RANK}. Look into a shorter text`,
  )
}
