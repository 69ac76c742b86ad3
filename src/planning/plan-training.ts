/** What it takes to train a model on a number of tokens: operations, and with a machine hours and money. */
import { OptionError } from '../errors.ts'
import { attentionFlops, linearFlops } from './costs.ts'
import type { Machine } from './machines.ts'
import type { CheckedOptions, TrainingOptions } from './options.ts'
import type { PlanModel } from './plan-model.ts'
import { countWeights } from './weights.ts'

/** A training run of a plan. */
export interface TrainingPlan {
  /** Tokens that are read. */
  readonly tokens: number
  /** Tokens of each text, which decide what attention takes. */
  readonly context: number
  /** FLOPs of products with weights, forward and backward. */
  readonly linearFlops: number
  /** FLOPs of attention, expanded, forward and backward. */
  readonly attentionFlops: number
  /** Both together. */
  readonly flops: number
  /** The rule of thumb: 6 × weights that a token uses × tokens. It leaves attention out. */
  readonly sixNd: number
  /** Share of the machine's dense 16-bit peak that is reached; null without a machine. */
  readonly utilisation: number | null
  /** Hours of one device; null without a machine whose FLOP/s are known. */
  readonly deviceHours: number | null
  /** Price of an hour of one device; null unless given. */
  readonly hourPrice: number | null
  /** deviceHours × hourPrice; null unless both are there. */
  readonly cost: number | null
}

/** A forward pass, and a backward pass for inputs and weights, of two products for each of one. */
const PASSES = 3

export function planTraining(
  model: PlanModel,
  o: Pick<CheckedOptions, 'draft' | 'machine'>,
  training: TrainingOptions,
): TrainingPlan {
  const { tokens, context, utilisation, hourPrice } = training
  const trained = o.draft ? { ...model, layers: [...model.layers, ...model.draftLayers] } : model
  const { body, experts, output } = linearFlops(trained)
  // Each module of multi-token prediction projects to the vocabulary once more.
  const modules = o.draft ? model.draftLayers.reduce((n, l) => n + l.count, 0) : 0
  const linear = PASSES * tokens * (body + experts + output * (1 + modules))
  const attention =
    (PASSES * tokens * attentionFlops(trained.layers, 'expanded', { before: 0, count: context })) / context
  const flops = linear + attention
  const deviceHours = hoursOf(flops, o.machine, utilisation)
  return {
    tokens,
    context,
    linearFlops: linear,
    attentionFlops: attention,
    flops,
    sixNd: 6 * countWeights(model, { draft: o.draft }).activeParameters * tokens,
    utilisation: deviceHours === null ? null : utilisation,
    deviceHours,
    hourPrice,
    cost: deviceHours === null || hourPrice === null ? null : deviceHours * hourPrice,
  }
}

function hoursOf(flops: number, machine: Machine | null, utilisation: number): number | null {
  if (machine === null) return null
  if (machine.flops === null) {
    throw new OptionError(`${machine.title} is not known by its FLOP/s; a machine for training needs them.`)
  }
  return flops / (machine.flops * utilisation) / 3600
}
