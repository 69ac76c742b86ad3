/** Files over HTTP, with ranges, so that a download that broke continues, and with tags, so that one is not sent twice. */
import { createReadStream, type Stats, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import path from 'node:path'
import { pipeline } from 'node:stream'

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

/** Isolated from other pages, so that the engine may have threads (docs/browser.md). */
const HEADERS = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** Answers with a page that was made for this run: a browser asks for it each time. */
export function sendPage(html: string, response: ServerResponse): void {
  const type = { 'content-type': TYPES['.html'], 'cache-control': 'no-store' }
  response.writeHead(200, { ...HEADERS, ...type }).end(html)
}

/** Answers with the file, or with 404. */
export function sendFile(file: string | undefined, request: IncomingMessage, response: ServerResponse): void {
  for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end()
    return
  }
  const stats = file === undefined ? undefined : statSync(file, { throwIfNoEntry: false })
  if (file === undefined || stats === undefined) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such file here.\n')
    return
  }
  const etag = `"${stats.size.toString(36)}-${stats.mtimeMs.toString(36)}"`
  response.setHeader('etag', etag)
  response.setHeader('last-modified', stats.mtime.toUTCString())
  response.setHeader('accept-ranges', 'bytes')
  response.setHeader('content-type', TYPES[path.extname(file)] ?? 'application/octet-stream')
  // Names with a hash stand for one content.
  const lasting = /-[0-9A-Z]{8}\.\w+$/.test(file)
  response.setHeader('cache-control', lasting ? 'public, max-age=31536000, immutable' : 'no-cache')
  if (request.headers['if-none-match']?.includes(etag)) response.writeHead(304).end()
  else sendBytes(file, stats, etag, request, response)
}

function sendBytes(
  file: string,
  { size, mtime }: Stats,
  etag: string,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const { range, 'if-range': same } = request.headers
  const asked = same === undefined || same === etag || same === mtime.toUTCString() ? range : undefined
  const [, from = '', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(asked ?? '') ?? []
  const start = Number(from)
  const end = Math.min(to === '' ? size - 1 : Number(to), size - 1)
  const part = from !== ''
  if (part && start > end) {
    response.writeHead(416, { 'content-range': `bytes */${size}` }).end()
    return
  }
  const status = part ? 206 : 200
  response.writeHead(status, {
    'content-length': part ? end - start + 1 : size,
    ...(part && { 'content-range': `bytes ${start}-${end}/${size}` }),
  })
  if (request.method === 'HEAD' || size === 0) response.end()
  else {
    // Closes the file when the client goes away, too, which is no error here.
    pipeline(createReadStream(file, part ? { start, end } : {}), response, () => undefined)
  }
}
