/** The same model with other attention, beside its own. Only the cache differs: weights stay as they are. */
import { bytesPerToken, cacheKinds, largestContext, mostTokens, sequenceBytes } from './cache-bytes.ts'
import { type CacheFormat, cacheFormat } from './cache-format.ts'
import { decodeReadBytes } from './costs.ts'
import type { CheckedOptions } from './options.ts'
import { type LayerKind, layersInOrder, type PlanModel } from './plan-model.ts'
import { rankBatch, rankModel } from './ranks.ts'
import { attentionWork, type StepTime, type StepWork, stepTime } from './roofline.ts'
import type { Stage } from './stages.ts'
import { whatIf } from './what-if.ts'

/** Cache and decoding time of the same model with other attention. */
export interface Comparison {
  /** `MHA`, `GQA-8`, `MQA`, `MLA, expanded`, `MLA 256 + 64`. */
  readonly title: string
  /** Type of the cached numbers; `fp8` in place of a layout for latents if other attention has none. */
  readonly dtype: string
  /** Cache bytes of one token in all layers, while no window has passed it. */
  readonly bytesPerToken: number
  /** Bytes per token, as a multiple of the model's own. */
  readonly ratio: number
  /** Cache bytes of one sequence of `context` tokens. */
  readonly bytesPerSequence: number
  /** Cache bytes of the batch, one copy. */
  readonly bytes: number
  /** One rank's share of `bytes`. */
  readonly rankBytes: number
  /** With all memory of a device for the cache; null where none is given. */
  readonly largestContextAlone: number | null
  /** Tokens of each sequence beyond which a step reads more cache than weights; null: never. */
  readonly crossover: number | null
  /** Time of a decoding step; null without a machine. */
  readonly decodeTime: StepTime | null
}

export interface ComparisonBase {
  readonly model: PlanModel
  readonly options: CheckedOptions
  readonly bytesPerToken: number
  /** The model's own step on one rank: its weights are read with any attention. */
  readonly work: StepWork
  readonly eightBit: boolean
  /** Bytes of weights that a step of the whole model reads. */
  readonly weightReads: number
  /** Of a pipeline. */
  readonly stages: readonly Stage[] | null
}

/** The longest context at which a step over `batch` sequences reads no more cache than `bytes`; null: any. */
export function readCrossing(
  layers: readonly LayerKind[],
  cache: CacheFormat,
  bytes: number,
  batch: number,
): number | null {
  return finite(mostTokens(context => batch * decodeReadBytes(layers, cache, context) <= bytes))
}

export function finite(n: number): number | null {
  return Number.isFinite(n) ? n : null
}

export function compareWith(base: ComparisonBase, name: string): Comparison {
  const { options: o } = base
  const { title, model } = whatIf(base.model, name)
  const cache = usable(o.cache, model)
  const layers = withDraft(model, o.draft)
  const kinds = cacheKinds(layers, cache)
  const rank = rankModel(model, o.ranks)
  const devices = devicesOf(rank, o.draft, base.stages).map(layers => cacheKinds(layers, cache))
  const batch = rankBatch(o.batch, o.ranks)
  const perToken = bytesPerToken(kinds)
  const bytesPerSequence = sequenceBytes(kinds, o.context, o.blockTokens)
  return {
    title,
    dtype: cache.name,
    bytesPerToken: perToken,
    ratio: perToken / base.bytesPerToken,
    bytesPerSequence,
    bytes: o.batch * bytesPerSequence,
    rankBytes: batch * Math.max(...devices.map(device => sequenceBytes(device, o.context, o.blockTokens))),
    largestContextAlone: devices.reduce<number | null>((least, device) => {
      if (o.memoryBytes === null) return null
      return Math.min(least ?? Number.POSITIVE_INFINITY, largestContext(device, o.memoryBytes, batch, o.blockTokens))
    }, null),
    crossover: readCrossing(model.layers, cache, base.weightReads, o.batch),
    decodeTime: o.machine && stepTime(otherWork(base, rank, cache, batch), o.machine, { eightBit: base.eightBit }),
  }
}

/** The layers of each device: of a pipeline those of its stage. */
function devicesOf(rank: PlanModel, draft: boolean, stages: readonly Stage[] | null): (readonly LayerKind[])[] {
  if (!stages) return [withDraft(rank, draft)]
  const layers = layersInOrder(rank)
  return stages.map(({ firstLayer, layers: n }, i) => [
    ...layers.slice(firstLayer, firstLayer + n),
    ...(draft && i === stages.length - 1 ? rank.draftLayers : []),
  ])
}

/** The step's weights stay; what attention reads and multiplies is the other's. */
function otherWork(
  { options: o, work }: ComparisonBase,
  other: PlanModel,
  cache: CacheFormat,
  batch: number,
): StepWork {
  const { cacheBytes, flops } = attentionWork(other.layers, cache, o.context)
  return { ...work, cacheBytes: batch * cacheBytes, attentionFlops: batch * flops }
}

function usable(cache: CacheFormat, model: PlanModel): CacheFormat {
  return cache.latentOnly && model.layers.some(l => l.attention.kind === 'grouped') ? cacheFormat('fp8') : cache
}

export function withDraft(model: PlanModel, draft: boolean): readonly LayerKind[] {
  return draft ? [...model.layers, ...model.draftLayers] : model.layers
}
