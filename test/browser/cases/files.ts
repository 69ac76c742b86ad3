/**
 * The parts of Node's modules that test files use, in a worker of a page: files come from the server of the tests, by
 * requests that block; what a test writes stays in the worker.
 */
interface Found {
  readonly kind: 'file' | 'folder'
  readonly size: number
  /** Of a folder. */
  readonly names: readonly string[]
}

const written = new Map<string, Uint8Array>()
const folders = new Set<string>(['/tmp'])
const found = new Map<string, Found | null>()

const pathOf = (path: string | URL): string => {
  const text = typeof path === 'string' && !path.startsWith('file:') ? path : fileURLToPath(path)
  return text.length > 1 ? text.replace(/\/+$/, '') : text
}

/** A request that blocks, which a worker may make. */
function get(query: string, type: '' | 'arraybuffer'): unknown {
  const Request = (globalThis as unknown as { XMLHttpRequest: new () => BlockingRequest }).XMLHttpRequest
  const request = new Request()
  request.open('GET', query, false)
  request.responseType = type
  request.send()
  return request.status === 200 ? request.response : null
}

interface BlockingRequest {
  responseType: string
  readonly status: number
  readonly response: unknown
  open(method: string, url: string, async: boolean): void
  send(): void
}

function lookUp(path: string): Found | null {
  const own = written.get(path)
  if (own) return { kind: 'file', size: own.length, names: [] }
  if (folders.has(path)) {
    const names = [...written.keys(), ...folders].filter(key => key.startsWith(`${path}/`))
    return {
      kind: 'folder',
      size: 0,
      names: names.map(key => key.slice(path.length + 1)).filter(n => !n.includes('/')),
    }
  }
  const known = found.get(path)
  if (known !== undefined) return known
  const text = get(`/look?path=${encodeURIComponent(path)}`, '') as string | null
  const made = text === null ? null : (JSON.parse(text) as Found)
  found.set(path, made)
  return made
}

function must(path: string, kind?: Found['kind']): Found {
  const there = lookUp(path)
  if (there && (kind === undefined || there.kind === kind)) return there
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' })
}

function bytesOf(path: string): Bytes {
  must(path, 'file')
  const own = written.get(path)
  if (own) return new Bytes(own)
  return new Bytes(new Uint8Array(get(`/file?path=${encodeURIComponent(path)}`, 'arraybuffer') as ArrayBuffer))
}

/** As much of Node's Buffer as fixtures are read with. */
class Bytes extends Uint8Array {
  readBigUInt64LE(offset: number): bigint {
    return new DataView(this.buffer, this.byteOffset).getBigUint64(offset, true)
  }
  override toString(encoding = 'utf8', start = 0, end = this.length): string {
    if (!/^utf-?8$/.test(encoding)) throw new Error(`no encoding ${encoding} here`)
    return new TextDecoder().decode(this.subarray(start, end))
  }
}

const decoded = (bytes: Bytes, encoding: unknown) => {
  const name = typeof encoding === 'object' ? (encoding as { encoding?: string } | null)?.encoding : encoding
  return name === undefined || name === null ? bytes : bytes.toString(name as string)
}

export const existsSync = (path: string | URL): boolean => lookUp(pathOf(path)) !== null
export const readFileSync = (path: string | URL, encoding?: unknown) => decoded(bytesOf(pathOf(path)), encoding)
export const readdirSync = (path: string | URL): string[] => [...must(pathOf(path), 'folder').names]
export const statSync = (path: string | URL) => statOf(pathOf(path))
export const mkdtempSync = (prefix: string): string => {
  const path = `${prefix}${folders.size}`
  folders.add(path)
  return path
}
export const mkdirSync = (path: string): void => void folders.add(pathOf(path))
export const writeFileSync = (path: string, data: string | Uint8Array): void => {
  written.set(pathOf(path), typeof data === 'string' ? new TextEncoder().encode(data) : Uint8Array.from(data))
}
export const rmSync = (path: string): void => {
  for (const key of written.keys()) if (key.startsWith(path)) written.delete(key)
  for (const key of folders) if (key.startsWith(path)) folders.delete(key)
}

