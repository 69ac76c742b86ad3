import { defineError, type LatentkitError } from '../errors.ts'

/** A reference file cannot be written, read, or compared with this measurement. */
export const ReferenceFileError = defineError('ReferenceFileError', 'bad_reference')
export type ReferenceFileError = LatentkitError

/** A file of questions cannot be read as such. Names its line, what was met and what was expected. */
export const EvaluationError = defineError('EvaluationError', 'bad_evaluation')
export type EvaluationError = LatentkitError
