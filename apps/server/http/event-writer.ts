/** Streams of events: SSE, or one JSON object a line. */

export interface EventWriterOptions {
  readonly form: 'sse' | 'ndjson'
  /** Milliseconds of silence after which `ping` is written. */
  readonly pingMs: number
  /** What is written as a sign of life; '' : nothing. */
  readonly ping: () => string
  /** Told when the reader has gone, or reads too slowly. */
  readonly lost: (reason: Error) => void
  /** Bytes that wait for the reader before `send` waits too. */
  readonly bufferBytes?: number
  /** Milliseconds that a reader may take none of them. */
  readonly stallMs?: number
}

export const SSE_COMMENT = ': ping\n\n'

/** One event. `event`: its name. */
export function sse(data: unknown, event?: string): string {
  return `${event ? `event: ${event}\n` : ''}data: ${textOf(data)}\n\n`
}

const textOf = (data: unknown) => (typeof data === 'string' ? data : JSON.stringify(data))

const utf8 = new TextEncoder()
const BUFFER_BYTES = 1 << 20
const STALL_MS = 60_000

const HEADERS = {
  sse: { 'content-type': 'text/event-stream; charset=utf-8' },
  ndjson: { 'content-type': 'application/x-ndjson; charset=utf-8' },
} as const

export class EventWriter {
  readonly response: Response
  readonly #options: EventWriterOptions
  readonly #stallMs: number
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null
  #drained: (() => void) | null = null
  #pings: NodeJS.Timeout | undefined

  constructor(options: EventWriterOptions) {
    this.#options = options
    const { form, bufferBytes = BUFFER_BYTES, stallMs = STALL_MS } = options
    this.#stallMs = stallMs
    const body = new ReadableStream<Uint8Array>(
      {
        start: controller => {
          this.#controller = controller
        },
        pull: () => this.#drained?.(),
        cancel: () => this.#close(new Error('the client has gone')),
      },
      { highWaterMark: bufferBytes, size: chunk => chunk?.byteLength ?? 0 },
    )
    this.response = new Response(body, {
      headers: { ...HEADERS[form], 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' },
    })
    this.#rest()
  }

  /** False when nobody reads any more. */
  get open(): boolean {
    return this.#controller !== null
  }

  /** Writes one event; resolves when there is room for another. `event`: its name, for SSE. */
  async send(data: unknown, event?: string): Promise<void> {
    this.#write(this.#options.form === 'ndjson' ? `${textOf(data)}\n` : sse(data, event))
    if ((this.#controller?.desiredSize ?? 1) > 0) return
    await this.#drain()
  }

  end(): void {
    const controller = this.#controller
    this.#close(null)
    controller?.close()
  }

  #write(text: string): void {
    if (text === '' || !this.#controller) return
    this.#controller.enqueue(utf8.encode(text))
    this.#rest()
  }

  /** The time until the next sign of life begins anew. */
  #rest(): void {
    clearTimeout(this.#pings)
    if (!this.#controller) return
    this.#pings = setTimeout(() => {
      // A reader that takes nothing needs no signs of life.
      if ((this.#controller?.desiredSize ?? 0) > 0) this.#write(this.#options.ping())
      this.#rest()
    }, this.#options.pingMs)
    this.#pings.unref()
  }

  async #drain(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const stalled = new Promise<'stalled'>(resolve => {
      timer = setTimeout(() => resolve('stalled'), this.#stallMs)
    })
    const drained = new Promise<void>(resolve => {
      this.#drained = resolve
    })
    const outcome = await Promise.race([drained, stalled])
    clearTimeout(timer)
    this.#drained = null
    if (outcome !== 'stalled') return
    const controller = this.#controller
    const error = new Error(`the client has taken nothing for ${this.#stallMs / 1000} s`)
    this.#close(error)
    controller?.error(error)
  }

  #close(reason: Error | null): void {
    if (!this.#controller) return
    clearTimeout(this.#pings)
    this.#controller = null
    this.#drained?.()
    if (reason) this.#options.lost(reason)
  }
}
