/**
 * What a model's memory costs: its cache to the byte, its weights counted from its sizes, what fits into a memory, how
 * fast a machine could decode at best, and what the same model would cost with other attention. Pure: no file, no
 * network, no clock.
 */

import type { Unknown } from '../families/descriptor.ts'
import type { ModelConfig } from '../nn/config.ts'
import { bytesPerToken, cacheKinds, largestContext } from './cache-bytes.ts'
import { cacheFormat } from './cache-format.ts'
import { type Comparison, compareWith, finite, readCrossing, withDraft } from './compare.ts'
import { type AttentionPathName, attentionFlops, breakEvenAt, breakEvenQueries } from './costs.ts'
import { type CacheFormula, cacheFormulas, type EquivalentGroups, equivalentGroups } from './formulas.ts'
import type { Machine } from './machines.ts'
import { type CheckedOptions, checkOptions, type PlanOptions } from './options.ts'
import {
  type CachePlan,
  type MemoryPlan,
  planCache,
  planMemory,
  planRankWeights,
  planStageMemory,
  planWeights,
  type WeightsPlan,
} from './plan-memory.ts'
import { attentionPatterns, layerCount, type PlanModel } from './plan-model.ts'
import { planTraining, type TrainingPlan } from './plan-training.ts'
import { deviceCount, type Ranks, rankBatch, rankModel } from './ranks.ts'
import { planModelFromConfig } from './read/model-config.ts'
import {
  decodeWork,
  prefillPath,
  prefillWork,
  type StepCase,
  type StepTime,
  type StepWork,
  stepTime,
  weightReads,
} from './roofline.ts'
import { balancedStages, type Stage, stageCosts } from './stages.ts'
import { type WeightFormat, weightFormat } from './weight-format.ts'
import { weightParts } from './weight-parts.ts'
import { weightBytesOf } from './weights.ts'

/** Result of `plan`: memory and time of a model. */
export interface Plan {
  /** The model that was planned. */
  readonly model: PlanModel
  /** Tokens of each sequence. */
  readonly context: number
  /** Sequences at once. */
  readonly batch: number
  /** Tokens of a cache block. */
  readonly blockTokens: number
  /** How the model is divided. */
  readonly ranks: Ranks & {
    /** Number of devices, of all stages. */
    readonly total: number
  }
  /** Cache of the whole model. */
  readonly cache: CachePlan
  /** Weights of the whole model. */
  readonly weights: WeightsPlan
  /** Memory of one rank; in a pipeline, of a rank of the fullest stage. */
  readonly perRank: {
    /** Bytes of weights. */
    readonly weightBytes: number
    /** Bytes of cache, of the rank with most sequences. */
    readonly cacheBytes: number
    /** Both together. */
    readonly bytes: number
  }
  /** Of a pipeline each stage, as one of its ranks holds it; null where there is one stage. */
  readonly stages: readonly Stage[] | null
  /** What fits into a device's memory; null if no memory is given. */
  readonly memory: MemoryPlan | null
  /** Tokens of each sequence of the batch up to which weights outweigh the cache; null: always. */
  readonly crossover: {
    /** Beyond it a decoding step reads more cache than weights. */
    readonly read: number | null
    /** Beyond it the cache takes more memory than all weights. */
    readonly stored: number | null
  }
  /** Costs of MLA's two paths; null for models without latents. */
  readonly paths: PathsPlan | null
  /** A step that decodes one token of each sequence. */
  readonly decode: Timed
  /** A prompt of `context` tokens, on the cheaper path. */
  readonly prefill: Timed & {
    /** The path with fewer FLOPs for the whole prompt; without meaning for models without latents. */
    readonly path: 'absorbed' | 'expanded'
  }
  /** Where a step runs; null if not given. */
  readonly machine: Machine | null
  /** The model with the attention of `PlanOptions.compare`, in that order. */
  readonly compare: readonly Comparison[]
  /** How the cache bytes of a token come about, for each kind of layers that caches rows. */
  readonly formulas: readonly CacheFormula[]
  /** Groups of GQA whose cache would be as large; null for models without latents. */
  readonly equivalentGroups: EquivalentGroups | null
  /** Training on `PlanOptions.trainTokens`; null unless given. */
  readonly training: TrainingPlan | null
  /** Probability matrices of attention: one per layer and query head; layers with a state have none. */
  readonly attentionPatterns: number
  /** What the numbers leave out, or may get wrong: read it before them. Empty for models that are understood whole. */
  readonly unknown: readonly Unknown[]
  /** Assumptions and omissions; one sentence each. */
  readonly notes: readonly string[]
}

