import { defineError, type LatentkitError } from '../errors.ts'

/** A reference file cannot be written, read, or compared with this measurement. */
export const ReferenceFileError = defineError('ReferenceFileError', 'bad_reference')
export type ReferenceFileError = LatentkitError
