/**
 * A sealed file: a header and parts, followed by a checksum that shows whether the file is whole. Little-endian:
 *
 *     0   8   magic
 *     8   4   length of the header
 *     12      header, JSON
 *             parts, whose lengths are in the header
 *     -32 32  SHA-256 of everything before
 */
import { createHash } from 'node:crypto'

export const PREFIX = 12
export const DIGEST = 32
/** Bytes of the magic. */
const MAGIC_BYTES = 8

/** The file's beginning, up to the first part. */
export function sealedStart(magic: string, header: unknown): Uint8Array {
  const json = Buffer.from(JSON.stringify(header))
  const start = Buffer.alloc(PREFIX)
  start.write(magic, 'latin1')
  start.writeUInt32LE(json.length, MAGIC_BYTES)
  return Buffer.concat([start, json])
}

/** The whole file in memory. */
export function seal(magic: string, header: unknown, parts: readonly Uint8Array[]): Uint8Array {
  const all = [sealedStart(magic, header), ...parts]
  const hash = createHash('sha256')
  for (const part of all) hash.update(part)
  return Buffer.concat([...all, hash.digest()])
}

/** Header and body of a whole file. Throws an Error whose message completes "the file is damaged: …". */
export function unseal(magic: string, file: Uint8Array): { readonly header: unknown; readonly body: Uint8Array } {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  const headerLength = headerLengthOf(magic, bytes, bytes.length)
  const content = bytes.subarray(0, bytes.length - DIGEST)
  const digest = createHash('sha256').update(content).digest()
  if (!digest.equals(bytes.subarray(content.length))) throw new Error('its checksum is wrong')
  const end = PREFIX + headerLength
  return { header: parseHeader(content.subarray(PREFIX, end)), body: content.subarray(end) }
}

/** Reads the header's length from a file's first bytes and its size. Throws as `unseal` does. */
export function headerLengthOf(magic: string, prefix: Buffer, size: number): number {
  if (size < PREFIX + DIGEST) throw new Error(`it has ${size} bytes, less than any such file`)
  if (prefix.toString('latin1', 0, MAGIC_BYTES) !== magic) throw new Error(`it does not begin with ${magic}`)
  return prefix.readUInt32LE(MAGIC_BYTES)
}

export function parseHeader(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString('utf8'))
  } catch {
    throw new Error('its header is not JSON')
  }
}
