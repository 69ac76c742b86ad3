/**
 * What one does with models beside running them: `latentkit/tools`. Looks at models, sessions and caches, compares numbers,
 * measures, converts. Each tool's code is read at its first call.
 */

export type { CacheCheck, CachedModel } from './cache/stored/manage.ts'
export type { Conversion, ConvertOptions } from './conversion/convert.ts'
export { ConversionError } from './conversion/errors.ts'
export { convertModel } from './conversion/lazy.ts'
export type { TypeSummary } from './conversion/written.ts'
export { chooseKernels } from './engine/host/node/kernels.ts'
export type { ChosenKernels } from './engine/load/choose-kernels.ts'
export type { SessionInspection } from './engine/saved/inspect-session.ts'
export type { KernelOptions } from './engine/types/platform.ts'
export type { Divergence, KlQuantile } from './evaluation/comparison.ts'
export { EvaluationError, ReferenceFileError } from './evaluation/errors.ts'
export { measureHellaswag, measurePerplexity } from './evaluation/lazy.ts'
export type { PerplexityReport, WindowProgress, WindowResult } from './evaluation/measure.ts'
export type { HellaswagOptions, HellaswagProgress, HellaswagReport } from './evaluation/measure-hellaswag.ts'
export type { PerplexityOptions } from './evaluation/perplexity.ts'
export type { Estimate } from './evaluation/statistics.ts'
export type { WindowOptions } from './evaluation/windows.ts'
export type { CacheNeeds, DTypeSummary, Inspection, InspectOptions, TensorSummary } from './inspection/inspect.ts'
export {
  cachedModels,
  inspectModel,
  inspectSession,
  makeExpected,
  removeCached,
  verifyCached,
  verifyFolder,
} from './inspection/lazy.ts'
export type { MadeExpected, MakeExpectedOptions } from './inspection/verify/make.ts'
export type { RivalAgreement } from './inspection/verify/rival.ts'
export type { Agreement, Arithmetic, VerifyRow } from './inspection/verify/row.ts'
export type { Prefill } from './inspection/verify/run.ts'
export type { SelectionErrors } from './inspection/verify/selection.ts'
export type { VerifyOptions, VerifyReport } from './inspection/verify/verify.ts'
export { latentifyModel } from './latentify/lazy.ts'
export type { Measured } from './latentify/measure.ts'
export type { LatentifyOptions, LatentifyProgress } from './latentify/options.ts'
export type { Healing, Latentification, Measurement } from './latentify/result.ts'
export type { Trial } from './latentify/trials.ts'
export { measureMachine, readPlanModel } from './planning/lazy.ts'
