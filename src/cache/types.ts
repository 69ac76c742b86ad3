/** The types of a cache's rows, by their names in options. */
import { OptionError } from '../errors.ts'
import { type CacheType, isScaled, type PlainCacheType } from '../tensor/dtype.ts'

/**
 * One type for all numbers, or one for each half of a row: latent/rope key, or keys/values. For latents also `int8` (one
 * scale per row, bf16 rope key) and `fp8_ds_mla` (DeepSeek's 656 bytes: 512 numbers in e4m3, 4 scales, 64 in bf16).
 */
export type CacheTypeName = PlainCacheType | 'int8' | 'fp8_ds_mla' | `${PlainCacheType | 'int8'}/${PlainCacheType}`

/** Types of the two halves of a row. */
export interface RowTypes {
  /** Latents, or keys. */
  readonly first: CacheType
  /** Rope keys, or values. */
  readonly second: CacheType
}

const PLAIN: readonly PlainCacheType[] = ['f32', 'f16', 'bf16']

/** All names, for checking options and for help. */
export const CACHE_TYPE_NAMES: readonly CacheTypeName[] = [
  ...PLAIN,
  'int8',
  'fp8_ds_mla',
  ...([...PLAIN, 'int8'] as const).flatMap(a => PLAIN.map(b => `${a}/${b}` as const)),
]

/** For help texts: a summary of the names. */
export const CACHE_TYPES_SHOWN = `${PLAIN.join(', ')}, int8, fp8_ds_mla, or two such as f16/bf16`

/** The types of a row's halves, of latents or of heads. */
export function halvesOf(name: CacheTypeName): RowTypes {
  const parts = name === 'int8' ? ['int8', 'bf16'] : name === 'fp8_ds_mla' ? ['fp8', 'bf16'] : name.split('/')
  const [first, second = first] = parts as [CacheType, CacheType?]
  return { first, second }
}

/** The same, for a model's attention. Throws OptionError for a latent-only type if it is grouped. */
export function rowTypes(name: CacheTypeName, kind: 'latent' | 'grouped'): RowTypes {
  const types = halvesOf(name)
  if (kind === 'grouped' && isScaled(types.first)) {
    throw new OptionError(
      `cacheType ${name} is made for latents, and this model caches keys and values of heads; ` +
        `expected ${PLAIN.join(', ')} or two of them, for keys and values, as in f16/bf16`,
    )
  }
  return types
}
