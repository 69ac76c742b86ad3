/** Files over HTTP as a static server gives them, with ranges, and the faults that a test asks for. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
}

/** A strict policy of a page that allows what latentkit needs, and no more. */
export const STRICT_CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'"

export interface ServedOptions {
  /** Folders by the first part of a path; '' is the root. */
  readonly folders: Readonly<Record<string, string>>
  /** Texts by path. */
  readonly texts?: Readonly<Record<string, string>>
  /** Cross-origin isolation. */
  readonly isolated: boolean
  readonly csp?: string
  /** Answers in place of the files; true if it did. */
  readonly intercept?: (request: IncomingMessage, response: ServerResponse) => boolean
}

export class StaticServer {
  readonly url: string
  /** `GET /path` with its range, in order. */
  readonly requests: string[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://localhost:${(server.address() as AddressInfo).port}`
  }

  static async open(options: ServedOptions): Promise<StaticServer> {
    const server = createServer((request, response) => {
      served.requests.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '))
      if (options.isolated) {
        response.setHeader('cross-origin-opener-policy', 'same-origin')
        response.setHeader('cross-origin-embedder-policy', 'require-corp')
      }
      if (options.csp !== undefined) response.setHeader('content-security-policy', options.csp)
      if (!options.intercept?.(request, response)) answer(options, request, response)
    })
    await new Promise<void>(resolve => server.listen(0, 'localhost', resolve))
    const served = new StaticServer(server)
    return served
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}

/** The file that a path means, or undefined. */
function fileOf(folders: ServedOptions['folders'], path: string): string | undefined {
  const [, first = '', ...rest] = path.split('/')
  const file = folders[first] === undefined ? join(folders[''] ?? '/nowhere', path) : join(folders[first], ...rest)
  return existsSync(file) && statSync(file).isFile() ? file : undefined
}

function answer({ folders, texts = {} }: ServedOptions, request: IncomingMessage, response: ServerResponse): void {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)
  const text = texts[path]
  const file = text === undefined ? fileOf(folders, path) : undefined
  response.setHeader('content-type', TYPES[extname(path) || '.html'] ?? 'application/octet-stream')
  if (text !== undefined) {
    response.end(text)
  } else if (file === undefined) {
    response.writeHead(404).end('not here')
  } else {
    const { size, mtime } = statSync(file)
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const start = Number(from ?? 0)
    const end = Math.min(size, to ? Number(to) + 1 : size)
    response.setHeader('last-modified', mtime.toUTCString())
    response.setHeader('accept-ranges', 'bytes')
    response.setHeader('content-length', end - start)
    if (from !== undefined) response.setHeader('content-range', `bytes ${start}-${end - 1}/${size}`)
    response.writeHead(from === undefined ? 200 : 206)
    if (request.method === 'HEAD') response.end()
    else createReadStream(file, { start, end: end - 1 }).pipe(response)
  }
}
