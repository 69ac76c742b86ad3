/** What a plan is asked for, checked once. */
import { OptionError } from '../errors.ts'
import { type CacheFormat, cacheFormat } from './cache-format.ts'
import type { Machine } from './machines.ts'
import type { PlanModel } from './plan-model.ts'
import { ONE_RANK, type Ranks } from './ranks.ts'
import { type WeightFormat, weightFormat } from './weight-format.ts'

/** Options of `plan`. Numbers out of range throw OptionError. */
export interface PlanOptions {
  /** Tokens each sequence holds. Default: what the model was made for, 4096 where that is unknown. */
  readonly context?: number
  /** Sequences at once. Default 1. */
  readonly batch?: number
  /** Type of the cached numbers: `bf16` (default), `fp8`, `q8_0`, `fp8_ds_mla`, `q8_0/bf16` … */
  readonly cacheType?: string
  /** Older name of `cacheType`, which takes precedence. */
  readonly dtype?: string
  /** Type of the weights. Default: as published, or as the files have them. */
  readonly weights?: string
  /** Tokens of a cache block; memory is taken in whole blocks. Default 1: no rounding. The engine's are 64. */
  readonly blockTokens?: number
  /** Bytes of memory of one device. Default: the machine's. */
  readonly memoryBytes?: number
  /** Where a step runs: `machineNamed('h100')`, what `measureMachine` found, or a description of one's own. */
  readonly machine?: Machine
  /** Other attention to set beside the model's own: `mha`, `gqa8`, `mqa`, `expanded`, `mla256` … */
  readonly compare?: readonly string[]
  /** Ranks that divide heads, MLP width and vocabulary. Default 1. */
  readonly tensorParallel?: number
  /** Ranks that divide the sequences and repeat the weights. Default 1. */
  readonly dataParallel?: number
  /** Stages of whole layers, one after the other, each on `tensorParallel` x `dataParallel` devices. Default 1. */
  readonly pipelineParallel?: number
  /** Whole experts on each rank. Default false: a slice of every expert. */
  readonly expertParallel?: boolean
  /** Count the layers for multi-token prediction, their cache and their weights. Default false. */
  readonly draft?: boolean
  /** In place of what is counted: bytes of weights that a decoding step reads. */
  readonly activeWeightBytes?: number
  /** Tokens that the model is trained on. Default: training is not planned. */
  readonly trainTokens?: number
  /** Tokens of each text in training. Default: 4096, or what the model was made for where that is less. */
  readonly trainContext?: number
  /** Share of the machine's dense 16-bit peak that training reaches, above 0, up to 1. Default 0.4, what DeepSeek-V3's report comes to. */
  readonly utilisation?: number
  /** Price of an hour of one device, in any currency. Default: no cost is planned. */
  readonly hourPrice?: number
}

/** What a training run is planned by. */
export interface TrainingOptions {
  readonly tokens: number
  readonly context: number
  readonly utilisation: number
  readonly hourPrice: number | null
}

export interface CheckedOptions {
  readonly context: number
  readonly batch: number
  readonly cache: CacheFormat
  /** null: as the model has them. */
  readonly weights: WeightFormat | null
  readonly blockTokens: number
  readonly memoryBytes: number | null
  readonly machine: Machine | null
  readonly compare: readonly string[]
  readonly ranks: Ranks
  readonly draft: boolean
  readonly activeWeightBytes: number | null
  readonly training: TrainingOptions | null
}

/** Longer than any text anyone has; beyond it, a number is a slip of the keyboard. */
const MAX_TOKENS = 2 ** 40
const MAX_SEQUENCES = 2 ** 30
const DEFAULT_CONTEXT = 4096

export function checkOptions(model: PlanModel, o: PlanOptions): CheckedOptions {
  const machine = o.machine ?? null
  if (machine) amount('machine.bandwidth', machine.bandwidth)
  const draft = o.draft ?? false
  if (draft && model.draftLayers.length === 0) {
    throw new OptionError(
      `${model.name} has no layers for multi-token prediction (num_nextn_predict_layers); leave draft out.`,
    )
  }
  const ranks = {
    tensorParallel: whole('tensorParallel', o.tensorParallel ?? ONE_RANK.tensorParallel, 1 << 16, 'ranks'),
    dataParallel: whole('dataParallel', o.dataParallel ?? ONE_RANK.dataParallel, 1 << 16, 'ranks'),
    expertParallel: o.expertParallel ?? false,
    pipelineParallel: whole('pipelineParallel', o.pipelineParallel ?? 1, 1 << 12, 'stages'),
  }
  if (model.encoder && (ranks.tensorParallel > 1 || ranks.pipelineParallel > 1)) {
    throw new OptionError(
      `${model.name} is an encoder-decoder, which is not divided here; leave tensorParallel and pipelineParallel out.`,
    )
  }
  if (model.encoder && o.trainTokens !== undefined) {
    throw new OptionError(
      `${model.name} is an encoder-decoder, whose training is not counted here; leave trainTokens out.`,
    )
  }
  return {
    context: whole('context', o.context ?? model.maxPositions ?? DEFAULT_CONTEXT, MAX_TOKENS, 'tokens'),
    batch: whole('batch', o.batch ?? 1, MAX_SEQUENCES, 'sequences'),
    cache: cacheFormat(o.cacheType ?? o.dtype ?? 'bf16'),
    weights: o.weights === undefined ? null : weightFormat(o.weights),
    blockTokens: whole('blockTokens', o.blockTokens ?? 1, 1 << 20, 'tokens of a block'),
    memoryBytes: o.memoryBytes === undefined ? (machine?.memoryBytes ?? null) : amount('memoryBytes', o.memoryBytes),
    machine,
    compare: o.compare ?? [],
    ranks,
    draft,
    activeWeightBytes: o.activeWeightBytes === undefined ? null : amount('activeWeightBytes', o.activeWeightBytes),
    training: trainingOf(model, o),
  }
}

function trainingOf({ maxPositions }: PlanModel, o: PlanOptions): TrainingOptions | null {
  const { trainTokens, trainContext, utilisation = 0.4, hourPrice } = o
  if (trainTokens === undefined) {
    const alone = (['trainContext', 'utilisation', 'hourPrice'] as const).find(name => o[name] !== undefined)
    if (alone) throw new OptionError(`${alone} is for training; give trainTokens, the tokens that it reads, too.`)
    return null
  }
  if (!(utilisation > 0 && utilisation <= 1)) {
    throw new OptionError(`utilisation is ${shown(utilisation)}; expected a share of the peak above 0, up to 1.`)
  }
  const known = Math.min(maxPositions ?? DEFAULT_CONTEXT, DEFAULT_CONTEXT)
  return {
    tokens: whole('trainTokens', trainTokens, Number.MAX_SAFE_INTEGER, 'tokens'),
    context: whole('trainContext', trainContext ?? known, MAX_TOKENS, 'tokens'),
    utilisation,
    hourPrice: hourPrice === undefined ? null : amount('hourPrice', hourPrice, 'a price'),
  }
}

function whole(name: string, value: number, most: number, of: string): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value
  throw new OptionError(
    `${name} is ${shown(value)}; expected a whole number of ${of} from 1 to ${most.toLocaleString('en-GB')}.`,
  )
}

function amount(name: string, value: number, of = 'a number of bytes'): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0 && value <= Number.MAX_SAFE_INTEGER) return value
  throw new OptionError(`${name} is ${shown(value)}; expected ${of} above 0.`)
}

function shown(value: unknown): string {
  return typeof value === 'number' ? value.toLocaleString('en-GB') : (JSON.stringify(value) ?? String(value))
}