/** FLOPs of MLA's two paths. */
export interface PathsPlan {
  /** Queries at once from which expanding keys is cheaper than absorbing queries, for long contexts. */
  readonly breakEvenQueries: number
  /** The same for `context` cached keys. */
  readonly breakEvenHere: number
  /** Attention on the absorbed path, for one sequence and all layers. */
  readonly absorbed: {
    /** FLOPs to decode the last token of `context`. */
    readonly decodeFlops: number
    /** FLOPs to read a prompt of `context` tokens. */
    readonly promptFlops: number
  }
  /** Attention on the expanded path, for one sequence and all layers. */
  readonly expanded: {
    /** FLOPs to decode the last token of `context`. */
    readonly decodeFlops: number
    /** FLOPs to read a prompt of `context` tokens. */
    readonly promptFlops: number
  }
}

/** Work and time of a step on one rank; of a pipeline, of all stages one after the other. */
export interface Timed {
  /** Bytes and FLOPs of the step. */
  readonly work: StepWork
  /** Time of the step; null without a machine. */
  readonly time: StepTime | null
  /** The same if every token of the batch chose the same experts; null without a machine. */
  readonly leastTime: StepTime | null
}

/**
 * Computes memory and time of a model. `subject`: the `ModelConfig` of a model that the engine runs, or a `PlanModel`, as `publishedModel`,
 * `planModelFromJson` and `readPlanModel` return it for others. Throws OptionError for options out of range.
 */
export function plan(subject: PlanModel | ModelConfig, options: PlanOptions = {}): Plan {
  const model = 'draftLayers' in subject ? subject : planModelFromConfig(subject)
  const o = checkOptions(model, options)
  const format = o.weights ?? weightFormat(model.weightDtype)
  const cache = planCache(withDraft(model, o.draft), o)
  const weights = planWeights(model, o)
  const rankWeights = planRankWeights(model, o, format, weights.bytes)
  const pipeline = o.ranks.pipelineParallel > 1 ? planPipeline(model, o, format, weights.bytes) : null
  const memory = planMemory(model, o, rankWeights)
  const eightBit = format.types.matrix === 'e4m3'
  const step = stepCase(model, o, format)
  const rank = rankModel(model, o.ranks)
  const timed = (work: StepWork): Timed => {
    const time = (leastWeights: boolean) => o.machine && stepTime(work, o.machine, { eightBit, leastWeights })
    return { work, time: time(false), leastTime: time(true) }
  }
  const decode = timed(decodeWork(rank, step))
  const path = prefillPath(rank, o.context)
  const reads = weightReads(model, { ...step, activeWeightBytes: o.activeWeightBytes }, o.batch)
  const { bytesPerToken: perToken, kinds } = cache
  const base = {
    model,
    options: o,
    bytesPerToken: perToken,
    work: decode.work,
    eightBit,
    weightReads: reads,
    stages: pipeline?.stages ?? null,
  }
  return {
    model,
    context: o.context,
    batch: o.batch,
    blockTokens: o.blockTokens,
    ranks: { ...o.ranks, total: deviceCount(o.ranks) },
    cache,
    weights,
    perRank: pipeline?.fullest ?? {
      weightBytes: rankWeights,
      cacheBytes: memory.rankCacheBytes,
      bytes: rankWeights + memory.rankCacheBytes,
    },
    stages: pipeline?.stages ?? null,
    memory: pipeline ? pipeline.memory : memory.plan,
    crossover: {
      read: readCrossing(model.layers, o.cache, reads, o.batch),
      stored: finite(largestContext(kinds, weights.bytes, o.batch, 1)),
    },
    paths: planPaths(model, o.context),
    decode,
    prefill: { ...timed(prefillWork(rank, step, path)), path },
    machine: o.machine,
    compare: o.compare.map(name => compareWith(base, name)),
    formulas: cacheFormulas(withDraft(model, o.draft), kinds),
    equivalentGroups: equivalentGroups(model.layers),
    training: o.training && planTraining(model, o, o.training),
    attentionPatterns: attentionPatterns(model),
    unknown: model.unknown ?? [],
    notes: [...model.notes, ...notesOn(model, o)],
  }
}

