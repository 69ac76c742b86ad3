/** What cache and weights take, and what fits into a memory. */
import { OptionError } from '../errors.ts'
import {
  bytesPerToken,
  bytesPerTokenBeyondWindows,
  type CacheKind,
  cacheKinds,
  largestBatch,
  largestContext,
  mostTokens,
  rowsHeld,
  sequenceBytes,
} from './cache-bytes.ts'
import { cachedElements } from './cache-format.ts'
import { withDraft } from './compare.ts'
import type { CheckedOptions } from './options.ts'
import { type LayerKind, layerCount, type PlanModel } from './plan-model.ts'
import { rankBatch, rankCount, rankModel, rankWeightBytes } from './ranks.ts'
import { type StageCosts, stagesHold } from './stages.ts'
import type { WeightFormat } from './weight-format.ts'
import { weightParts } from './weight-parts.ts'
import { countWeights, modelWeightBytes, weightBytesOf } from './weights.ts'

/** Cache memory of a plan. */
export interface CachePlan {
  /** Type of the cached numbers. */
  readonly dtype: string
  /** Equal layers together. */
  readonly kinds: readonly CacheKind[]
  /** Numbers per token and layer where all layers agree, else null. */
  readonly elementsPerLayer: number | null
  /** Number of layers, drafts included if asked for. */
  readonly layers: number
  /** Bytes of one token in all layers, while no window has passed it. */
  readonly bytesPerToken: number
  /** Bytes of each further token beyond all windows. */
  readonly bytesPerTokenBeyondWindows: number
  /** What a sequence keeps whatever its length; 0 where every layer attends. Part of `bytesPerSequence`. */
  readonly stateBytesPerSequence: number
  /** Bytes of one sequence of `context` tokens, in whole blocks. */
  readonly bytesPerSequence: number
  /** Bytes of all sequences, one copy: ranks that repeat a latent are not counted twice. */
  readonly bytes: number
  /** Bytes of the blocks that the engine holds for one sequence after exactly `context` tokens. */
  readonly heldBytesPerSequence: number
}

/** Weight memory of a plan. */
export interface WeightsPlan {
  /** Type of the weights. */
  readonly dtype: string
  /** Number of weights. */
  readonly parameters: number
  /** Weights that one token uses: of experts the chosen ones, of the embedding one row. */
  readonly activeParameters: number
  /** Bytes of all weights. */
  readonly bytes: number
  /** What latentkit's CPU kernels hold for them, mapped or copied; null: not known without the files. */
  readonly engineBytes: number | null
  /** Bytes read in a step that decodes one token. */
  readonly activeBytes: number
  /** Whether bytes are those of the model's files, or counted from its sizes. */
  readonly counted: 'files' | 'sizes'
}

/** What fits into the memory of the devices. */
export interface MemoryPlan {
  /** Bytes of one device. */
  readonly bytes: number
  /** Whether weights and cache fit on every device. */
  readonly fits: boolean
  /** Longest context that fits beside the weights at this batch; 0: none, Infinity: any. */
  readonly largestContext: number
  /** Largest batch that fits beside the weights at this context, over all ranks. */
  readonly largestBatch: number
  /** Longest context if the cache had all of the memory. */
  readonly largestContextAlone: number
  /** Largest batch if the cache had all of the memory. */
  readonly largestBatchAlone: number
}

export function planCache(layers: readonly LayerKind[], o: CheckedOptions): CachePlan {
  const kinds = cacheKinds(layers, o.cache)
  const elements = new Set(layers.map(cachedElements))
  const bytesPerSequence = sequenceBytes(kinds, o.context, o.blockTokens)
  return {
    dtype: o.cache.name,
    kinds,
    elementsPerLayer: elements.size === 1 ? ([...elements][0] as number) : null,
    layers: layerCount(layers),
    bytesPerToken: bytesPerToken(kinds),
    bytesPerTokenBeyondWindows: bytesPerTokenBeyondWindows(kinds),
    stateBytesPerSequence: kinds.reduce((n, k) => n + k.stateBytes, 0),
    bytesPerSequence,
    bytes: exact(o.batch * bytesPerSequence),
    heldBytesPerSequence: sequenceBytes(kinds, o.context, o.blockTokens, rowsHeld),
  }
}

