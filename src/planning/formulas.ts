/** The cache's arithmetic written out: a model's numbers, and the letters that they stand for. */
import type { AttentionShape } from '../families/descriptor.ts'
import type { CacheKind } from './cache-bytes.ts'
import type { LayerKind } from './plan-model.ts'

/** How the cache bytes of a token come about in layers whose rows are alike. */
export interface CacheFormula {
  /** In letters: `L × (C + R) × b` or `L × 2 × n × d × b`. */
  readonly letters: string
  /** In the model's numbers: `61 × (512 + 64) × 2 B`. */
  readonly numbers: string
  /** What it comes to: bytes of a token in these layers. */
  readonly bytes: number
}

/** Groups of GQA whose cache would be as large as that of latents. */
export interface EquivalentGroups {
  /** (C + R) / 2 d; 2.25 for DeepSeek's sizes. */
  readonly groups: number
  /** `(512 + 64) / (2 × 128)` */
  readonly numbers: string
}

/** One for each kind of rows that layers cache. */
export function cacheFormulas(layers: readonly LayerKind[], kinds: readonly CacheKind[]): CacheFormula[] {
  const rows = new Map<string, { readonly letters: string; readonly row: string; layers: number; bytes: number }>()
  for (const [i, layer] of layers.entries()) {
    const kind = kinds[i] as CacheKind
    const found = rowOf(layer, kind)
    if (!found) continue
    const met = rows.get(found.row) ?? { ...found, layers: 0, bytes: 0 }
    met.layers += kind.layers
    met.bytes += kind.bytesPerToken
    rows.set(found.row, met)
  }
  return [...rows.values()].map(({ letters, row, layers: L, bytes }) => ({ letters, numbers: `${L} × ${row}`, bytes }))
}

/** The bytes of one token in one layer; null where it caches no rows. */
function rowOf({ attention, cross }: LayerKind, { segments, rowBytes }: CacheKind) {
  if (rowBytes === 0 || attention.kind === 'state') return null
  const index = segments.find(({ name }) => name === 'indexKey')
  const parts = [
    elementsOf(attention),
    ...(index ? [{ letters: 'I', numbers: String(index.elements) }] : []),
    ...(cross ? [elementsOf(cross)] : []),
  ]
  const joined = (texts: readonly string[]) => (texts.length > 1 ? `(${texts.join(' + ')})` : (texts[0] as string))
  const letters = joined(parts.map(part => part.letters))
  const numbers = joined(parts.map(part => part.numbers))
  const sizes = new Set(segments.map(({ bytes, elements }) => bytes / elements))
  const [size] = sizes
  // Scales and halves of other types: what a row takes is not one size times its numbers.
  return sizes.size === 1 && Number.isInteger(size)
    ? { letters: `L × ${letters} × b`, row: `${numbers} × ${size} B` }
    : { letters: 'L × row', row: `${rowBytes} B, of ${numbers} numbers` }
}

function elementsOf(a: AttentionShape): { letters: string; numbers: string } {
  if (a.kind === 'latent') return { letters: '(C + R)', numbers: `(${a.kvLoraRank} + ${a.qkRopeHeadDim})` }
  if (a.keyDim === a.valueDim) return { letters: '2 × n × d', numbers: `2 × ${a.nKvHeads} × ${a.keyDim}` }
  return { letters: 'n × (d + v)', numbers: `${a.nKvHeads} × (${a.keyDim} + ${a.valueDim})` }
}

/** Of a model whose layers all have latents of one size, its heads as wide as its values; else null. */
export function equivalentGroups(layers: readonly LayerKind[]): EquivalentGroups | null {
  const found = layers.map(({ attention: a }) => {
    if (a.kind !== 'latent') return null
    const { kvLoraRank: C, qkRopeHeadDim: R, vHeadDim: V } = a
    return { groups: (C + R) / (2 * V), numbers: `(${C} + ${R}) / (2 × ${V})` }
  })
  const [first] = found
  return first && found.every(other => other?.numbers === first.numbers) ? first : null
}
