import { LatentkitError } from '../errors.ts'

/** Logits no token can be drawn from: not numbers, or everything masked. */
export class SamplingError extends LatentkitError {
  constructor(message: string, options?: ErrorOptions) {
    super('bad_logits', message, options)
  }
}
