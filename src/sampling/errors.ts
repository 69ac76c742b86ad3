import { defineError, type LatentkitError } from '../errors.ts'

/** Logits no token can be drawn from: not numbers, or everything masked. */
export const SamplingError = defineError('SamplingError', 'bad_logits')
export type SamplingError = LatentkitError
