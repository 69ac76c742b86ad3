/** Everything that programs may use. */

export type { AttentionPath } from './attention/path.ts'
export { CacheFullError } from './cache/pool.ts'
export { HubError } from './checkpoint/hub/hub-error.ts'
export { hubSettings } from './checkpoint/hub/options.ts'
export { chooseKernels, type KernelOptions } from './engine/choose-kernels.ts'
export { Engine } from './engine/engine.ts'
export { ContextLengthError, KernelsUnavailableError, WorkerError } from './engine/errors.ts'
export type { Inspection, InspectOptions } from './engine/inspect.ts'
export { inspectModel, openTokenizer, verifyFolder } from './engine/on-demand.ts'
export { Session } from './engine/session.ts'
export type * from './engine/types.ts'
export type { Prefill } from './engine/verify/run.ts'
export type { VerifyOptions, VerifyReport, VerifyRow } from './engine/verify/verify.ts'
export {
  CheckpointError,
  ConfigError,
  DisposedError,
  LatentkitError,
  OptionError,
  OutOfMemoryError,
  UnsupportedModelError,
} from './errors.ts'
export type { CacheKind } from './planning/cache-bytes.ts'
export { CACHE_FORMATS } from './planning/cache-format.ts'
export type { Comparison } from './planning/compare.ts'
export { type Machine, machineNamed, machines } from './planning/machines.ts'
export { measureMachine, readPlanModel } from './planning/on-demand.ts'
export type { PlanOptions } from './planning/options.ts'
export { type Plan, plan } from './planning/plan.ts'
export type { PlanModel } from './planning/plan-model.ts'
export { type Published, published, publishedModel } from './planning/published/index.ts'
export { PARAMETERS } from './planning/published/parameters.ts'
export { planModelFromJson } from './planning/read/json.ts'
export { planModelFromConfig } from './planning/read/model-config.ts'
export { stepsPerSecond } from './planning/roofline.ts'
export { type SmallestRanks, smallestRanks } from './planning/smallest-ranks.ts'
export { WEIGHT_FORMATS } from './planning/weight-format.ts'
export { WHAT_IFS, whatIf } from './planning/what-if.ts'
export { SamplingError } from './sampling/errors.ts'
export type { CacheType } from './tensor/dtype.ts'
export { TemplateError, TokenizerError } from './tokenizer/errors.ts'
export type { Tokenizer } from './tokenizer/tokenizer.ts'
export { VERSION } from './version.ts'
