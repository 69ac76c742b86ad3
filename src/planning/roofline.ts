/**
 * How long a step takes at least: the longer of reading its bytes and doing its products, each at the machine's peak.
 * Links between ranks are not counted.
 */
import type { CacheFormat } from './cache-format.ts'
import { type AttentionPathName, attentionFlops, decodeReadBytes, linearFlops, smallOperations } from './costs.ts'
import type { Machine } from './machines.ts'
import { type LayerKind, layerCount, type PlanModel } from './plan-model.ts'
import { tensorBytes, type WeightFormat } from './weight-format.ts'
import { weightParts } from './weight-parts.ts'
import { touched } from './weights.ts'

/** The bound everything else refines: steps per second when a step reads so many bytes. */
export function stepsPerSecond(bandwidth: number, weightBytes: number, cacheBytes: number): number {
  return bandwidth / (weightBytes + cacheBytes)
}

/** What one rank does in a step. */
export interface StepWork {
  /** Bytes of weights read: of experts those that the batch's tokens choose when routing has no favourites. */
  readonly weightBytes: number
  /** The same if all tokens chose the same experts. */
  readonly leastWeightBytes: number
  /** Bytes of cache read; in prefill, written and read. */
  readonly cacheBytes: number
  /** FLOPs of products with weights. */
  readonly linearFlops: number
  /** FLOPs of attention. */
  readonly attentionFlops: number
  /** Number of layers. */
  readonly layers: number
  /** Small operations beside products and attention. */
  readonly operations: number
}

/** Lower bound of a step's time, or an estimate on a measured machine. */
export interface StepTime {
  /** Time of the step. */
  readonly seconds: number
  /** Time to read weights and cache; on a measured machine, weights only. */
  readonly memorySeconds: number
  /** Time of the products, attention included; null: the machine's FLOP/s are unknown. */
  readonly computeSeconds: number | null
  /** The longest component; `attention` and `overhead` on a measured machine only. */
  readonly limit: 'memory' | 'compute' | 'attention' | 'overhead'
}

export interface StepCase {
  readonly context: number
  /** Sequences of this rank. */
  readonly batch: number
  /** Sequences whose tokens this rank's experts see: all, where experts are divided over all ranks. */
  readonly expertBatch: number
  readonly cache: CacheFormat
  readonly weights: WeightFormat
  /** Files may mix types: their bytes for what a token reads, as a multiple of what is counted from sizes. */
  readonly weightScale: number
  /** In place of what is counted: bytes of weights that a step reads. */
  readonly activeWeightBytes: number | null
}

/** What attention takes to decode one token of one sequence, absorbed where there are latents. */
export function attentionWork(layers: readonly LayerKind[], cache: CacheFormat, context: number) {
  return {
    cacheBytes: decodeReadBytes(layers, cache, context),
    flops: attentionFlops(layers, 'absorbed', { before: context - 1, count: 1 }),
  }
}

/** One token for each sequence. */
export function decodeWork(model: PlanModel, c: StepCase): StepWork {
  const linear = linearFlops(model)
  const attention = attentionWork(model.layers, c.cache, c.context)
  return {
    weightBytes: weightReads(model, c, c.batch, c.expertBatch),
    leastWeightBytes: weightReads(model, c, 1),
    cacheBytes: c.batch * attention.cacheBytes,
    linearFlops: c.batch * (linear.body + linear.output) + c.expertBatch * linear.experts,
    attentionFlops: c.batch * attention.flops,
    layers: layerCount(model.layers),
    operations: smallOperations(model),
  }
}

/** A prompt of `context` tokens for each sequence, from nothing, and its last token's logits. */
export function prefillWork(model: PlanModel, c: StepCase, path: AttentionPathName): StepWork {
  const linear = linearFlops(model)
  const attention = attentionFlops(model.layers, path, { before: 0, count: c.context })
  const weightBytes = weightReads(model, c, c.batch * c.context, c.expertBatch * c.context)
  return {
    weightBytes,
    leastWeightBytes: weightBytes,
    // Written, and read at least once.
    cacheBytes: 2 * c.batch * decodeReadBytes(model.layers, c.cache, c.context),
    linearFlops: c.batch * (c.context * linear.body + linear.output) + c.expertBatch * c.context * linear.experts,
    attentionFlops: c.batch * attention,
    layers: layerCount(model.layers),
    operations: smallOperations(model),
  }
}

/** The path with fewer FLOPs for a whole prompt. */
export function prefillPath(model: PlanModel, context: number): AttentionPathName {
  const span = { before: 0, count: context }
  const [expanded, absorbed] = (['expanded', 'absorbed'] as const).map(p => attentionFlops(model.layers, p, span))
  return (expanded as number) <= (absorbed as number) ? 'expanded' : 'absorbed'
}

export interface TimeOptions {
  /** Products with weights run at the machine's 8-bit rate, where it has one; attention stays at 16 bits. */
  readonly eightBit: boolean
  /** As if all tokens of the batch chose the same experts. Default false. */
  readonly leastWeights?: boolean
}

export function stepTime(work: StepWork, machine: Machine, { eightBit, leastWeights }: TimeOptions): StepTime {
  const weightBytes = leastWeights ? work.leastWeightBytes : work.weightBytes
  const memorySeconds = 1 / stepsPerSecond(machine.bandwidth, weightBytes, work.cacheBytes)
  const { flops, flops8 } = machine
  const linearRate = (eightBit ? flops8 : undefined) ?? flops
  const computeSeconds =
    flops === null || linearRate === null ? null : work.linearFlops / linearRate + work.attentionFlops / flops
  if (machine.measured) return measuredTime(work, machine, weightBytes)
  const seconds = Math.max(memorySeconds, computeSeconds ?? 0)
  return { seconds, memorySeconds, computeSeconds, limit: seconds > memorySeconds ? 'compute' : 'memory' }
}

/** The parts of a step run one after the other: products as fast as weights are read or multiplied, then the rest. */
function measuredTime(work: StepWork, { bandwidth, flops, measured }: Machine, weightBytes: number): StepTime {
  const { attentionFlops, attentionSeconds, operationSeconds, stepSeconds } = measured as NonNullable<
    Machine['measured']
  >
  const memorySeconds = weightBytes / bandwidth
  const linear = flops === null ? 0 : work.linearFlops / flops
  const attention = work.attentionFlops / attentionFlops + work.layers * attentionSeconds
  const overhead = work.operations * operationSeconds + stepSeconds
  const parts = { memory: memorySeconds, compute: linear > memorySeconds ? linear : 0, attention, overhead }
  const [limit] = Object.entries(parts).sort((a, b) => b[1] - a[1])[0] as [StepTime['limit'], number]
  const seconds = Math.max(memorySeconds, linear) + attention + overhead
  return { seconds, memorySeconds, computeSeconds: linear + attention, limit }
}

type ReadCase = Pick<StepCase, 'weights' | 'weightScale' | 'activeWeightBytes'>

/** Bytes of weights that a step over `tokens` tokens reads, experts seeing `expertTokens`. */
export function weightReads(model: PlanModel, c: ReadCase, tokens: number, expertTokens = tokens): number {
  if (c.activeWeightBytes !== null) return c.activeWeightBytes
  const read = weightParts(model, { draft: false }).reduce(
    (bytes, p) => bytes + touched(p, p.experts ? expertTokens : tokens) * tensorBytes(p, c.weights),
    0,
  )
  return Math.round(read * c.weightScale)
}
