/** Everything that programs may use. */

export type { AttentionPath } from './attention/path.ts'
export type { CacheCheck, CachedModel } from './cache/disk/manage.ts'
export { CacheFullError } from './cache/pool.ts'
export type { CacheTypeName } from './cache/types.ts'
export { bundledModel } from './checkpoint/bundled-model.ts'
export { HubError } from './checkpoint/hub/hub-error.ts'
export type { Conversion, ConvertOptions } from './conversion/convert.ts'
export { ConversionError } from './conversion/errors.ts'
export { convertModel } from './conversion/on-demand.ts'
export { chooseKernels, type KernelOptions } from './engine/choose-kernels.ts'
export { Engine } from './engine/engine.ts'
export {
  ContextLengthError,
  KernelsUnavailableError,
  SessionFileError,
  SessionMismatchError,
  WorkerError,
} from './engine/errors.ts'
export type { Inspection, InspectOptions } from './engine/inspect.ts'
export {
  cachedModels,
  inspectModel,
  inspectSession,
  makeExpected,
  openTokenizer,
  removeCached,
  verifyCached,
  verifyFolder,
} from './engine/on-demand.ts'
export type * from './engine/options.ts'
export type * from './engine/results.ts'
export type { SessionInspection } from './engine/saved/inspect-session.ts'
export { type Continuation, Session } from './engine/session.ts'
export type { MadeExpected, MakeExpectedOptions } from './engine/verify/make.ts'
export type { RivalAgreement } from './engine/verify/rival.ts'
export type { Agreement, Arithmetic, VerifyRow } from './engine/verify/row.ts'
export type { Prefill } from './engine/verify/run.ts'
export type { VerifyOptions, VerifyReport } from './engine/verify/verify.ts'
export {
  CheckpointError,
  ConfigError,
  DisposedError,
  LatentkitError,
  ModelFileChangedError,
  OptionError,
  OutOfMemoryError,
  UnsupportedModelError,
} from './errors.ts'
export type { Divergence, KlQuantile } from './evaluation/comparison.ts'
export { ReferenceFileError } from './evaluation/errors.ts'
export type { PerplexityReport, WindowProgress, WindowResult } from './evaluation/measure.ts'
export { measurePerplexity } from './evaluation/on-demand.ts'
export type { PerplexityOptions } from './evaluation/perplexity.ts'
export type { Estimate } from './evaluation/statistics.ts'
export type { WindowOptions } from './evaluation/windows.ts'
export type { EncodableType } from './kernels/blocks/numbers.ts'
export * from './planning/index.ts'
export { measureMachine, readPlanModel } from './planning/on-demand.ts'
export { SamplingError } from './sampling/errors.ts'
export type { Logprobs, TokenLogprob } from './sampling/logprobs.ts'
export { TemplateError } from './templates/errors.ts'
export { TokenizerError } from './tokenizer/errors.ts'
export type { Tokenizer } from './tokenizer/tokenizer.ts'
export { VERSION } from './version.ts'
