import { LatentkitError } from '../errors.ts'

/** A reference that cannot be written, read, or compared with what is measured. */
export class ReferenceFileError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('bad_reference', message, options)
  }
}
