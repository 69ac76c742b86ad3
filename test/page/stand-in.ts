/**
 * A server for tests of the page: it gives out the real page, and answers of /v1/chat/completions that a test writes.
 * What the real server answers is tested in `server.test.ts`.
 */
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { pageResponse } from '../../apps/server/page/files.ts'

export interface Asked {
  path: string
  authorization: string | undefined
  body: Record<string, unknown>
}

/** Writes one answer; `closed` is aborted when the page hangs up. */
export type Script = (answer: Answer, asked: Asked) => Promise<void> | void

export class Answer {
  readonly #response: ServerResponse
  readonly closed = new AbortController()

  constructor(response: ServerResponse) {
    this.#response = response
    response.on('close', () => this.closed.abort())
  }

  fails(status: number, error: object, headers: Record<string, string> = {}): void {
    this.#response.writeHead(status, { 'content-type': 'application/json', ...headers })
    this.#response.end(JSON.stringify({ error }))
  }

  chunk(delta: object, finish: string | null = null): void {
    this.event({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })
  }

  event(value: object): void {
    this.raw(`data: ${JSON.stringify(value)}\n\n`)
  }

  raw(bytes: string): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { 'content-type': 'text/event-stream' })
    this.#response.write(bytes)
  }

  /** The usual end, with numbers. */
  end(finish = 'stop', usage: object = {}): void {
    this.chunk({}, finish)
    const counts = {
      prompt_tokens: 200,
      completion_tokens: 20,
      prompt_tokens_details: { cached_tokens: 150 },
      ...usage,
    }
    this.event({ choices: [], usage: counts, timings: { predicted_per_second: 42.5 } })
    this.raw('data: [DONE]\n\n')
    this.#response.end()
  }

  /** Ends without the usual end. */
  close(): void {
    this.#response.end()
  }

  /** Breaks the connection. */
  cut(): void {
    this.#response.destroy()
  }
}

export class StandIn {
  readonly asked: Asked[] = []
  models = [{ id: 'small' }]
  key: string | undefined
  script: Script = answer => {
    answer.chunk({ role: 'assistant', content: '' })
    answer.chunk({ content: 'Hello.' })
    answer.end()
  }
  /** The page's address. */
  url = ''
  readonly #server: Server

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost')
      const page = pageResponse(
        new Request(`http://localhost${pathname}`, { headers: request.headers as Record<string, string> }),
      )
      if (page !== undefined && request.method === 'GET') {
        response.writeHead(page.status, Object.fromEntries(page.headers))
        response.end(Buffer.from(await page.arrayBuffer()))
        return
      }
      const source = await text(request)
      const { authorization } = request.headers
      const asked = { path: pathname, authorization, body: source === '' ? {} : JSON.parse(source) }
      this.asked.push(asked)
      const answer = new Answer(response)
      if (this.key !== undefined && authorization !== `Bearer ${this.key}`)
        answer.fails(401, { message: 'invalid API key' })
      else if (pathname === '/v1/models') response.end(JSON.stringify({ object: 'list', data: this.models }))
      else if (pathname === '/v1/chat/completions') await this.script(answer, asked)
      else answer.fails(404, { message: `no ${pathname}` })
    })
  }

  static async open(host = '127.0.0.1'): Promise<StandIn> {
    const standIn = new StandIn()
    await new Promise<void>(resolve => standIn.#server.listen(0, host, resolve))
    const { address, port } = standIn.#server.address() as AddressInfo
    standIn.url = `http://${address}:${port}/`
    return standIn
  }

  /** The body of the last request for an answer. */
  get lastBody(): Record<string, unknown> {
    return this.asked.findLast(({ path }) => path === '/v1/chat/completions')?.body ?? {}
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
