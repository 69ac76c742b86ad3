import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { diskError, sizeOf } from './disk.ts'
import { type HubClient, networkReason, type RemoteFile } from './hub-client.ts'
import { HubError, TransientError } from './hub-error.ts'

/** Bytes. After an attempt that downloaded this many, the count of failures starts again. */
const PROGRESS = 1 << 16
/** Milliseconds between progress events. */
const EVENT_INTERVAL = 50

/** The downloaded bytes differ from the announced ones. */
class CorruptError extends Error {}

/**
 * Downloads a file into `<blob>.incomplete`, which a later call or process can continue, and renames it to `blob` once
 * size and checksum are right. Throws HubError, or the signal's reason if aborted.
 */
export async function downloadBlob(client: HubClient, file: RemoteFile, blob: string): Promise<void> {
  const { retries = 5, signal } = client.options
  const incomplete = `${blob}.incomplete`
  let failures = 0
  let corrupt = 0
  for (;;) {
    signal?.throwIfAborted()
    const before = (await sizeOf(incomplete)) ?? 0
    try {
      await fetchRest(client, file, incomplete)
      await verify(file, incomplete, signal)
      await rename(incomplete, blob)
      return
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof CorruptError) {
        await rm(incomplete, { force: true })
        // The first time, the existing beginning may have been bad; the second time it is the server.
        if (++corrupt < 2) continue
        throw new HubError('download_corrupt', `${file.url}: ${error.message}; removed. Is a proxy in between?`)
      }
      if (!(error instanceof TransientError)) throw diskError(error, incomplete)
      const received = ((await sizeOf(incomplete)) ?? 0) - before
      failures = received >= PROGRESS ? 1 : failures + 1
      if (failures > retries) throw client.gaveUp(`downloading ${file.name}`, failures, error)
      await client.pause(failures, error.retryAfter)
    }
  }
}

/** One request: appends the missing bytes. */
async function fetchRest(client: HubClient, file: RemoteFile, incomplete: string): Promise<void> {
  const have = (await sizeOf(incomplete)) ?? 0
  if (have > file.size) throw new CorruptError(`${have} bytes are on disk, but the file has ${file.size}`)
  if (have === file.size && have > 0) return
  const watchdog = new Watchdog(client.options.stallTimeout ?? 30_000, client.options.signal)
  try {
    const range: Record<string, string> = have > 0 ? { range: `bytes=${have}-` } : {}
    const response = await client.request('GET', file.url, range, watchdog.signal)
    const start = startOf(response, have, file)
    await writeBody(client, file, incomplete, start, response, watchdog)
  } finally {
    watchdog.stop()
  }
}

/** The offset at which the response's bytes belong. */
function startOf(response: Response, have: number, file: RemoteFile): number {
  if (response.status === 416) throw new CorruptError(`there is nothing after byte ${have} of ${file.size}`)
  if (response.status !== 206) return 0
  const range = response.headers.get('content-range') ?? ''
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(range) ?? []
  if (Number(start) === have && (total === '*' || Number(total) === file.size)) return have
  throw new CorruptError(`bytes ${have}- of ${file.size} were asked for, "${range}" came`)
}

async function writeBody(
  client: HubClient,
  file: RemoteFile,
  incomplete: string,
  start: number,
  response: Response,
  watchdog: Watchdog,
): Promise<void> {
  const output = await open(incomplete, start === 0 ? 'w' : 'r+')
  const report = reporter(client, file)
  let at = start
  try {
    for await (const chunk of bodyOf(response)) {
      watchdog.restart()
      if (at + chunk.length > file.size) throw new CorruptError(`more than the announced ${file.size} bytes came`)
      for (let done = 0; done < chunk.length; ) {
        done += (await output.write(chunk, done, chunk.length - done, at + done)).bytesWritten
      }
      at += chunk.length
      report(at)
    }
    await output.sync()
  } finally {
    await output.close()
  }
  if (at < file.size) throw new TransientError(`the connection ended after ${at} of ${file.size} bytes`)
}

/** Marks failures of reading as transient; failures of writing come from the disk. */
async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  if (response.body === null) return
  try {
    yield* response.body as AsyncIterable<Uint8Array>
  } catch (error) {
    throw new TransientError(networkReason(error), 0, { cause: error })
  }
}

function reporter({ options }: HubClient, file: RemoteFile): (loaded: number) => void {
  let last = 0
  return loaded => {
    const now = Date.now()
    if (now - last < EVENT_INTERVAL && loaded < file.size) return
    last = now
    options.onProgress?.({ status: 'download', file: file.name, loaded, total: file.size })
  }
}

/** Hashes the file on disk rather than the received stream: the file is what will be loaded. */
async function verify(file: RemoteFile, path: string, signal: AbortSignal | undefined): Promise<void> {
  const size = await sizeOf(path)
  if (size !== file.size) throw new CorruptError(`${size ?? 0} bytes came; expected ${file.size}`)
  const kind = file.etag.length === 64 ? 'sha256' : 'sha1'
  const hash = createHash(kind)
  if (kind === 'sha1') hash.update(`blob ${size}\0`)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) })) {
    hash.update(chunk as Uint8Array)
  }
  const digest = hash.digest('hex')
  if (digest !== file.etag) throw new CorruptError(`${kind} is ${digest}; expected ${file.etag}`)
}

/** Aborts if no byte arrives for `timeout` milliseconds, or if the caller aborts. */
class Watchdog {
  readonly signal: AbortSignal
  readonly #timer: NodeJS.Timeout

  constructor(timeout: number, outer: AbortSignal | undefined) {
    const controller = new AbortController()
    const reason = new TransientError(`no byte came for ${timeout / 1000} s`)
    this.#timer = setTimeout(() => controller.abort(reason), timeout)
    this.signal = outer ? AbortSignal.any([outer, controller.signal]) : controller.signal
  }

  restart(): void {
    this.#timer.refresh()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
