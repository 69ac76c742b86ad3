/** Errors across the thread border: an error of ours arrives as an instance of its own class. */
import { CacheFullError } from '../cache/pool.ts'
import {
  CheckpointError,
  ConfigError,
  DisposedError,
  LatentkitError,
  OptionError,
  OutOfMemoryError,
  UnsupportedModelError,
} from '../errors.ts'
import { ContextLengthError, KernelsUnavailableError } from './errors.ts'
import type { WireError } from './protocol.ts'

const CLASSES = [
  CheckpointError,
  ConfigError,
  UnsupportedModelError,
  OptionError,
  OutOfMemoryError,
  DisposedError,
  CacheFullError,
  ContextLengthError,
  KernelsUnavailableError,
]

export function toWire(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: null, stack: null }
  const code = error instanceof LatentkitError ? error.code : null
  return { name: error.name, message: error.message, code, stack: error.stack ?? null }
}

/** The same class, message and code; the stack is the one of the other side, where the error arose. */
export function fromWire({ name, message, code, stack }: WireError): Error {
  const error = code === null ? new Error(message) : new LatentkitError(code, message)
  const known = CLASSES.find(c => c.name === name)
  // Their constructors compose messages of their own; the message is already composed.
  if (code !== null && known) Object.setPrototypeOf(error, known.prototype)
  error.name = name
  if (stack !== null) error.stack = stack
  return error
}
