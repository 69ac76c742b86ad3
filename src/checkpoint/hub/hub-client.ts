import { setTimeout as sleep } from 'node:timers/promises'
import { OptionError } from '../../errors.ts'
import { isGgufName } from '../gguf/find-gguf.ts'
import { isModuleConfig } from '../sentence-transformers.ts'
import { HubError, TransientError } from './hub-error.ts'
import { isRepoFile, type ModelName } from './model-name.ts'
import { DEFAULT_ENDPOINT, type HubOptions } from './options.ts'

/** A file's description from the hub. */
export interface RemoteFile {
  readonly name: string
  readonly url: string
  readonly size: number
  /** 64 hex digits: sha256 of the file (LFS). 40: sha1 of the git object. */
  readonly etag: string
}

export interface RemoteModel {
  readonly commit: string
  /** Names of the files in the top folder, and paths of GGUF files and configs of modules below it. */
  readonly files: readonly string[]
}

const MAX_REDIRECTS = 10
/** Retries, and milliseconds per attempt, until the hub has answered once: a mistyped name should fail soon. */
const FIRST_CONTACT = { retries: 1, timeout: 10_000 }
const MAX_PAUSE = 30_000
/** Milliseconds. The hub counts requests over 5 minutes: a longer wait is reported instead. */
const MAX_ASKED_PAUSE = 300_000

/** The part of the hub's HTTP API that a download needs. */
export class HubClient {
  readonly endpoint: string
  readonly options: HubOptions
  #answered = false

  constructor(options: HubOptions) {
    this.endpoint = (options.endpoint ?? DEFAULT_ENDPOINT).replace(/\/+$/, '')
    if (!/^https?:\/\//.test(this.endpoint) || !URL.canParse(this.endpoint)) {
      throw new OptionError(`the hub's endpoint is ${JSON.stringify(options.endpoint)}; expected an http(s) address`)
    }
    this.options = options
  }

  /** Resolves a revision to its commit and lists the files. */
  async listFiles(name: ModelName): Promise<RemoteModel> {
    const url = `${this.endpoint}/api/models/${name.id}/revision/${encodeURIComponent(name.revision)}`
    return this.retrying(`asking for ${name.id}`, async signal => {
      const response = await this.request('GET', url, {}, signal)
      const body = await readBody(response)
      try {
        const { sha, siblings } = JSON.parse(body) as { sha: string; siblings: { rfilename: string }[] }
        if (!/^[0-9a-f]{40}$/.test(sha)) throw new TypeError(`the commit is ${String(sha)}`)
        // A name with ".." could leave the cache. In folders we need GGUF files and configs of modules only.
        const isWanted = (f: string) => isRepoFile(f) && (!f.includes('/') || isGgufName(f) || isModuleConfig(f))
        return { commit: sha, files: siblings.map(s => s.rfilename).filter(isWanted) }
      } catch (error) {
        throw new HubError('download_failed', `${url} did not answer like a hub: ${(error as Error).message}`)
      }
    })
  }

