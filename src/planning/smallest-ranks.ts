/** How many devices it takes, and how to divide the work among them. */
import { OptionError } from '../errors.ts'
import type { ModelConfig } from '../nn/config.ts'
import { checkOptions, type PlanOptions } from './options.ts'
import { plan } from './plan.ts'
import { planWeights } from './plan-memory.ts'
import type { PlanModel } from './plan-model.ts'
import { fewestStages, stageCosts } from './stages.ts'
import { weightFormat } from './weight-format.ts'
import { weightParts } from './weight-parts.ts'
import { weightBytesOf } from './weights.ts'

/** A division of a model over devices; see `smallestRanks`. */
export interface SmallestRanks {
  /** Number of devices. */
  readonly total: number
  /** Ranks that divide heads, MLP width and vocabulary. */
  readonly tensorParallel: number
  /** Ranks that divide the sequences. */
  readonly dataParallel: number
  /** Whole experts on each rank; true with more than one data-parallel rank. */
  readonly expertParallel: boolean
  /** Weights and cache of the fullest rank. */
  readonly bytesPerRank: number
}

/** A pipeline of stages; see `smallestPipeline`. */
export interface SmallestPipeline {
  /** Number of stages, one device each. */
  readonly stages: number
  /** Weights and cache of the fullest stage. */
  readonly bytesPerStage: number
}

/**
 * The fewest devices as a pipeline of whole layers. null: a layer, or what stands at an end, does not fit into one
 * device, or no memory was given.
 */
export function smallestPipeline(model: PlanModel, options: PlanOptions): SmallestPipeline | null {
  const o = checkOptions(model, { ...options, ...{ tensorParallel: 1, dataParallel: 1, pipelineParallel: 1 } })
  if (o.memoryBytes === null) return null
  const format = o.weights ?? weightFormat(model.weightDtype)
  const counted = weightBytesOf(weightParts(model, { draft: o.draft }), format).bytes
  const scale = model.stored && !o.weights ? planWeights(model, o).bytes / counted : 1
  const stages = fewestStages(stageCosts(model, o, format, scale), o.context, o.batch, o.memoryBytes)
  return stages && { stages: stages.length, bytesPerStage: Math.max(...stages.map(s => s.bytes)) }
}

const MOST = 1024

/**
 * The fewest devices, a power of two, on which weights and cache fit: of all ways to divide them into tensor and data
 * parallel ranks the one that fills a device least. null: not on 1,024, or no memory was given.
 */
export function smallestRanks(model: PlanModel | ModelConfig, options: PlanOptions): SmallestRanks | null {
  for (let total = 1; total <= MOST; total *= 2) {
    const ways = divisions(total, options.batch ?? 1).flatMap(ranks => tried(model, { ...options, ...ranks }))
    const best = ways.sort((a, b) => a.bytesPerRank - b.bytesPerRank)[0]
    if (best) return best
  }
  return null
}

function divisions(
  total: number,
  batch: number,
): Pick<SmallestRanks, 'tensorParallel' | 'dataParallel' | 'expertParallel'>[] {
  const ways = []
  for (let tensorParallel = total; tensorParallel >= 1; tensorParallel /= 2) {
    const dataParallel = total / tensorParallel
    if (dataParallel <= batch) ways.push({ tensorParallel, dataParallel, expertParallel: dataParallel > 1 })
  }
  return ways
}

/** Divisions that the heads do not allow are none. */
function tried(model: PlanModel | ModelConfig, options: PlanOptions): SmallestRanks[] {
  try {
    const { memory, ranks, perRank } = plan(model, { ...options, compare: [], pipelineParallel: 1 })
    return memory?.fits ? [{ ...ranks, bytesPerRank: perRank.bytes }] : []
  } catch (error) {
    if (error instanceof OptionError && /evenly/.test(error.message)) return []
    throw error
  }
}
