/** A file over HTTP as browsers fetch it: continued where it broke off, checked before it is believed. */

import { hex, Sha256 } from '../../sha256.ts'
import { HubError, TransientError } from '../hub/hub-error.ts'
import type { FileSink } from './file-sink.ts'

export interface RemoteFile {
  /** As the model's other files name it. */
  readonly name: string
  readonly url: string
  /** In bytes; null: not known before the download. */
  readonly size: number | null
  /** 64 hexadecimal digits; null: not known. */
  readonly sha256: string | null
  /** Small files are fetched whole, as the server likes to send them. */
  readonly small: boolean
}

export interface FetchOptions {
  readonly signal: AbortSignal
  /** Sent with each request. */
  readonly token?: string | undefined
  /** Consecutive attempts without progress after the first. Default 5. */
  readonly retries?: number
  /** Milliseconds before the first repetition; doubles each time, up to 30 s. Default 500. */
  readonly retryDelay?: number
  /** Milliseconds without a byte after which a connection is given up. Default 30,000. */
  readonly stallTimeout?: number
}

/** Bytes. After an attempt that brought this many, the count of failures starts again. */
const PROGRESS = 1 << 16
const MAX_PAUSE = 30_000
const MAX_ASKED_PAUSE = 300_000
const HASHED = 4 << 20

/** What came is not what was announced, or not what had come before. */
class CorruptError extends Error {}

/** Throws HubError, the signal's reason, a QuotaExceededError of the sink. What has come stays in the sink. */
export async function downloadFile(
  file: RemoteFile,
  sink: FileSink,
  options: FetchOptions,
  report: (loaded: number, total: number) => void,
): Promise<void> {
  const { retries = 5, retryDelay = 500, signal } = options
  let failures = 0
  let corrupt = 0
  for (;;) {
    signal.throwIfAborted()
    const before = sink.have
    try {
      await fetchRest(file, sink, options, report)
      await verify(file, sink)
      await sink.finish()
      return
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof CorruptError) {
        await sink.restart({ url: file.url, validator: '' })
        // The first time, what was there may have been bad; the second time it is the server.
        if (++corrupt < 3) continue
        throw new HubError('download_corrupt', `${file.url}: ${error.message}; removed. Is a proxy in between?`)
      }
      if (!(error instanceof TransientError)) throw error
      failures = sink.have - before >= PROGRESS ? 1 : failures + 1
      if (failures > retries) throw gaveUp(file, failures, error)
      await pause(Math.max(Math.min(MAX_PAUSE, retryDelay * 2 ** (failures - 1)), error.retryAfter), signal)
    }
  }
}

/** One request: appends the missing bytes. */
async function fetchRest(
  file: RemoteFile,
  sink: FileSink,
  options: FetchOptions,
  report: (loaded: number, total: number) => void,
): Promise<void> {
  const watchdog = new Watchdog(options)
  try {
    if (sink.version?.url !== file.url || (file.size !== null && sink.have > file.size)) {
      await sink.restart({ url: file.url, validator: '' })
    }
    if (file.size !== null && sink.have === file.size && file.size > 0) return
    // A range is sent even for the whole: servers do not compress ranges, so that lengths are those of the file.
    const headers: Record<string, string> = file.small ? {} : { range: `bytes=${sink.have}-` }
    const response = await request(file.url, { headers, signal: watchdog.signal }, options.token)
    if (response.status === 416) throw new CorruptError(`there is nothing after byte ${sink.have}`)
    const { start, total, validator } = describe(response, file, sink)
    const { version } = sink
    if (start > 0 && version?.validator !== validator) {
      throw new CorruptError('it has changed since its download began')
    }
    if (start === 0) await sink.restart({ url: file.url, validator })
    report(sink.have, total ?? 0)
    for await (const chunk of chunksOf(response)) {
      watchdog.restart()
      if (total !== null && sink.have + chunk.length > total) throw new CorruptError(`more than ${total} bytes came`)
      await sink.append(chunk)
      report(sink.have, total ?? 0)
    }
    if (total !== null && sink.have < total) {
      throw new TransientError(`the connection ended after ${sink.have} of ${total} bytes`)
    }
    report(sink.have, sink.have)
  } finally {
    watchdog.stop()
  }
}

/** Part of a file, as far as the file has it. */
interface FilePart {
  readonly bytes: Uint8Array
  readonly validator: string
  /** Bytes of the whole file; null: the server does not say. */
  readonly total: number | null
}

/** Asks once for part of a file; null where the server gives only the whole. Throws what `request` does, and TransientError. */
export async function fetchPart(
  { url }: RemoteFile,
  start: number,
  length: number,
  options: FetchOptions,
): Promise<FilePart | null> {
  const watchdog = new Watchdog(options)
  try {
    const headers = { range: `bytes=${start}-${start + length - 1}` }
    const response = await request(url, { headers, signal: watchdog.signal }, options.token)
    const [, from, whole] = contentRange(response)
    if (response.status !== 206 || Number(from ?? start) !== start) {
      // The whole may be gigabytes, which nobody reads here.
      response.body?.cancel().catch(() => {})
      return null
    }
    const bytes = new Uint8Array(length)
    let have = 0
    for await (const chunk of chunksOf(response)) {
      watchdog.restart()
      const wanted = chunk.subarray(0, length - have)
      bytes.set(wanted, have)
      have += wanted.length
      if (have === length) break
    }
    const total = whole !== undefined && whole !== '*' ? Number(whole) : null
    return { bytes: bytes.subarray(0, have), validator: validatorOf(response), total }
  } finally {
    watchdog.stop()
  }
}

/** Not every page may see it. */
function contentRange({ headers }: Response): readonly (string | undefined)[] {
  return /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
}

