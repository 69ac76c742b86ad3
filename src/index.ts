/** Everything that programs may use. */

export type { AttentionPath } from './attention/path.ts'
export { CacheFullError } from './cache/pool.ts'
export { Engine } from './engine/engine.ts'
export { ContextLengthError, KernelsUnavailableError, WorkerError } from './engine/errors.ts'
export { Session } from './engine/session.ts'
export type * from './engine/types.ts'
export {
  CheckpointError,
  ConfigError,
  DisposedError,
  LatentkitError,
  OptionError,
  OutOfMemoryError,
  UnsupportedModelError,
} from './errors.ts'
export type { CacheType } from './tensor/dtype.ts'
export { VERSION } from './version.ts'
