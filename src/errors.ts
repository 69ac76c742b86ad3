/**
 * Errors at the boundaries. Each says what was met, what was expected and what to do;
 * the message is one sentence a user can act on, `code` is stable for programs.
 */
export class LatentkitError extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
  }
}

/** A checkpoint file that is truncated, inconsistent or hostile. Names file, tensor, expected and actual. */
export class CheckpointError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('bad_checkpoint', message, options)
  }
}

/** A config.json with a field missing, of the wrong type or absurd. */
export class ConfigError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('bad_config', message, options)
  }
}

/** A model that latentkit does not run. Says what was met and what is supported. */
export class UnsupportedModelError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('unsupported_model', message, options)
  }
}

/** An option of the wrong kind or out of range. */
export class OptionError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('bad_option', message, options)
  }
}

/** Memory that cannot be had: WebAssembly's 4 GiB, or the system's. */
export class OutOfMemoryError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('out_of_memory', message, options)
  }
}

/** Something that was disposed of is used again. */
export class DisposedError extends LatentkitError {
  constructor(what: string) {
    super('disposed', `This ${what} has been disposed of; make a new one.`)
  }
}