function planPipeline(model: PlanModel, o: CheckedOptions, format: WeightFormat, bytes: number) {
  const counted = weightBytesOf(weightParts(model, { draft: o.draft }), format).bytes
  const costs = stageCosts(model, o, format, model.stored && !o.weights ? bytes / counted : 1)
  const stages = balancedStages(costs, o.ranks.pipelineParallel, o.context, rankBatch(o.batch, o.ranks))
  const { weightBytes, cacheBytes, bytes: all } = stages.reduce((a, b) => (b.bytes > a.bytes ? b : a))
  return { stages, fullest: { weightBytes, cacheBytes, bytes: all }, memory: planStageMemory(o, costs) }
}

/** One rank's step: of a pipeline all stages, one after the other. */
function stepCase(model: PlanModel, o: CheckedOptions, weights: WeightFormat): StepCase {
  const batch = rankBatch(o.batch, o.ranks)
  const counted = { weights, weightScale: 1, activeWeightBytes: null }
  return {
    context: o.context,
    batch,
    expertBatch: o.ranks.expertParallel ? o.batch : batch,
    cache: o.cache,
    weights,
    weightScale: model.stored && !o.weights ? model.stored.activeBytes / weightReads(model, counted, 1) : 1,
    activeWeightBytes: o.activeWeightBytes === null ? null : o.activeWeightBytes / o.ranks.tensorParallel,
  }
}

function planPaths(model: PlanModel, context: number): PathsPlan | null {
  const latent = model.layers.map(l => l.attention).find(a => a.kind === 'latent')
  if (!latent) return null
  const flops = (path: AttentionPathName) => ({
    decodeFlops: attentionFlops(model.layers, path, { before: context - 1, count: 1 }),
    promptFlops: attentionFlops(model.layers, path, { before: 0, count: context }),
  })
  return {
    breakEvenQueries: breakEvenQueries(latent),
    breakEvenHere: breakEvenAt(latent, context),
    absorbed: flops('absorbed'),
    expanded: flops('expanded'),
  }
}

function notesOn(model: PlanModel, o: CheckedOptions): string[] {
  const { context, cache } = o
  const { maxPositions, layers } = model
  const fp8 = cache.name === 'fp8' && layers.every(l => l.attention.kind !== 'grouped')
  return [
    ...(maxPositions !== null && context > maxPositions
      ? [`${model.name} was made for ${integer(maxPositions)} tokens.`]
      : []),
    ...(fp8
      ? [
          `fp8 is a byte for each number; DeepSeek’s layout, with scales and rope keys of 16 bits, is fp8_ds_mla: ` +
            `${integer(bytesPerToken(cacheKinds(layers, cacheFormat('fp8_ds_mla'))))} B per token.`,
        ]
      : []),
    ...draftNote(model, o),
    ...sourceNote(model, o),
  ]
}

/** Left out on purpose, which is told with its size. */
function draftNote(model: PlanModel, { draft, cache, weights }: CheckedOptions): string[] {
  const n = layerCount(model.draftLayers)
  if (n === 0 || draft) return []
  const { name } = weights ?? weightFormat(model.weightDtype)
  const [without, all] = [false, true].map(
    d => weightBytesOf(weightParts(model, { draft: d }), weightFormat(name)).bytes,
  )
  const perToken = bytesPerToken(cacheKinds(model.draftLayers, cache))
  const layers = n === 1 ? 'The layer' : `The ${n} layers`
  return [
    `${layers} for multi-token prediction ${n === 1 ? 'is' : 'are'} not counted: ${integer((all as number) - (without as number))} B of ` +
      `weights and ${integer(perToken)} B of cache per token (--mtp, or draft: true, counts them).`,
  ]
}

/** Two texts have two lengths, of which one is given. */
function sourceNote({ encoder, layers }: PlanModel, { cache }: CheckedOptions): string[] {
  if (!encoder) return []
  const alone = layers.map(({ cross: _, ...layer }) => layer)
  const [both, own] = [layers, alone].map(kinds => bytesPerToken(cacheKinds(kinds, cache))) as [number, number]
  return [
    `The source text is counted as long as the written one: of the cache per token ${integer(both - own)} B are of a token of the source, ` +
      `${integer(own)} B of one that is written.`,
    'The prompt’s time is that of its tokens in the decoder: what the encoder takes to read a source is not counted.',
  ]
}

function integer(n: number): string {
  return n.toLocaleString('en-GB')
}
