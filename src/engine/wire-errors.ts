/** Errors across the thread border: an error of ours arrives as an instance of its own class. */
import { CacheFullError } from '../cache/pool.ts'
import { HubError } from '../checkpoint/hub/hub-error.ts'
import {
  CheckpointError,
  ConfigError,
  DisposedError,
  LatentkitError,
  OptionError,
  OutOfMemoryError,
  UnsupportedModelError,
} from '../errors.ts'
import { SamplingError } from '../sampling/errors.ts'
import { TemplateError, TokenizerError } from '../tokenizer/errors.ts'
import { ContextLengthError, KernelsUnavailableError, SessionFileError, SessionMismatchError } from './errors.ts'
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
  SessionFileError,
  SessionMismatchError,
  HubError,
  TokenizerError,
  TemplateError,
  SamplingError,
]

const STANDARD = ['name', 'message', 'code', 'stack', 'cause']

export function toWire(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: null, stack: null, fields: {} }
  const code = error instanceof LatentkitError ? error.code : null
  const plain = Object.entries(error).filter(([key, value]) => !STANDARD.includes(key) && Object(value) !== value)
  const { name, message, stack = null } = error
  return { name, message, code, stack, fields: Object.fromEntries(plain) }
}

/** The same class, message, code and fields; the stack is the one of the other side, where the error arose. */
export function fromWire({ name, message, code, stack, fields }: WireError): Error {
  const error = code === null ? new Error(message) : new LatentkitError(code, message)
  const known = CLASSES.find(c => c.name === name)
  // Their constructors compose messages of their own; the message is already composed.
  if (code !== null && known) Object.setPrototypeOf(error, known.prototype)
  Object.assign(error, fields, { name })
  if (stack !== null) error.stack = stack
  return error
}