const statOf = (path: string) => ({ size: must(path).size, mtimeMs: 0, mtimeNs: 0n, ...kindOf(path) })

function kindOf(path: string) {
  const { kind } = must(path)
  return { isFile: () => kind === 'file', isDirectory: () => kind === 'folder' }
}

/** `node:fs/promises` */
export const stat = async (path: string | URL) => statOf(pathOf(path))
export const readFile = async (path: string | URL, encoding?: unknown) => readFileSync(path, encoding)
export const readdir = async (path: string | URL, options?: { readonly withFileTypes?: boolean }) => {
  const folder = pathOf(path)
  const names = readdirSync(folder)
  if (!options?.withFileTypes) return names
  return names.map(name => ({ name, parentPath: folder, isSymbolicLink: () => false, ...kindOf(`${folder}/${name}`) }))
}
export const readlink = async (path: string) => Promise.reject(new Error(`${path} is no link`))
export const realpath = async (path: string) => path
export const access = async (path: string) => void must(pathOf(path))
export const open = async (path: string, flags = 'r') => {
  if (flags === 'r') return new OpenFile(pathOf(path))
  written.set(pathOf(path), new Uint8Array())
  return new OpenFile(pathOf(path))
}

class OpenFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  async read(into: Uint8Array, offset: number, length: number, position: number) {
    const own = written.get(this.#path)
    const query = `/file?path=${encodeURIComponent(this.#path)}&from=${position}&to=${position + length}`
    const part = own?.subarray(position, position + length) ?? new Uint8Array(await (await fetch(query)).arrayBuffer())
    into.set(part, offset)
    return { bytesRead: part.length, buffer: into }
  }

  async write(data: Uint8Array, offset = 0, length = data.length - offset, position?: number) {
    const held = written.get(this.#path) as Uint8Array
    const at = position ?? held.length
    const grown = new Uint8Array(Math.max(held.length, at + length))
    grown.set(held)
    grown.set(data.subarray(offset, offset + length), at)
    written.set(this.#path, grown)
    return { bytesWritten: length }
  }

  stat = async () => statOf(this.#path)
  sync = async () => {}
  close = async () => {}
}

export const rename = async (from: string, to: string) => {
  written.set(to, written.get(from) as Uint8Array)
  written.delete(from)
}
export const rm = async (path: string) => rmSync(path)
export const mkdir = async (path: string) => mkdirSync(path)
export const writeFile = async (path: string, data: string | Uint8Array) => writeFileSync(path, data)
export const constants = {}

/** `node:path` */
export const join = (...parts: string[]): string => normalize(parts.filter(part => part !== '').join('/'))
export const resolve = (...parts: string[]): string => {
  const last = parts.findLastIndex(part => part.startsWith('/'))
  return join(...(last < 0 ? ['/', ...parts] : parts.slice(last)))
}
export const basename = (path: string, suffix = ''): string => {
  const name = pathOf(path).split('/').at(-1) ?? ''
  return suffix !== '' && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name
}
export const dirname = (path: string): string => join(path, '..')
export const extname = (path: string): string => /.(\.[^./]*)$/.exec(basename(path))?.[1] ?? ''
export const isAbsolute = (path: string): boolean => path.startsWith('/')
export const relative = (from: string, to: string): string =>
  to.startsWith(`${from}/`) ? to.slice(from.length + 1) : to
export const sep = '/'

function normalize(path: string): string {
  const kept: string[] = []
  for (const part of path.split('/')) {
    if (part === '..' && kept.length > 0) kept.pop()
    else if (part !== '.' && part !== '') kept.push(part)
  }
  const end = path.endsWith('/') && kept.length > 0 ? '/' : ''
  return `${path.startsWith('/') ? '/' : ''}${kept.join('/')}${end}`
}

/** `node:url`, `node:os` */
export const fileURLToPath = (url: string | URL): string => decodeURIComponent(new URL(url).pathname)
export const pathToFileURL = (path: string): URL => new URL(`file://${path}`)
export const tmpdir = (): string => '/tmp'
export const homedir = (): string => '/home'
export const availableParallelism = (): number =>
  (globalThis as unknown as { navigator: { hardwareConcurrency: number } }).navigator.hardwareConcurrency
