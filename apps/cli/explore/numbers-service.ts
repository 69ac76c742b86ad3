/** Numbers for pages, over HTTP: each page holds a line, and what was read for it is freed when the line ends. */
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { encodeFrame } from '../../explorer/numbers/frames.ts'
import type { Numbers, TextReading } from '../../explorer/numbers/numbers.ts'
import {
  CALL,
  type Greeting,
  LINE,
  OF_MODEL,
  OF_READING,
  type WireAnswer,
  type WireCall,
  type WireReading,
} from '../../explorer/numbers/wire.ts'

/** A page that is open. */
interface OpenPage {
  readonly readings: Map<number, TextReading>
  /** Ends what is under way for it. */
  readonly gone: AbortController
}

/** Arguments are texts of a page; no text that one reads is longer. */
const MAX_BODY = 2 ** 24
/** Of a WebSocket's handshake (RFC 6455). */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export class NumbersService {
  readonly #numbers: Numbers
  readonly #pages = new Map<string, OpenPage>()
  readonly #lines = new Set<Duplex>()
  #made = 0
  #closed = false

  constructor(numbers: Numbers) {
    this.#numbers = numbers
  }

  /** Pages that are open, and texts that are kept for them. */
  get held(): { readonly pages: number; readonly readings: number } {
    const readings = [...this.#pages.values()].reduce((n, page) => n + page.readings.size, 0)
    return { pages: this.#pages.size, readings }
  }

  /** Whether a path below the page's address is its to answer. */
  owns(name: string): boolean {
    return name === CALL || name === LINE
  }

  /** Answers a call, or says why not. */
  async answer(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refuse = (status: number, why: string) =>
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${why}\n`)
    if (isForeign(request)) return void refuse(403, 'Only the explorer’s own page may ask here.')
    if (name !== CALL || request.method !== 'POST') return void refuse(405, `Expected POST ${CALL}.`)
    const body = await bodyOf(request)
    if (body === undefined) return void refuse(413, `The call has more than ${MAX_BODY} bytes.`)
    const call = callOf(body)
    if (call === undefined) return void refuse(400, 'That is no call: expected page, method and arguments.')
    const page = this.#pages.get(call.page)
    if (page === undefined) return void refuse(410, 'What was read for this page has been freed. Load the page anew.')
    const stop = new AbortController()
    response.on('close', () => stop.abort())
    const signal = AbortSignal.any([stop.signal, page.gone.signal])
    response.writeHead(200, { 'content-type': 'application/octet-stream', 'cache-control': 'no-store' })
    response.flushHeaders()
    const write = async (answer: WireAnswer) => {
      // Many small pieces make one packet.
      response.cork()
      let room = true
      for (const piece of encodeFrame(answer)) room = response.write(piece)
      response.uncork()
      if (!room && !signal.aborted) await once(response, 'drain', { signal })
    }
    try {
      for await (const value of this.#values(call, page, signal)) await write({ kind: 'value', value })
      await write({ kind: 'end' })
    } catch (cause) {
      const { name = 'Error', message = String(cause) } = cause as Partial<Error>
      if (!signal.aborted) await write({ kind: 'failed', name, message }).catch(() => undefined)
    }
    response.end()
  }

  async *#values(call: WireCall, page: OpenPage, signal: AbortSignal): AsyncGenerator<unknown, void, void> {
    const { reading: id, method } = call
    const given = call.arguments.map(one => argument(one, page, signal))
    if (id !== undefined) {
      const answers = Object.hasOwn(OF_READING, method) ? OF_READING[method as keyof typeof OF_READING] : undefined
      if (answers === undefined) throw new TypeError(`A text has no ${method}`)
      const reading = readingOf(page, id)
      if (method === 'dispose') {
        for (const [own, one] of page.readings) if (one === reading || one === reading.source) page.readings.delete(own)
      }
      yield* answersOf(reading, method, given, answers === 'many', signal)
      return
    }
    const answers = Object.hasOwn(OF_MODEL, method) ? OF_MODEL[method as keyof typeof OF_MODEL] : undefined
    if (answers === undefined) throw new TypeError(`A model has no ${method}`)
    // `read` comes without a signal, but its page may leave meanwhile.
    if (answers === 'reading') given.push(signal)
    for await (const value of answersOf(this.#numbers, method, given, answers === 'many', signal)) {
      yield answers === 'reading' ? this.#kept(value as TextReading, page, signal) : value
    }
  }

  #kept(made: TextReading, page: OpenPage, signal: AbortSignal): WireReading {
    if (signal.aborted) {
      void made.dispose().catch(() => undefined)
      throw signal.reason
    }
    const reading = ++this.#made
    page.readings.set(reading, made)
    const { tokens, layers, hiddenSize, causal, layersInOne, source } = made
    const facts = { tokens, layers, hiddenSize, causal, layersInOne }
    return { reading, ...facts, source: source && this.#kept(source, page, signal) }
  }

  /** Opens a page's line: a WebSocket over which nothing but its name is sent. */
  open(name: string, request: IncomingMessage, socket: Duplex): void {
    socket.on('error', () => socket.destroy())
    const key = request.headers['sec-websocket-key']
    if (this.#closed || name !== LINE || key === undefined || isForeign(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n')
      return
    }
    const id = randomUUID()
    const page: OpenPage = { readings: new Map(), gone: new AbortController() }
    this.#pages.set(id, page)
    this.#lines.add(socket)
    const accepted = createHash('sha1').update(`${key}${GUID}`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accepted}\r\n\r\n`,
    )
    socket.write(textFrame(JSON.stringify({ page: id, info: this.#numbers.info } satisfies Greeting)))
    // A page sends nothing but that it leaves; a socket of the server would stay half open.
    for (const event of ['data', 'end'] as const) socket.on(event, () => socket.end())
    socket.on('close', () => {
      this.#lines.delete(socket)
      this.#pages.delete(id)
      page.gone.abort(new DOMException('The page has gone.', 'AbortError'))
      for (const reading of page.readings.values()) void reading.dispose().catch(() => undefined)
    })
  }

  /** Ends all lines, and lets nobody open another: the server could not end while one is open. */
  async close(): Promise<void> {
    this.#closed = true
    for (const socket of this.#lines) socket.destroy()
    await this.#numbers.dispose()
  }
}

/** Values of one method, whether it gives one or many. */
async function* answersOf(
  of: object,
  method: string,
  given: readonly unknown[],
  many: boolean,
  signal: AbortSignal,
): AsyncGenerator<unknown, void, void> {
  const found = (of as Record<string, (...given: readonly unknown[]) => unknown>)[method]?.(...given)
  if (!many) {
    yield await found
    return
  }
  for await (const value of found as AsyncIterable<unknown>) {
    yield value
    signal.throwIfAborted()
  }
}

/** A page of another site may post to this machine without being asked; programs send no origin. */
function isForeign({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined && headers.origin !== `http://${headers.host}`
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length
    if (bytes > MAX_BODY) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function callOf(body: string): WireCall | undefined {
  try {
    const call = JSON.parse(body) as Partial<WireCall>
    const whole =
      typeof call.page === 'string' && typeof call.method === 'string' && Array.isArray(call.arguments) && call
    return whole ? (call as WireCall) : undefined
  } catch {
    return undefined
  }
}

/** What stands for something else becomes it. */
function argument(given: unknown, page: OpenPage, signal: AbortSignal): unknown {
  if (typeof given !== 'object' || given === null) return given
  if (Array.isArray(given)) return given.map(one => argument(one, page, signal))
  if ('$signal' in given) return signal
  if ('$reading' in given) return readingOf(page, given.$reading as number)
  if ('$map' in given) return new Map(argument(given.$map, page, signal) as [unknown, unknown][])
  return Object.fromEntries(Object.entries(given).map(([name, one]) => [name, argument(one, page, signal)]))
}

function readingOf(page: OpenPage, id: number): TextReading {
  const reading = page.readings.get(id)
  if (reading !== undefined) return reading
  throw Object.assign(new Error('The reading has been disposed of'), { name: 'DisposedError' })
}

/** A text frame of a WebSocket, from a server. */
function textFrame(text: string): Buffer {
  const bytes = Buffer.from(text)
  const head =
    bytes.length < 126
      ? Buffer.from([0x81, bytes.length])
      : Buffer.from([0x81, 126, bytes.length >> 8, bytes.length & 255])
  return Buffer.concat([head, bytes])
}
