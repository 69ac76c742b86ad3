import { defineError, type LatentkitError } from '../errors.ts'

/** No token can be drawn from these logits: some are NaN or infinite, or all are masked. */
export const SamplingError = defineError('SamplingError', 'bad_logits')
export type SamplingError = LatentkitError
