import { defineError, type LatentkitError } from '../errors.ts'

/** A prompt that does not fit the session's context. */
export const ContextLengthError = defineError('ContextLengthError', 'context_length')
export type ContextLengthError = LatentkitError

/** Kernels that were asked for by name and cannot be had here. */
export const KernelsUnavailableError = defineError('KernelsUnavailableError', 'kernels_unavailable')
export type KernelsUnavailableError = LatentkitError

/** The thread that runs the model ended unexpectedly; the engine is lost, another can be loaded. */
export const WorkerError = defineError('WorkerError', 'worker')
export type WorkerError = LatentkitError

/** A session's file that cannot be written or read, or is damaged. */
export const SessionFileError = defineError('SessionFileError', 'bad_session_file')
export type SessionFileError = LatentkitError

/** A session's file that is whole, but of another model or another arithmetic. */
export const SessionMismatchError = defineError('SessionMismatchError', 'session_mismatch')
export type SessionMismatchError = LatentkitError