/** Asks once and reads the answer, both in time. Throws what `request` does, and what `read` does. */
export async function ask<T>(
  url: string,
  method: 'GET' | 'HEAD',
  options: FetchOptions,
  read: (response: Response) => T | Promise<T>,
): Promise<T> {
  const watchdog = new Watchdog(options)
  try {
    return await read(await request(url, { method, signal: watchdog.signal }, options.token))
  } finally {
    watchdog.stop()
  }
}

/** Sends one GET or HEAD. Throws TransientError for failures that may pass, HubError for others. */
async function request(
  url: string,
  { headers = {}, ...init }: { headers?: Record<string, string>; method?: 'GET' | 'HEAD'; signal: AbortSignal },
  token?: string,
): Promise<Response> {
  const given = { ...headers, ...(token && { authorization: `Bearer ${token}` }) }
  // What is kept need not be kept twice. (Node's types have no such field.)
  const once = { cache: 'no-store' }
  const response = await fetch(url, { ...init, ...once, headers: given }).catch((error: unknown) => {
    if (init.signal.aborted) throw init.signal.reason
    throw new TransientError(`${(error as Error).message}; does the server allow this page to read it (CORS)?`)
  })
  const { status } = response
  if (response.ok || status === 416) return response
  await response.body?.cancel()
  const met = `${url} answers ${status}`
  if (status === 404 || status === 410) throw new HubError('model_not_found', `${met}: there is no such file`)
  if (status === 401 || status === 403) {
    throw new HubError(
      'hub_access_denied',
      `${met}: it wants a token, or another one (hub: { token }, which is for the hub alone)`,
    )
  }
  const passing = status === 408 || status === 425 || status === 429 || status >= 500
  if (!passing) throw new HubError('download_failed', met)
  const seconds = Number(response.headers.get('retry-after') ?? 0)
  const asked = Number.isFinite(seconds) ? seconds * 1000 : 0
  if (asked > MAX_ASKED_PAUSE) throw new HubError('download_failed', `${met} and asks to wait ${asked / 1000} s`)
  throw new TransientError(met, asked)
}

/** ETag and time of the last change, as far as they can be seen: a server that compresses marks its ETags. */
export function validatorOf({ headers }: Response): string {
  const etag = (headers.get('etag') ?? '').replace(/^W\/|-gzip|-br|"/g, '')
  return [etag, headers.get('last-modified') ?? ''].filter(part => part !== '').join(' ')
}

/** Where a response's bytes belong, and how many the file has. */
function describe(response: Response, file: RemoteFile, { have }: FileSink) {
  const { headers, status } = response
  const validator = validatorOf(response)
  const length = Number(headers.get('content-length') ?? Number.NaN)
  const known = Number.isSafeInteger(length) && length >= 0 ? length : null
  if (status !== 206) {
    // Compressed on the way: its length is not that of the file. Not every page may see that it is.
    const total = file.small || headers.has('content-encoding') ? file.size : (known ?? file.size)
    return { start: 0, total: agreed(file, total), validator }
  }
  const [, start, whole] = contentRange(response)
  if (start !== undefined && Number(start) !== have) {
    throw new CorruptError(`bytes from ${have} on were asked for, those from ${start} came`)
  }
  const total = whole !== undefined && whole !== '*' ? Number(whole) : known === null ? file.size : have + known
  return { start: have, total: agreed(file, total), validator }
}

function agreed({ size }: RemoteFile, total: number | null): number | null {
  if (size === null || total === null || size === total) return total
  throw new CorruptError(`the server has ${total} bytes; expected ${size}`)
}

/** Marks failures of reading as transient; failures of the sink are its own. */
async function* chunksOf(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader()
  if (!reader) return
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        throw error instanceof TransientError ? error : new TransientError((error as Error).message)
      })
      if (done) return
      yield value
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

/** Reads what was stored, not what came: that is what will be loaded. */
async function verify({ size, sha256 }: RemoteFile, sink: FileSink): Promise<void> {
  const expected = size ?? sink.have
  if (sink.have !== expected) throw new CorruptError(`${sink.have} bytes are there; expected ${expected}`)
  if (sha256 === null) return
  const hash = new Sha256()
  for (let at = 0; at < expected; at += HASHED) {
    const length = Math.min(HASHED, expected - at)
    const bytes = await sink.read(at, length)
    if (bytes.length < length) throw new CorruptError(`${at + bytes.length} bytes are there; expected ${expected}`)
    hash.update(bytes)
  }
  const digest = hex(hash.digest())
  if (digest !== sha256) throw new CorruptError(`its SHA-256 is ${digest}; expected ${sha256}`)
}

function gaveUp({ name, url }: RemoteFile, attempts: number, { message }: TransientError): HubError {
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`
  return new HubError(
    'download_failed',
    `downloading ${name} from ${new URL(url).origin} failed after ${tries}: ${message}. Try again later: what was kept of it is continued.`,
  )
}

export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, milliseconds)
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
  })
}

/** Of one request: aborts it if no byte arrives for a while, or if the caller aborts. */
class Watchdog {
  readonly signal: AbortSignal
  readonly #controller = new AbortController()
  readonly #timeout: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor({ signal, stallTimeout = 30_000 }: FetchOptions) {
    this.#timeout = stallTimeout
    this.signal = AbortSignal.any([signal, this.#controller.signal])
    this.restart()
  }

  restart(): void {
    clearTimeout(this.#timer)
    const reason = new TransientError(`no byte came for ${this.#timeout / 1000} s`)
    this.#timer = setTimeout(() => this.#controller.abort(reason), this.#timeout)
  }

  /** Ends the request, too: an answer that was not wanted would hold its connection. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#controller.abort()
  }
}
