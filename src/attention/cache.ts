import type { CacheLayout } from '../cache/layout.ts'
import { BlockPool } from '../cache/pool.ts'
import { SequenceCache } from '../cache/sequence-cache.ts'
import { CACHE_TYPE_NAMES, type CacheTypeName } from '../cache/types.ts'
import { OptionError } from '../errors.ts'
import { type KeyStore, pagedKeys } from '../nn/attention/keys.ts'
import { modelCacheLayout } from '../nn/cache-layout.ts'
import type { Past } from '../nn/step.ts'
import { choice, type OptionTable, whole } from '../options/kinds.ts'
import { readArgument, readOptions } from '../options/read-options.ts'
import type { AttentionLayer } from './layers.ts'
import type { Workbench } from './workbench.ts'

/** Options of `createCache`. */
export interface CacheOptions {
  /** Type of the cached numbers. Default f16, as in the engine. */
  readonly type?: CacheTypeName
  /** Tokens of a block, in which memory is taken. Default 64. */
  readonly blockTokens?: number
}

const OPTIONS = {
  type: { kind: choice(CACHE_TYPE_NAMES), description: 'type of the cached numbers' },
  blockTokens: { kind: whole(1, 65536), description: 'tokens of a block' },
} satisfies OptionTable<CacheOptions>

/** What layers keep of the tokens so far: the engine's own paged cache, of one text. */
export class AttentionCache {
  readonly #bench: Workbench
  readonly #layers: readonly AttentionLayer[]
  readonly #layout: CacheLayout
  readonly #pool: BlockPool
  readonly #sequence: SequenceCache
  readonly #keys: KeyStore
  /** Rows that each layer has written. */
  readonly #rows: number[]

  /** @internal Use `createCache`. */
  constructor(bench: Workbench, layers: readonly AttentionLayer[], given: CacheOptions) {
    const { type = 'f16', blockTokens = 64 } = readOptions<CacheOptions>(OPTIONS, 'createCache', given)
    if (layers.length === 0) throw new OptionError('createCache is given no layer; expected at least one')
    this.#bench = bench
    this.#layers = [...layers]
    this.#rows = layers.map(() => 0)
    this.#layout = modelCacheLayout(
      layers.map(({ config: attention, window }) => ({ attention, window })),
      type,
      blockTokens,
    )
    const { kernels } = bench
    this.#pool = new BlockPool(kernels, this.#layout)
    this.#sequence = new SequenceCache(kernels, this.#pool, Number.MAX_SAFE_INTEGER)
    this.#keys = pagedKeys(bench.ops, bench.scratch, this.#layout)
  }

  /** Tokens that all layers have read. */
  get length(): number {
    return this.#sequence.length
  }

  /** Bytes of one token in all layers. */
  get bytesPerToken(): number {
    return this.#layout.bytesPerToken
  }

  /** Bytes of the rows that are cached, without those that a window has passed. */
  get usedBytes(): number {
    return this.#sequence.usedBytes
  }

  /** Bytes of the memory that holds them, in whole blocks. */
  get heldBytes(): number {
    return this.#sequence.bytes
  }

  /** Forgets the tokens from `length` on. Throws RangeError where a window has passed what they would see. */
  truncate(length: number): void {
    const kept = readArgument<number>(whole(0, this.length), 'length', length)
    this.#sequence.truncate(kept)
    this.#rows.fill(kept)
  }

  /** Ends the cache and gives back its memory; closing the workbench does so too. */
  async close(): Promise<void> {
    await this.#bench.kernels.submit()
    this.#sequence.dispose()
    this.#pool.dispose()
  }

  /** @internal Room for `count` more tokens of a layer: where they go, and how keys are found. `written` is called once they are recorded. */
  begin(layer: AttentionLayer, count: number): { index: number; past: Past; keys: KeyStore; written: () => void } {
    const index = this.#layers.indexOf(layer)
    if (index < 0)
      throw new OptionError('The cache was made for other layers; expected one of those given to createCache')
    const sequence = this.#sequence
    const length = this.#rows[index] as number
    sequence.reserve(length + count - sequence.length)
    return {
      index,
      keys: this.#keys,
      past: { length, keyStart: group => sequence.keyStart(group), blockIds: group => sequence.blockIds(group) },
      written: () => {
        this.#rows[index] = length + count
        // A token is cached once all layers have it. Ids and provenance are the engine's, which shares rows between texts.
        const added = Math.min(...this.#rows) - sequence.length
        if (added > 0) sequence.commit(new Int32Array(added), new Uint8Array(added))
      },
    }
  }
}

/** An empty cache for these layers. Throws OptionError where the type does not suit them. */
export function createCache(
  bench: Workbench,
  layers: readonly AttentionLayer[],
  options: CacheOptions = {},
): AttentionCache {
  return new AttentionCache(bench, layers, options)
}
