import { defineError, type LatentkitError } from '../errors.ts'

/** A reference that cannot be written, read, or compared with what is measured. */
export const ReferenceFileError = defineError('ReferenceFileError', 'bad_reference')
export type ReferenceFileError = LatentkitError
