/** What one token's row in one layer holds: in the types that the engine stores, and in those of other engines. */
import { CACHE_TYPE_NAMES, halvesOf } from '../cache/types.ts'
import { OptionError } from '../errors.ts'
import { type BlockFormat, type CacheType, isScaled, vectorBytes, WEIGHT_TYPES } from '../tensor/dtype.ts'
import type { LayerKind } from './plan-model.ts'
import { weightTypeNamed } from './weight-format.ts'

/** How vectors are stored. */
interface VectorFormat {
  readonly name: string
  /** Of a vector of `width` numbers, scales included. Throws OptionError where they do not fill whole blocks. */
  bytes(width: number): number
  /** Made for latents: keys and values of heads have no such layout. */
  readonly latentOnly: boolean
}

/** A name for what is written in both halves of a row. */
export interface CacheFormat {
  readonly name: string
  /** Latents, or keys; and keys of a sparse indexer. */
  readonly first: VectorFormat
  /** Rope keys, or values. */
  readonly second: VectorFormat
  /** One of them is made for latents. */
  readonly latentOnly: boolean
}

/** One vector that a layer caches per token. */
export interface RowSegment {
  /** The vector; `indexKey` is the sparse indexer's, the last two are what cross-attention reads of a source. */
  readonly name: 'latent' | 'ropeKey' | 'key' | 'value' | 'indexKey' | 'sourceKey' | 'sourceValue'
  /** Its numbers, of all key-value heads together. */
  readonly elements: number
  /** Its bytes, scales included. */
  readonly bytes: number
}

/** For messages and help. */
export const CACHE_FORMATS =
  'f32, f16, bf16, fp8, q8_0, q5_0, q4_0 and ggml’s other types, 6bit and the like; for MLA also fp8_ds_mla (DeepSeek’s FP8 layout) and ' +
  'int8; or two for the parts of a row, latent/rope or keys/values, as in q8_0/bf16'

/** `bf16`, `q8_0`, `fp8_ds_mla`, or `latent/rope` and `keys/values` with a type each. */
export function cacheFormat(text: string): CacheFormat {
  const name = text.trim().toLowerCase()
  const own = CACHE_TYPE_NAMES.find(known => known === name.replaceAll('-', '_'))
  if (own) {
    const { first, second } = halvesOf(own)
    return joined(own, stored(first), stored(second))
  }
  const halves = name.split('/').map(half => (half === 'int8' ? stored(half) : elsewhere(half)))
  const [first, second = first] = halves
  if (!first || !second || halves.length > 2) {
    throw new OptionError(`There is no cache type ${JSON.stringify(text.slice(0, 60))}; there are ${CACHE_FORMATS}.`)
  }
  return joined(name, first, second)
}

function joined(name: string, first: VectorFormat, second: VectorFormat): CacheFormat {
  const latentOnly = first.latentOnly || second.latentOnly
  return { name: first.name === second.name ? first.name : name, first, second, latentOnly }
}

/** As the engine stores a vector. */
function stored(type: CacheType): VectorFormat {
  return { name: type, bytes: width => vectorBytes(type, width), latentOnly: isScaled(type) }
}

/** As other engines do: in a type of weights, fp8 without scales among them, or `6bit`: packed numbers without any scale. */
function elsewhere(text: string): VectorFormat | undefined {
  const type = weightTypeNamed(text)
  // Everyone calls e4m3 fp8.
  if (type) return inBlocks(type === 'e4m3' ? 'fp8' : type, WEIGHT_TYPES[type])
  const bits = Number(/^(\d+)-?bit$/.exec(text.trim())?.[1] ?? 0)
  return bits >= 1 && bits <= 64 ? inBlocks(`${bits}bit`, { elements: 8, bytes: bits }) : undefined
}

/** A row that does not fill whole blocks is refused, because no engine would store it. */
function inBlocks(name: string, { elements, bytes }: BlockFormat): VectorFormat {
  const bytesOf = (width: number) => {
    if (width % elements === 0) return (width / elements) * bytes
    throw new OptionError(
      `${name} stores ${elements} numbers together, and a row of ${width} does not fill whole blocks; ` +
        'take a plain type such as f16, or one type for each part of the row, as in q8_0/bf16.',
    )
  }
  return { name, bytes: bytesOf, latentOnly: false }
}

/** The parts of one token's row that a query reads in a layer of this kind; none where it keeps a state instead. */
export function rowSegments(
  { attention, indexer, cross }: Pick<LayerKind, 'attention' | 'indexer' | 'cross'>,
  format: CacheFormat,
): RowSegment[] {
  if (attention.kind === 'state') return []
  if (format.latentOnly && attention.kind !== 'latent') {
    throw new OptionError(
      `${format.name} is a layout for latents, and keys and values per head have none such; take bf16, fp8 or q8_0.`,
    )
  }
  const segment = (name: RowSegment['name'], elements: number, half: VectorFormat): RowSegment => {
    return { name, elements, bytes: half.bytes(elements) }
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
  const source: RowSegment[] = cross
    ? [
        segment('sourceKey', cross.nKvHeads * cross.keyDim, format.first),
        segment('sourceValue', cross.nKvHeads * cross.valueDim, format.second),
      ]
    : []
  const index = indexer && !indexer.shared ? [segment('indexKey', indexer.headDim, format.first)] : []
  return [...own, ...index, ...source]
}

/** The same parts where the layer keeps them itself. */
export function keptSegments(layer: LayerKind, format: CacheFormat): RowSegment[] {
  return layer.sharesRows ? [] : rowSegments(layer, format)
}

/** Numbers cached per token and layer, those of a source's token included; the indexer's are not counted. */
export function cachedElements({ attention: a, cross, sharesRows }: LayerKind): number {
  if (sharesRows || a.kind === 'state') return 0
  const source = cross ? cross.nKvHeads * (cross.keyDim + cross.valueDim) : 0
  return source + (a.kind === 'latent' ? a.kvLoraRank + a.qkRopeHeadDim : a.nKvHeads * (a.keyDim + a.valueDim))
}
