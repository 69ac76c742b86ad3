import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface FakeRequest {
  readonly server: 'hub' | 'store'
  readonly method: string
  readonly path: string
  readonly range: string | undefined
  readonly token: string | undefined
}

/** May answer a request itself; true when it did. */
export type Fault = (request: FakeRequest, response: ServerResponse, body: Buffer) => boolean

export const COMMIT = '0123456789abcdef0123456789abcdef01234567'

/**
 * The hub as a download sees it: the list of files, small files from git with their SHA-1, large ones (LFS) as a
 * redirect to a store on another origin that knows nothing but ranges.
 */
export class FakeHub {
  /** `org/name` of the one model. */
  readonly id: string
  readonly files: ReadonlyMap<string, Buffer>
  readonly requests: FakeRequest[] = []
  /** Names in the model's list; default: the files. */
  listed: string[]
  fault: Fault = () => false
  #hub: Server | undefined
  #store: Server | undefined

  constructor(id: string, files: Readonly<Record<string, string | Uint8Array>>) {
    this.id = id
    this.files = new Map(Object.entries(files).map(([name, data]) => [name, Buffer.from(data as Uint8Array)]))
    this.listed = [...this.files.keys()]
  }

  /** Listens on 127.0.0.1 until the running test ends. */
  async start(): Promise<this> {
    this.#hub = await listen(this.#handler('hub'))
    this.#store = await listen(this.#handler('store'))
    return this
  }

  get endpoint(): string {
    return addressOf(this.#hub)
  }

  /** Paths asked of one server with one method, since the beginning. */
  asked(server: 'hub' | 'store', method: string): string[] {
    return this.requests.filter(r => r.server === server && r.method === method).map(r => r.path)
  }

  #handler(server: 'hub' | 'store') {
    return (message: IncomingMessage, response: ServerResponse): void => {
      const request: FakeRequest = {
        server,
        method: message.method as string,
        path: decodeURIComponent(message.url as string),
        range: message.headers.range,
        token: message.headers.authorization,
      }
      this.requests.push(request)
      const file = this.files.get(nameIn(request.path))
      if (this.fault(request, response, file ?? Buffer.alloc(0))) return
      if (server === 'store') sendRange(request, response, file)
      else if (request.path.startsWith('/api/')) this.#sendList(request, response)
      else this.#sendFile(request, response, file)
    }
  }

  #sendList(request: FakeRequest, response: ServerResponse): void {
    const known = ['main', 'refs/pr/1', COMMIT].some(r => request.path === `/api/models/${this.id}/revision/${r}`)
    if (known) {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ sha: COMMIT, siblings: this.listed.map(rfilename => ({ rfilename })) }))
    } else refuse(response, 404, request.path.includes(this.id) ? 'RevisionNotFound' : 'RepoNotFound')
  }

  #sendFile(request: FakeRequest, response: ServerResponse, file: Buffer | undefined): void {
    const name = nameIn(request.path)
    response.setHeader('x-repo-commit', COMMIT)
    if (file === undefined || request.path !== `/${this.id}/resolve/${COMMIT}/${name}`) {
      refuse(response, 404, 'EntryNotFound')
    } else if (/\.(safetensors|gguf)$/.test(name)) {
      response.setHeader('x-linked-etag', `"${sha256(file)}"`)
      response.setHeader('x-linked-size', file.length)
      response.writeHead(302, { location: `${addressOf(this.#store)}/store/${name}` }).end()
    } else {
      response.setHeader('etag', `"${gitSha1(file)}"`)
      sendRange(request, response, file)
    }
  }
}

/** The file's path in the repository. */
function nameIn(path: string): string {
  return path.replace(/^\/store\/|^\/[^/]+\/[^/]+\/resolve\/[^/]+\//, '')
}

export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

export function gitSha1(data: Uint8Array): string {
  return createHash('sha1').update(`blob ${data.length}\0`).update(data).digest('hex')
}

export function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'x-error-code': code, 'x-error-message': `the fake hub says ${code}` }).end()
}

function sendRange({ method, range }: FakeRequest, response: ServerResponse, file: Buffer | undefined): void {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
  if (file === undefined) {
    response.writeHead(404).end()
    return
  }
  if (start > 0 && start >= file.length) {
    response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end()
    return
  }
  response.setHeader('content-length', file.length - start)
  if (range !== undefined) response.setHeader('content-range', `bytes ${start}-${file.length - 1}/${file.length}`)
  response.writeHead(range === undefined ? 200 : 206)
  response.end(method === 'HEAD' ? undefined : file.subarray(start))
}

async function listen(handler: (message: IncomingMessage, response: ServerResponse) => void): Promise<Server> {
  const server = createServer(handler)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return server
}

function addressOf(server: Server | undefined): string {
  const address = server?.address() as AddressInfo
  return `http://127.0.0.1:${address.port}`
}