  /** Size and checksum of a file, from the hub's own response headers, not those of the store that it redirects to. */
  async fileInfo(name: ModelName, commit: string, file: string): Promise<RemoteFile> {
    const url = `${this.endpoint}/${name.id}/resolve/${commit}/${file.split('/').map(encodeURIComponent).join('/')}`
    return this.retrying(`asking for ${file}`, async signal => {
      const { headers } = await this.request('HEAD', url, {}, signal)
      const etag = (headers.get('x-linked-etag') ?? headers.get('etag') ?? '').replace(/^W\/|"/g, '')
      const size = Number(headers.get('x-linked-size') ?? headers.get('content-length') ?? NaN)
      if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag) || !Number.isSafeInteger(size) || size < 0) {
        const met = `ETag "${etag}", size ${size}`
        throw new HubError('download_failed', `${url} has ${met}; expected a SHA-1 or SHA-256 and a size`)
      }
      return { name: file, url, size, etag }
    })
  }

  /**
   * One request. Follows redirects itself: the token must not leave the endpoint's origin, and a HEAD stops at the
   * response with checksum and size. Throws TransientError for failures that may pass, HubError for others.
   */
  async request(method: 'GET' | 'HEAD', url: string, extra: Record<string, string>, signal: AbortSignal) {
    // A compressed response would differ from the file in length.
    const headers = new Headers({ ...extra, 'accept-encoding': 'identity', 'user-agent': 'latentkit' })
    if (this.options.token) headers.set('authorization', `Bearer ${this.options.token}`)
    let target = new URL(url)
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      const response = await this.#fetch(target, { method, headers, redirect: 'manual', signal })
      if (method === 'HEAD' && response.status < 400 && response.headers.has('x-linked-etag')) return response
      const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
      if (location === null) return this.#checkStatus(response, target)
      await response.body?.cancel()
      const next = URL.canParse(location, target.href) ? new URL(location, target) : undefined
      if (next === undefined)
        throw new HubError('download_failed', `${target} redirects to ${JSON.stringify(location)}`)
      if (next.protocol !== target.protocol && next.protocol !== 'https:') {
        throw new HubError('download_failed', `${target.host} redirects to ${next.protocol}//${next.host}; refused`)
      }
      if (next.origin !== target.origin) headers.delete('authorization')
      target = next
    }
    throw new HubError('download_failed', `${url} redirects more than ${MAX_REDIRECTS} times`)
  }

  /** Repeats attempts that fail with TransientError. Each attempt must end within the stall timeout. */
  async retrying<T>(what: string, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { retries = 5, stallTimeout = 30_000, signal } = this.options
    for (let failures = 0; ; ) {
      signal?.throwIfAborted()
      const patience = this.#answered ? stallTimeout : Math.min(stallTimeout, FIRST_CONTACT.timeout)
      const timeout = AbortSignal.timeout(patience)
      try {
        return await attempt(signal ? AbortSignal.any([signal, timeout]) : timeout)
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof TransientError)) throw error
        if (++failures > (this.#answered ? retries : Math.min(retries, FIRST_CONTACT.retries))) {
          throw this.gaveUp(what, failures, error)
        }
        await this.pause(failures, error.retryAfter)
      }
    }
  }

  /** Waits before the next attempt: doubling up to 30 s, and at least as long as the server asks for. */
  async pause(failures: number, retryAfter: number): Promise<void> {
    const { retryDelay = 500, signal } = this.options
    const delay = Math.max(Math.min(MAX_PAUSE, retryDelay * 2 ** (failures - 1)), retryAfter)
    await sleep(delay, undefined, signal && { signal }).catch(() => signal?.throwIfAborted())
  }

  gaveUp(what: string, attempts: number, error: TransientError): HubError {
    if (!this.#answered) {
      const message = `${this.endpoint} cannot be reached (${error.message}); check the name and the network`
      return new HubError('hub_unreachable', message, { cause: error })
    }
    const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`
    const message = `${what} from ${this.endpoint} failed after ${tries}: ${error.message}`
    const limited = error.message.endsWith(' 429') && !this.options.token
    const todo = limited
      ? 'try again later, or give a token (HF_TOKEN): its owner may ask more often'
      : 'try again later'
    return new HubError('download_failed', `${message}. What has come is kept; ${todo}.`, { cause: error })
  }

  async #checkStatus(response: Response, url: URL): Promise<Response> {
    const { status, headers } = response
    // 416 (range not satisfiable) is for the caller to handle.
    if (response.ok || status === 416) return response
    await response.body?.cancel()
    // The store's links expire: the next attempt gets a new one from the hub.
    const expired = status === 403 && url.origin !== new URL(this.endpoint).origin
    if (status === 408 || status === 429 || status >= 500 || expired) {
      const after = askedPause(status, headers)
      if (after <= MAX_ASKED_PAUSE) throw new TransientError(`${url.host} answered ${status}`, after)
      const wait = `${Math.ceil(after / 60_000)} minutes`
      const todo = this.options.token ? '' : ', or give a token (HF_TOKEN)'
      throw new HubError(
        'download_failed',
        `${url.host} answered ${status} and asks to come back in ${wait}; what has come is kept: try again then${todo}`,
      )
    }
    throw refusal(response, `${url.origin}${url.pathname}`, this.options.token !== undefined)
  }

  async #fetch(url: URL, init: RequestInit): Promise<Response> {
    try {
      const response = await (this.options.fetch ?? fetch)(url, init)
      this.#answered = true
      return response
    } catch (error) {
      throw new TransientError(networkReason(error), 0, { cause: error })
    }
  }
}

/** fetch's own message is always "fetch failed"; the reason is in its cause. */
export function networkReason(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } }
  return cause?.message || cause?.code || message
}

/** Milliseconds, from Retry-After (seconds or a date), else from the hub's own `ratelimit: "api";r=0;t=55`; 0 where there is none. */
function askedPause(status: number, headers: Headers): number {
  const limit = status === 429 ? /;t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1] : undefined
  const after = headers.get('retry-after') ?? limit ?? '0'
  const ms = /^\d+$/.test(after.trim()) ? Number(after) * 1000 : Date.parse(after) - Date.now()
  return Number.isFinite(ms) ? Math.max(0, ms) : 0
}

async function readBody(response: Response): Promise<string> {
  try {
    return await response.text()
  } catch (error) {
    throw new TransientError(networkReason(error), 0, { cause: error })
  }
}

function refusal({ status, headers }: Response, where: string, hadToken: boolean): HubError {
  const code = headers.get('x-error-code')
  const said = headers.get('x-error-message') ?? `status ${status}`
  // The hub answers 401 for models that do not exist, to hide which private models do.
  if (status === 401 && code !== 'GatedRepo') {
    const todo = hadToken ? 'check the name and the token' : 'check the name; a private model needs a token (HF_TOKEN)'
    return new HubError('model_not_found', `${where} is not there or not for everyone (${said}); ${todo}`)
  }
  if (status === 401 || status === 403) {
    const todo = "accept the model's conditions on its page and give a token (HF_TOKEN) that may read it"
    return new HubError('hub_access_denied', `${where} is not open to you (${said}); ${todo}`)
  }
  if (status === 404) return new HubError('model_not_found', `${where} is not there (${code ?? said})`)
  return new HubError('download_failed', `${where} answered ${status} (${said})`)
}
