import { LatentkitError, registerError } from '../../errors.ts'

/** The `code` of a `HubError`. */
export type HubErrorCode =
  /** No such model, revision or file, in the cache or on the hub. */
  | 'model_not_found'
  /** The hub wants a token, or the token's owner has not accepted the model's licence. */
  | 'hub_access_denied'
  /** No response at all: no network, or a wrong address. */
  | 'hub_unreachable'
  /** All attempts failed, or the hub's response makes no sense. */
  | 'download_failed'
  /** The downloaded file differs from the announced size or checksum. */
  | 'download_corrupt'
  /** No room for the downloaded files. */
  | 'disk_full'
  /** The cache's folder cannot be created or written. */
  | 'cache_not_writable'
  /** A model that is to be removed is being downloaded. */
  | 'download_running'

/** A model could not be obtained from the hub or its cache. */
export class HubError extends LatentkitError {
  constructor(code: HubErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}
registerError('HubError', HubError)

/** A failure that may pass: a lost connection, a busy server. Used inside this folder only. */
export class TransientError extends Error {
  /** The pause that the server asked for, in milliseconds. */
  readonly retryAfter: number

  constructor(message: string, retryAfter = 0, options?: ErrorOptions) {
    super(message, options)
    this.retryAfter = retryAfter
  }
}
