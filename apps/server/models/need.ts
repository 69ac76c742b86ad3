/** The memory that a model takes, by the planner: known before it is loaded. */
import type { LoadOptions, ModelInfo } from '../../../src/index.ts'
import { plan } from '../../../src/planning/index.ts'
import { readPlanModel } from '../../../src/tools.ts'
import { Failure } from '../failure.ts'
import { sizeOnDisk } from './size.ts'

/** In bytes. */
export interface Need {
  /** Of a draft model, too. */
  readonly weights: number
  /** `cacheBytes` where it is given, else the rows of one text as long as the context. */
  readonly cache: number
  /** Tokens of that text; 0 for a model that caches none. */
  readonly context: number
  /** Caches of this size: a draft model has one, too. */
  readonly caches: number
}

type NeedOptions = Pick<LoadOptions, 'contextLength' | 'cacheType' | 'cacheBytes' | 'draft' | 'mtp' | 'hub'> & {
  readonly weights?: LoadOptions['weights'] | undefined
}

const BLOCK_TOKENS = 64
/** Where the files do not say. */
const CONTEXT = 4096

/** Null for a model that is not on this machine yet. */
export async function needOf(source: string, load: NeedOptions): Promise<Need | null> {
  const own = await planned(source, load)
  if (own === null || load.draft === undefined) return own
  const draft = await planned(load.draft, { ...load, weights: undefined, mtp: 'off' })
  return draft && { ...own, weights: own.weights + draft.weights, caches: 2 }
}

async function planned(source: string, load: NeedOptions): Promise<Need | null> {
  const { contextLength = Number.POSITIVE_INFINITY, cacheType, weights, cacheBytes, mtp = 'off', hub } = load
  // What the planner does not count, encoders among it, caches no text.
  const model = await readPlanModel(source, hub?.cacheDir).catch(() => null)
  if (model === null) {
    const bytes = await sizeOnDisk(source)
    return bytes === 0 ? null : { weights: bytes, cache: 0, context: 0, caches: 0 }
  }
  const context = Math.min(contextLength, model.maxPositions ?? CONTEXT)
  const found = plan(model, {
    ...{ context, blockTokens: BLOCK_TOKENS },
    ...(cacheType !== undefined && { cacheType }),
    ...(weights !== undefined && { weights }),
    ...(mtp !== 'off' && model.draftLayers.length > 0 && { draft: true }),
  })
  return {
    weights: found.weights.engineBytes ?? found.weights.bytes,
    cache: cacheBytes ?? found.cache.bytes,
    context,
    caches: 1,
  }
}

export const bytesOf = ({ weights, cache, caches }: Need): number => weights + cache * caches

/** What the cache holds at most of a text that is as long as the context. */
export function longestTextBytes({ contextLength, cacheBytesPerToken, cacheStateBytes, source }: ModelInfo): number {
  const ofSource = source ? source.contextLength * source.cacheBytesPerToken : 0
  // A step reads one state and writes another.
  return contextLength * cacheBytesPerToken + 2 * cacheStateBytes + ofSource
}

/** Of a model that fits into no memory that the server may take: asking again does not help. */
export function tooLarge(name: string, need: Need, memoryBytes: number): Failure {
  const { weights, cache, context, caches } = need
  const rows = context > 0 ? ` and ${shown(cache * caches)} of cache for ${context} tokens` : ''
  const remedy = context > 0 && weights < memoryBytes ? ' Give it a shorter --context, or --cache-bytes.' : ''
  return new Failure(
    'invalid',
    `${name} takes ${shown(bytesOf(need))}: ${shown(weights)} of weights${rows}; all models of this server may take ` +
      `${shown(memoryBytes)} (--memory).${remedy}`,
    {
      code: 'model_too_large',
      param: 'model',
      more: { bytes_needed: bytesOf(need), bytes_allowed: memoryBytes },
    },
  )
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

function shown(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, bytes)) / 10)))
  const value = bytes / 1024 ** unit
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`
}
