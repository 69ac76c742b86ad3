/**
 * A sealed file: a header and parts, followed by a checksum that shows whether the file is whole. Little-endian:
 *
 *     0   8   magic
 *     8   4   length of the header
 *     12      header, JSON
 *             parts, whose lengths are in the header
 *     -32 32  SHA-256 of everything before
 */

/** A SHA-256 that is computed part by part. */
export interface Hash {
  update(bytes: Uint8Array): unknown
  digest(): Uint8Array
}

/** A file's bytes as the system gives them. */
export interface SealedSource {
  readonly size: number
  /** May give fewer bytes where the file ends early. */
  read(at: number, bytes: number): Promise<Uint8Array>
  close(): Promise<void>
}

const PREFIX = 12
const DIGEST = 32
/** Bytes of the magic. */
const MAGIC_BYTES = 8
/** Bytes. The header is parsed before the checksum is verified, so its size needs a limit. */
const MAX_HEADER = 64 * 2 ** 20

/** The whole file in memory. */
export async function seal(magic: string, header: unknown, parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const all = [sealedStart(magic, header), ...parts]
  const length = all.reduce((n, part) => n + part.length, 0)
  const file = new Uint8Array(length + DIGEST)
  let at = 0
  for (const part of all) {
    file.set(part, at)
    at += part.length
  }
  file.set(await digestOf(file.subarray(0, length)), length)
  return file
}

/** Bytes of such a file, whose parts have `partBytes`. */
export function sealedBytes(header: unknown, partBytes: number): number {
  return PREFIX + headerText(header).length + partBytes + DIGEST
}

/** Header and body of a whole file. Throws an Error whose message completes "the file is damaged: …". */
export async function unseal(
  magic: string,
  file: Uint8Array,
): Promise<{ readonly header: unknown; readonly body: Uint8Array }> {
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength)
  const headerLength = headerLengthOf(magic, bytes, bytes.length)
  const content = bytes.subarray(0, bytes.length - DIGEST)
  if (!areEqual(await digestOf(content), bytes.subarray(content.length))) throw new Error('its checksum is wrong')
  const end = PREFIX + headerLength
  return { header: parseHeader(content.subarray(PREFIX, end)), body: content.subarray(end) }
}

/** A file that may not fit in memory, part by part. */
export async function* sealedParts(
  magic: string,
  header: unknown,
  parts: AsyncIterable<Uint8Array>,
  hash: Hash,
): AsyncGenerator<Uint8Array> {
  const start = sealedStart(magic, header)
  hash.update(start)
  yield start
  for await (const part of parts) {
    hash.update(part)
    yield part
  }
  yield hash.digest()
}

/** Reads a sealed file from start to end. Every method throws an Error whose message completes "the file is damaged: …". */
export class SealedReader {
  /** Unverified until `finish` has returned. */
  readonly header: unknown
  /** Bytes of all parts together. */
  readonly bodyBytes: number
  readonly #source: SealedSource
  readonly #hash: Hash
  #at: number

  private constructor(source: SealedSource, header: unknown, bodyBytes: number, hash: Hash) {
    this.#source = source
    this.header = header
    this.bodyBytes = bodyBytes
    this.#hash = hash
    this.#at = source.size - bodyBytes - DIGEST
  }

  /** Closes the source where it throws. */
  static async open(source: SealedSource, magic: string, hash: Hash): Promise<SealedReader> {
    try {
      const { size } = source
      const prefix = await readAll(source, 0, Math.min(PREFIX, size))
      const length = headerLengthOf(magic, prefix, size)
      const bodyBytes = size - PREFIX - length - DIGEST
      if (length > MAX_HEADER || bodyBytes < 0) throw new Error(`its header would have ${length} bytes`)
      const json = await readAll(source, PREFIX, length)
      hash.update(prefix)
      hash.update(json)
      return new SealedReader(source, parseHeader(json), bodyBytes, hash)
    } catch (error) {
      await source.close()
      throw error
    }
  }

  /** The next part. */
  async next(bytes: number): Promise<Uint8Array> {
    const data = await readAll(this.#source, this.#at, bytes)
    this.#at += bytes
    this.#hash.update(data)
    return data
  }

  /** Call after the last part. Throws if the checksum is wrong. */
  async finish(): Promise<void> {
    const digest = await readAll(this.#source, this.#at, DIGEST)
    if (!areEqual(this.#hash.digest(), digest)) throw new Error('its checksum is wrong')
  }

  close(): Promise<void> {
    return this.#source.close()
  }
}

/** The file's beginning, up to the first part. */
function sealedStart(magic: string, header: unknown): Uint8Array {
  const json = headerText(header)
  const start = new Uint8Array(PREFIX + json.length)
  start.set(new TextEncoder().encode(magic))
  new DataView(start.buffer).setUint32(MAGIC_BYTES, json.length, true)
  start.set(json, PREFIX)
  return start
}

function headerText(header: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(header))
}

/** Reads the header's length from a file's first bytes and its size. Throws as `unseal` does. */
function headerLengthOf(magic: string, prefix: Uint8Array, size: number): number {
  if (size < PREFIX + DIGEST) throw new Error(`it has ${size} bytes, less than any such file`)
  if (new TextDecoder('latin1').decode(prefix.subarray(0, MAGIC_BYTES)) !== magic) {
    throw new Error(`it does not begin with ${magic}`)
  }
  return new DataView(prefix.buffer, prefix.byteOffset).getUint32(MAGIC_BYTES, true)
}

function parseHeader(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(json))
  } catch {
    throw new Error('its header is not JSON')
  }
}

async function readAll(source: SealedSource, at: number, bytes: number): Promise<Uint8Array> {
  const data = await source.read(at, bytes)
  if (data.length < bytes) throw new Error(`it ends ${bytes - data.length} bytes early`)
  return data
}

/** Not part by part, but outside of this thread. */
async function digestOf(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
