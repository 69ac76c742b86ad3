import { LatentkitError, registerError } from '../../errors.ts'

export type HubErrorCode =
  /** No such model, revision or file, here or there. */
  | 'model_not_found'
  /** The hub wants a token, or the token's owner has not accepted the model's licence. */
  | 'hub_access_denied'
  /** There was no answer at all: no network, or a wrong address. */
  | 'hub_unreachable'
  /** The connection failed more often than it was worth trying, or the hub answered nonsense. */
  | 'download_failed'
  /** What came is not what was announced. */
  | 'download_corrupt'
  | 'disk_full'
  | 'cache_not_writable'

/** A model that cannot be had from the hub or its cache. */
export class HubError extends LatentkitError {
  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}
registerError('HubError', HubError)

/** A failure that may pass: a lost connection, a busy server. Never leaves this folder. */
export class TransientError extends Error {
  /** What the server asked for, in milliseconds. */
  readonly retryAfter: number

  constructor(message: string, retryAfter = 0, options?: ErrorOptions) {
    super(message, options)
    this.retryAfter = retryAfter
  }
}
