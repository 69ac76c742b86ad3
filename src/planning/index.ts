/** The planner alone, for browsers and edges: `latentkit/planning`. Nothing here touches a disk, a network or a clock. */

export type {
  AttentionShape,
  BiasShape,
  DenseShape,
  GroupedShape,
  IndexerShape,
  LatentShape,
  LayerDescriptor,
  ModelShape,
  MoeShape,
  NormShape,
  OwnWeight,
  StateShape,
  Unknown,
} from '../families/descriptor.ts'
export type { CacheKind } from './cache-bytes.ts'
export { CACHE_FORMATS, type RowSegment } from './cache-format.ts'
export type { Comparison } from './compare.ts'
export type { CacheFormula, EquivalentGroups } from './formulas.ts'
export { type Machine, machineNamed, machines } from './machines.ts'
export type { PlanOptions } from './options.ts'
export { type PathsPlan, type Plan, plan, type Timed } from './plan.ts'
export type { CachePlan, MemoryPlan, WeightsPlan } from './plan-memory.ts'
export type { LayerKind, PlanEncoder, PlanModel, StoredWeights } from './plan-model.ts'
export type { TrainingPlan } from './plan-training.ts'
export { type Published, published, publishedModel } from './published/index.ts'
export { PARAMETERS } from './published/parameters.ts'
export type { Ranks } from './ranks.ts'
export { planModelFromJson } from './read/json.ts'
export { type ConfigSource, planModelFromConfig } from './read/model-config.ts'
export { type StepTime, type StepWork, stepsPerSecond } from './roofline.ts'
export { type SmallestPipeline, type SmallestRanks, smallestPipeline, smallestRanks } from './smallest-ranks.ts'
export type { Stage } from './stages.ts'
export { WEIGHT_FORMATS } from './weight-format.ts'
export { WHAT_IFS, type WhatIf, whatIf } from './what-if.ts'
