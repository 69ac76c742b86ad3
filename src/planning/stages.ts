/**
 * A pipeline: whole layers one behind the other on stages, the embedding on the first and the output on the last. Each
 * stage keeps the cache of its layers for all sequences.
 */
import { OptionError } from '../errors.ts'
import { cacheKinds, sequenceBytes } from './cache-bytes.ts'
import type { CheckedOptions } from './options.ts'
import { layersInOrder, type PlanModel } from './plan-model.ts'
import { keptBytes, rankModel } from './ranks.ts'
import type { WeightFormat } from './weight-format.ts'
import { endWeightParts, layerWeightParts } from './weight-parts.ts'

/** One stage of a pipeline, and the memory of one of its devices. */
export interface Stage {
  /** Index of its first layer, from 0. */
  readonly firstLayer: number
  /** Number of layers. */
  readonly layers: number
  /** Bytes of weights, embedding or output included. */
  readonly weightBytes: number
  /** Bytes of cache. */
  readonly cacheBytes: number
  /** Both together. */
  readonly bytes: number
}

/** Bytes of each layer on one device, and of what stands before the first and behind the last. */
export interface StageCosts {
  readonly weights: readonly number[]
  readonly first: number
  /** Where the last stage is the first as well, and where it is another. */
  readonly last: { readonly same: number; readonly apart: number }
  /** Of all sequences of the rank; layers for multi-token prediction stand with the last. */
  readonly cache: (context: number, batch: number) => { readonly layers: readonly number[]; readonly last: number }
}

/** `scale`: files may mix types; their bytes as a multiple of what is counted from sizes. */
export function stageCosts(model: PlanModel, o: CheckedOptions, format: WeightFormat, scale: number): StageCosts {
  const rank = rankModel(model, o.ranks)
  const [layers, kept] = [layersInOrder(model), layersInOrder(rank)]
  const bytes = (n: number) => Math.ceil(n * scale)
  const ends = (apart: boolean) => {
    const [of, own] = [model, rank].map(m => endWeightParts(m, { draft: o.draft, apart })) as [Ends, Ends]
    return { first: bytes(keptBytes(of.first, own.first, format)), last: bytes(keptBytes(of.last, own.last, format)) }
  }
  const [same, apart] = [ends(false), ends(true)]
  return {
    weights: layers.map((l, i) =>
      bytes(keptBytes(layerWeightParts(model, l), layerWeightParts(rank, kept[i] as typeof l), format)),
    ),
    first: same.first,
    last: { same: same.last, apart: apart.last },
    cache(context, batch) {
      const each = (list: PlanModel['layers']) =>
        cacheKinds(list, o.cache).map(kind => batch * sequenceBytes([kind], context, o.blockTokens))
      return { layers: each(kept), last: o.draft ? each(rank.draftLayers).reduce((a, b) => a + b, 0) : 0 }
    },
  }
}

type Ends = ReturnType<typeof endWeightParts>

/** Exactly `count` stages of at most `capacity` bytes, each as full as that allows; null: they do not suffice. */
function filled(
  costs: StageCosts,
  cache: ReturnType<StageCosts['cache']>,
  count: number,
  capacity: number,
): Stage[] | null {
  const { weights } = costs
  const stages: Stage[] = []
  const last = costs.last[count === 1 ? 'same' : 'apart']
  let at = 0
  while (at < weights.length) {
    const firstLayer = at
    let [weightBytes, cacheBytes] = [at === 0 ? costs.first : 0, 0]
    // Those behind need a layer each.
    const most = weights.length - (count - stages.length - 1)
    while (at < most) {
      const end = at === weights.length - 1
      const [w, c] = [(weights[at] as number) + (end ? last : 0), (cache.layers[at] as number) + (end ? cache.last : 0)]
      if (weightBytes + cacheBytes + w + c > capacity) break
      weightBytes += w
      cacheBytes += c
      at++
    }
    if (at === firstLayer || stages.length === count) return null
    stages.push({ firstLayer, layers: at - firstLayer, weightBytes, cacheBytes, bytes: weightBytes + cacheBytes })
  }
  return stages.length === count ? stages : null
}

/** The division into `count` stages whose fullest one is emptiest. Throws OptionError for more stages than layers. */
export function balancedStages(costs: StageCosts, count: number, context: number, batch: number): Stage[] {
  if (count > costs.weights.length) {
    throw new OptionError(
      `pipelineParallel is ${count}; expected at most a stage for each of the ${costs.weights.length} layers, which stay whole.`,
    )
  }
  const cache = costs.cache(context, batch)
  let high = 2 ** 53
  let low = 0
  let best = filled(costs, cache, count, high) as Stage[]
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    const stages = filled(costs, cache, count, middle)
    if (stages) {
      best = stages
      high = Math.max(...stages.map(s => s.bytes))
    } else low = middle
    if (low >= high) break
  }
  return best
}

/** The fewest stages that hold it; null: a layer alone is too large, or ends are. */
export function fewestStages(costs: StageCosts, context: number, batch: number, memoryBytes: number): Stage[] | null {
  const cache = costs.cache(context, batch)
  for (let count = 1; count <= costs.weights.length; count++) {
    if (filled(costs, cache, count, memoryBytes)) return balancedStages(costs, count, context, batch)
  }
  return null
}

/** Whether `count` stages hold so much. */
export function stagesHold(
  costs: StageCosts,
  count: number,
  memoryBytes: number,
  context: number,
  batch: number,
): boolean {
  return filled(costs, costs.cache(context, batch), count, memoryBytes) !== null
}
