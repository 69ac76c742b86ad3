import { LatentkitError } from '../errors.ts'

/** A prompt that does not fit the session's context. */
export class ContextLengthError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('context_length', message, options)
  }
}

/** Kernels that were asked for by name and cannot be had here. */
export class KernelsUnavailableError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('kernels_unavailable', message, options)
  }
}

/** The thread that runs the model ended unexpectedly; the engine is lost, another can be loaded. */
export class WorkerError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('worker', message, options)
  }
}

/** A session's file that cannot be written or read, or is damaged. */
export class SessionFileError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('bad_session_file', message, options)
  }
}

/** A session's file that is whole, but of another model or another arithmetic. */
export class SessionMismatchError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('session_mismatch', message, options)
  }
}
