/** How many weights there are, how many of them a token uses, and the bytes of both. */
import type { PlanModel } from './plan-model.ts'
import { tensorBytes, type WeightFormat, weightFormat } from './weight-format.ts'
import { type PartOptions, type WeightPart, weightParts } from './weight-parts.ts'

export interface WeightCount {
  readonly parameters: number
  /** Read for one token: of the experts the chosen ones, of an embedding one row. */
  readonly activeParameters: number
}

export function countWeights(model: PlanModel, options: PartOptions): WeightCount {
  const parts = weightParts(model, options)
  const size = (p: WeightPart) => p.rows * p.cols
  return {
    parameters: sum(parts, p => p.count * size(p)),
    activeParameters: sum(parts, p => touched(p, 1) * size(p)),
  }
}

export interface WeightBytes {
  readonly bytes: number
  /** Read in a step that decodes one token. */
  readonly activeBytes: number
}

export function weightBytesOf(parts: readonly WeightPart[], format: WeightFormat, batch = 1): WeightBytes {
  return {
    bytes: sum(parts, p => p.count * tensorBytes(p, format)),
    activeBytes: Math.round(sum(parts, p => touched(p, batch) * tensorBytes(p, format))),
  }
}

/** The model's own weights: as its files have them where there are files, else in `dtype` or the published type. */
export function modelWeightBytes(model: PlanModel, dtype: string | undefined, options: PartOptions): WeightBytes {
  const { stored } = model
  if (stored && dtype === undefined) return { ...stored, bytes: options.draft ? stored.fileBytes : stored.bytes }
  return weightBytesOf(weightParts(model, options), weightFormat(dtype ?? model.weightDtype))
}

/** Tensors of this kind that a step over `batch` tokens reads, on average when routing has no favourites. */
export function touched(part: WeightPart, batch: number): number {
  if (part.ofSource) return 0
  if (part.role === 'lookup') return (part.count * Math.min(batch, part.rows)) / part.rows
  if (part.experts === null) return part.count
  const { of, take } = part.experts
  return (part.count * expectedExperts(of, take, batch)) / of
}

/** Of `of` experts, how many are chosen at least once when each of `batch` tokens chooses `take` of them evenly. */
export function expectedExperts(of: number, take: number, batch: number): number {
  return batch === 1 ? take : of * (1 - (1 - take / of) ** batch)
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((n, item) => n + of(item), 0)
}