export function planWeights(model: PlanModel, o: CheckedOptions): WeightsPlan {
  const parts = { draft: o.draft }
  const fromFiles = model.stored !== null && o.weights === null
  const { parameters, activeParameters } = countWeights(model, parts)
  const { bytes, activeBytes } = modelWeightBytes(model, o.weights?.name, parts)
  return {
    dtype: o.weights?.name ?? model.stored?.dtype ?? model.weightDtype,
    parameters: fromFiles && model.stored ? model.stored.parameters : parameters,
    activeParameters,
    bytes,
    engineBytes: fromFiles && model.stored && !o.draft ? model.stored.engineBytes : null,
    activeBytes,
    counted: fromFiles ? 'files' : 'sizes',
  }
}

/** Of one rank; of files that mix types each rank has its part of the mixture. */
export function planRankWeights(model: PlanModel, o: CheckedOptions, format: WeightFormat, bytes: number): number {
  if (rankCount(o.ranks) === 1) return bytes
  const parts = { draft: o.draft }
  const share = rankWeightBytes(model, o.ranks, format, parts)
  if (!model.stored || o.weights) return share
  return Math.ceil((share * bytes) / weightBytesOf(weightParts(model, parts), format).bytes)
}

export function planMemory(
  model: PlanModel,
  o: CheckedOptions,
  rankWeights: number,
): { readonly plan: MemoryPlan | null; readonly rankCacheBytes: number } {
  const kinds = cacheKinds(withDraft(rankModel(model, o.ranks), o.draft), o.cache)
  const batch = rankBatch(o.batch, o.ranks)
  const rankCacheBytes = batch * sequenceBytes(kinds, o.context, o.blockTokens)
  if (o.memoryBytes === null) return { plan: null, rankCacheBytes }
  const context = (bytes: number) => (bytes > 0 ? largestContext(kinds, bytes, batch, o.blockTokens) : 0)
  const sequences = (bytes: number) => largestBatch(kinds, bytes, o.context, o.blockTokens) * o.ranks.dataParallel
  const left = o.memoryBytes - rankWeights
  return {
    plan: {
      bytes: o.memoryBytes,
      fits: rankCacheBytes <= left,
      largestContext: context(left),
      largestBatch: sequences(left),
      largestContextAlone: context(o.memoryBytes),
      largestBatchAlone: sequences(o.memoryBytes),
    },
    rankCacheBytes,
  }
}

/** The same for a pipeline: what fits is what some division of the layers into its stages holds. */
export function planStageMemory(o: CheckedOptions, costs: StageCosts): MemoryPlan | null {
  const { memoryBytes } = o
  if (memoryBytes === null) return null
  const { pipelineParallel: count, dataParallel } = o.ranks
  const batch = rankBatch(o.batch, o.ranks)
  const alone: StageCosts = { ...costs, weights: costs.weights.map(() => 0), first: 0, last: { same: 0, apart: 0 } }
  const context = (of: StageCosts) => mostTokens(n => stagesHold(of, count, memoryBytes, n, batch))
  const sequences = (of: StageCosts) =>
    dataParallel * mostTokens(n => n < 2 ** 31 && stagesHold(of, count, memoryBytes, o.context, n))
  return {
    bytes: memoryBytes,
    fits: stagesHold(costs, count, memoryBytes, o.context, batch),
    largestContext: context(costs),
    largestBatch: sequences(costs),
    largestContextAlone: context(alone),
    largestBatchAlone: sequences(alone),
  }
}

/** Beyond 2^53 a number of bytes is no longer exact, and no machine has them. */
function exact(bytes: number): number {
  if (Number.isSafeInteger(bytes)) return bytes
  throw new OptionError(
    `That many tokens would take ${(bytes / 1e15).toLocaleString('en-GB', { maximumFractionDigits: 0 })} PB of cache; ask for a smaller context or batch.`,
  )
}
