import { sentence } from './printable.ts'

/**
 * Errors at the boundaries. Each says what was met, what was expected and what to do;
 * the message is one sentence a user can act on, `code` is stable for programs.
 * Text of files in a message is shown safely: at most 3,000 characters, control characters as `\u001b`.
 */
export class LatentkitError extends Error {
  /** Kind of the error, for programs; stable between versions. docs/api.md lists all codes. */
  readonly code: string

  /** `lines`: the message may have several lines. Default false: line breaks are shown as `\u000a`. */
  constructor(code: string, message: string, options?: ErrorOptions & { readonly lines?: boolean }) {
    super(sentence(message, options), options)
    this.name = new.target.name
    this.code = code
  }
}

/** A class of errors that have one code. */
export interface ErrorClass {
  /** `options.cause`: the error behind this one. */
  new (message: string, options?: ErrorOptions): LatentkitError
  /** For `instanceof`. */
  readonly prototype: LatentkitError
}

const CLASSES = new Map<string, { readonly prototype: LatentkitError }>()

/** A class of errors that differ from others of ours by name and code only. */
export function defineError(name: string, code: string): ErrorClass {
  return registerError(
    name,
    class extends LatentkitError {
      constructor(message: string, options?: ErrorOptions) {
        super(code, message, options)
      }
    },
  )
}

/** Makes a class known by its name, whatever a bundler calls it: errors that cross a thread keep their class. */
export function registerError<C extends { readonly prototype: LatentkitError }>(name: string, errorClass: C): C {
  Object.defineProperty(errorClass, 'name', { value: name })
  CLASSES.set(name, errorClass)
  return errorClass
}

/** The registered class of that name. A program can only ask for classes that it has loaded, so those suffice. */
export function errorClass(name: string): { readonly prototype: LatentkitError } | undefined {
  return CLASSES.get(name)
}

/** A checkpoint file that is truncated, inconsistent or hostile. Names file, tensor, expected and actual. */
export const CheckpointError = defineError('CheckpointError', 'bad_checkpoint')
export type CheckpointError = LatentkitError

/**
 * A file of the model was cut or overwritten while it was being read or while the kernels held it in memory. An engine
 * that meets this can compute nothing more: load the model again.
 */
export const ModelFileChangedError = defineError('ModelFileChangedError', 'model_file_changed')
export type ModelFileChangedError = LatentkitError

/** A config.json with a field missing, of the wrong type or absurd. */
export const ConfigError = defineError('ConfigError', 'bad_config')
export type ConfigError = LatentkitError

/** A model that latentkit does not run. Says what was met and what is supported. */
export const UnsupportedModelError = defineError('UnsupportedModelError', 'unsupported_model')
export type UnsupportedModelError = LatentkitError

/** An option of the wrong kind or out of range. */
export const OptionError = defineError('OptionError', 'bad_option')
export type OptionError = LatentkitError

/** Memory that cannot be had: beyond what WebAssembly addresses, or of the system. */
export const OutOfMemoryError = defineError('OutOfMemoryError', 'out_of_memory')
export type OutOfMemoryError = LatentkitError

/** Something that was disposed of is used again. */
export class DisposedError extends LatentkitError {
  constructor(what: string) {
    super('disposed', `This ${what} has been disposed of; make a new one.`)
  }
}
registerError('DisposedError', DisposedError)
