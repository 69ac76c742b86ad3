/** Everything that programs may use. */

export type { CacheCheck, CachedModel } from './cache/disk/manage.ts'
export { CacheFullError } from './cache/pool.ts'
export type { CacheTypeName } from './cache/types.ts'
export { bundledModel } from './checkpoint/find/bundled-model.ts'
export { HubError } from './checkpoint/hub/hub-error.ts'
export type { Conversion, ConvertOptions } from './conversion/convert.ts'
export { ConversionError } from './conversion/errors.ts'
export { convertModel } from './conversion/lazy.ts'
export { type Continuation, Session } from './engine/api/session.ts'
export { Engine } from './engine/host/node/engine.ts'
export { chooseKernels } from './engine/host/node/kernels.ts'
export type { SessionInspection } from './engine/saved/inspect-session.ts'
export {
  ContextLengthError,
  KernelsUnavailableError,
  SessionFileError,
  SessionMismatchError,
  WorkerError,
} from './engine/types/errors.ts'
export type * from './engine/types/options.ts'
export type { KernelOptions } from './engine/types/platform.ts'
export type * from './engine/types/results.ts'
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
export { measurePerplexity } from './evaluation/lazy.ts'
export type { PerplexityReport, WindowProgress, WindowResult } from './evaluation/measure.ts'
export type { PerplexityOptions } from './evaluation/perplexity.ts'
export type { Estimate } from './evaluation/statistics.ts'
export type { WindowOptions } from './evaluation/windows.ts'
export type { Inspection, InspectOptions } from './inspection/inspect.ts'
export {
  cachedModels,
  inspectModel,
  inspectSession,
  makeExpected,
  openTokenizer,
  removeCached,
  verifyCached,
  verifyFolder,
} from './inspection/lazy.ts'
export type { MadeExpected, MakeExpectedOptions } from './inspection/verify/make.ts'
export type { RivalAgreement } from './inspection/verify/rival.ts'
export type { Agreement, Arithmetic, VerifyRow } from './inspection/verify/row.ts'
export type { Prefill } from './inspection/verify/run.ts'
export type { VerifyOptions, VerifyReport } from './inspection/verify/verify.ts'
export type { AttentionPath } from './nn/attention/path.ts'
export * from './planning/index.ts'
export { measureMachine, readPlanModel } from './planning/lazy.ts'
export type { EncodableType } from './quant/numbers.ts'
export { SamplingError } from './sampling/errors.ts'
export type { Logprobs, TokenLogprob } from './sampling/logprobs.ts'
export { TemplateError } from './templates/errors.ts'
export { TokenizerError } from './tokenizer/errors.ts'
export type { Tokenizer } from './tokenizer/tokenizer.ts'
export { VERSION } from './version.ts'
