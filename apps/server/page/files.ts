import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The chat page, built from apps/page by `npm run build`: `GET /` and the files beside it. The page may load and connect
 * to nothing but this server, runs no inline script, and no text becomes markup.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // `GET /` says something else to programs.
  vary: 'accept',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
}

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
}

interface PageFile {
  body: Buffer<ArrayBuffer>
  headers: Record<string, string>
}

/** The built page, beside the repository's source of this module or beside its copy in dist. */
const FOLDERS = ['../../../dist/apps/page', '../../page']

let files: Map<string, PageFile> | undefined

/** The page's answer to a request, or undefined if no file of the page has its path. */
export function pageResponse(request: Request): Response | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
  files ??= readFiles()
  const file = files.get(new URL(request.url).pathname)
  if (file === undefined) return undefined
  if (matches(request.headers.get('if-none-match'), file.headers.etag)) {
    const { 'content-type': _, 'content-length': __, ...kept } = file.headers
    return new Response(null, { status: 304, headers: kept })
  }
  return new Response(request.method === 'HEAD' ? null : file.body, { headers: file.headers })
}

function matches(given: string | null, etag: string | undefined): boolean {
  const tags = given?.split(',').map(tag => tag.trim().replace(/^W\//, '')) ?? []
  return etag !== undefined && tags.includes(etag)
}

function readFiles(): Map<string, PageFile> {
  const here = path.dirname(fileURLToPath(import.meta.url))
  const folder = FOLDERS.map(name => path.join(here, name)).find(name => existsSync(path.join(name, 'index.html')))
  const names = folder === undefined ? [] : readdirSync(folder)
  return new Map(
    names.map(name => {
      const body = readFileSync(path.join(folder ?? '', name))
      const headers = {
        ...HEADERS,
        'content-type': TYPES[path.extname(name)] ?? 'application/octet-stream',
        'content-length': String(body.length),
        // Names with a hash stand for one content.
        'cache-control': /-[0-9A-Z]{8}\.\w+$/.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
        etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      }
      return [name === 'index.html' ? '/' : `/${name}`, { body, headers }]
    }),
  )
}
