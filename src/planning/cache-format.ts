/** What one token's row in one layer holds, part by part, and how each part is stored. */
import { OptionError } from '../errors.ts'
import { E4M3_PER_128, formatNamed, INT8_PER_ROW, type NumberFormat, plainFormat, rowBytes } from './number-formats.ts'
import type { LayerKind } from './plan-model.ts'

/** A name for what is written in all parts of a row. */
export interface CacheFormat {
  readonly name: string
  /** Latents, or keys. */
  readonly first: NumberFormat
  /** Rope keys, or values. */
  readonly second: NumberFormat
  /** Keys of a sparse indexer. */
  readonly index: NumberFormat
  /** Made for latents: keys and values of heads have no such layout. */
  readonly latentOnly: boolean
}

/** One vector that a layer caches per token. */
export interface RowSegment {
  /** The vector; `indexKey` is the sparse indexer's. */
  readonly name: 'latent' | 'ropeKey' | 'key' | 'value' | 'indexKey'
  /** Its numbers, of all key-value heads together. */
  readonly elements: number
  /** Its bytes, scales included. */
  readonly bytes: number
}

const BF16 = plainFormat('bf16')

/** Layouts that mix types. Both keep the rope key unquantised, which is where positions are. */
const LAYOUTS: readonly CacheFormat[] = [
  // FlashMLA's 656 bytes: 512 of e4m3, 4 scales of f32, 64 of bf16.
  { name: 'fp8_ds_mla', first: E4M3_PER_128, second: BF16, index: E4M3_PER_128, latentOnly: true },
  { name: 'int8', first: INT8_PER_ROW, second: BF16, index: INT8_PER_ROW, latentOnly: true },
]

/** For messages and help. */
export const CACHE_FORMATS =
  'f32, f16, bf16, fp8, q8_0, q5_0, q4_0 and ggml’s other types, 6bit and the like; for MLA also fp8_ds_mla (DeepSeek’s FP8 layout) and ' +
  'int8; or two for the parts of a row, latent/rope or keys/values, as in q8_0/bf16'

/** `bf16`, `q8_0`, `fp8_ds_mla`, or `latent/rope` and `keys/values` with a type each. */
export function cacheFormat(text: string): CacheFormat {
  const name = text.trim().toLowerCase()
  const layout = LAYOUTS.find(l => l.name === name.replaceAll('-', '_'))
  if (layout) return layout
  const parts = name.split('/').map(part => (part === 'int8' ? INT8_PER_ROW : formatNamed(part)))
  const [first, second = first] = parts
  if (!first || !second || parts.length > 2) {
    throw new OptionError(`There is no cache type ${JSON.stringify(text.slice(0, 60))}; there are ${CACHE_FORMATS}.`)
  }
  const both = first.name === second.name ? first.name : parts.length > 1 ? name : first.name
  return { name: both, first, second, index: first, latentOnly: parts.includes(INT8_PER_ROW) }
}

/** The parts of one token's row that a query reads in a layer of this kind; none where it keeps a state instead. */
export function rowSegments(
  { attention, indexer }: Pick<LayerKind, 'attention' | 'indexer'>,
  format: CacheFormat,
): RowSegment[] {
  if (attention.kind === 'state') return []
  if (format.latentOnly && attention.kind !== 'latent') {
    throw new OptionError(
      `${format.name} is a layout for latents, and keys and values per head have none such; take bf16, fp8 or q8_0.`,
    )
  }
  const segment = (name: RowSegment['name'], elements: number, f: NumberFormat): RowSegment => {
    return { name, elements, bytes: rowBytes(f, elements) }
  }
  const own: RowSegment[] =
    attention.kind === 'latent'
      ? [
          segment('latent', attention.kvLoraRank, format.first),
          segment('ropeKey', attention.qkRopeHeadDim, format.second),
        ]
      : [
          segment('key', attention.nKvHeads * attention.keyDim, format.first),
          segment('value', attention.nKvHeads * attention.valueDim, format.second),
        ]
  return indexer && !indexer.shared ? [...own, segment('indexKey', indexer.headDim, format.index)] : own
}

/** The same parts where the layer keeps them itself. */
export function keptSegments(layer: LayerKind, format: CacheFormat): RowSegment[] {
  return layer.sharesRows ? [] : rowSegments(layer, format)
}

/** Numbers cached per token and layer, the indexer's not counted. */
export function cachedElements({ attention: a, sharesRows }: LayerKind): number {
  if (sharesRows || a.kind === 'state') return 0
  return a.kind === 'latent' ? a.kvLoraRank + a.qkRopeHeadDim : a.nKvHeads * (a.keyDim + a.valueDim)
}
