import { LatentkitError, registerError } from '../errors.ts'

/**
 * An output that cannot be written. `code`: `output_exists`, `same_file`, `in_use`, `disk_full`, `not_writable`. What was there
 * before is as it was.
 */
export class ConversionError extends LatentkitError {
  constructor(
    code: 'output_exists' | 'same_file' | 'in_use' | 'disk_full' | 'not_writable',
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options)
  }
}
registerError('ConversionError', ConversionError)
