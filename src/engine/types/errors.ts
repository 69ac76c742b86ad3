import { defineError, LatentkitError, registerError } from '../../errors.ts'

/** A prompt that does not fit the session's context, or a session's file that does not. */
export class ContextLengthError extends LatentkitError {
  /** Tokens that the session would hold with the prompt; absent for a session's file. */
  readonly tokens?: number
  /** Tokens that the session may hold; absent for a session's file. */
  readonly contextLength?: number

  constructor(
    message: string,
    options: ErrorOptions & { readonly tokens?: number; readonly contextLength?: number } = {},
  ) {
    super('context_length', message, options)
    const { tokens, contextLength } = options
    if (tokens !== undefined) this.tokens = tokens
    if (contextLength !== undefined) this.contextLength = contextLength
  }
}
registerError('ContextLengthError', ContextLengthError)

/** Kernels that were asked for by name and cannot be had here. */
export const KernelsUnavailableError = defineError('KernelsUnavailableError', 'kernels_unavailable')
export type KernelsUnavailableError = LatentkitError

/**
 * The thread that runs the model cannot start, ended unexpectedly, or was stuck and given up. Its sessions are lost; an engine that
 * had loaded goes on in a new thread.
 */
export const WorkerError = defineError('WorkerError', 'worker')
export type WorkerError = LatentkitError

/** A session's file that cannot be written or read, or is damaged. */
export const SessionFileError = defineError('SessionFileError', 'bad_session_file')
export type SessionFileError = LatentkitError

/** A session's file that is whole, but of another model or another arithmetic. */
export const SessionMismatchError = defineError('SessionMismatchError', 'session_mismatch')
export type SessionMismatchError = LatentkitError
