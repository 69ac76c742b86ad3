/** Errors across the thread border: an error of ours arrives as an instance of its own class. */
import { errorClass, LatentkitError } from '../../errors.ts'
import { sentence } from '../../printable.ts'
import type { WireError } from '../types/protocol.ts'

const STANDARD = ['name', 'message', 'code', 'stack', 'cause']

export function toWire(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: null, stack: null, fields: {} }
  const code = error instanceof LatentkitError ? error.code : null
  const plain = Object.entries(error).filter(([key, value]) => !STANDARD.includes(key) && Object(value) !== value)
  const { name, stack = null } = error
  // Of other errors' messages nobody has taken care.
  const message = code === null ? sentence(error.message, { lines: true }) : error.message
  return { name, message, code, stack, fields: Object.fromEntries(plain) }
}

/** The same class, message, code and fields; the stack is the one of the other side, where the error arose. */
export function fromWire({ name, message, code, stack, fields }: WireError): Error {
  const error = code === null ? new Error(message) : new LatentkitError(code, message, { lines: true })
  const known = errorClass(name)
  // Their constructors compose messages of their own; the message is already composed.
  if (code !== null && known) Object.setPrototypeOf(error, known.prototype)
  Object.assign(error, fields, { name })
  if (stack !== null) error.stack = stack
  return error
}
