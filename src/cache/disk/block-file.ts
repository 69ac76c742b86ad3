/**
 * A block as a file, little-endian:
 *
 *     0   8   "LKBLOCK1"
 *     8   4   length of the header
 *     12      header, JSON
 *             the memory of each group, in the layout's order, where the header says that it is there
 *     -32 32  SHA-256 of everything before
 */
import { createHash } from 'node:crypto'

const MAGIC = 'LKBLOCK1'
const PREFIX = 12
const DIGEST = 32

/** What a block is, without its memory. */
export interface BlockKey {
  /** Name of the block before it; the model's fingerprint for the first one. */
  readonly parent: string
  readonly ids: readonly number[]
  /** How each row was computed. */
  readonly ways: readonly number[]
}

export interface StoredBlock extends BlockKey {
  /** By group; null where a window had passed. */
  readonly groups: readonly (Uint8Array | null)[]
}

interface Header extends BlockKey {
  /** Bytes by group; null where there are none. */
  readonly groups: readonly (number | null)[]
}

/** The part of a block's name that a prompt knows before it knows how the rows were computed. */
export function idsName(parent: string, ids: readonly number[]): string {
  return hex(createHash('sha256').update(parent).update(Int32Array.from(ids)), 32)
}

/** Says all that decides a block's bits: the model, everything before it, its tokens and how they were computed. */
export function blockName({ parent, ids, ways }: BlockKey): string {
  return `${idsName(parent, ids)}-${hex(createHash('sha256').update(Uint8Array.from(ways)), 16)}`
}

export function encodeBlock({ groups, parent, ids, ways }: StoredBlock): Uint8Array {
  const fields: Header = { parent, ids, ways, groups: groups.map(g => g?.byteLength ?? null) }
  const header = Buffer.from(JSON.stringify(fields))
  const start = Buffer.alloc(PREFIX)
  start.write(MAGIC, 'latin1')
  start.writeUInt32LE(header.length, 8)
  const parts = [start, header, ...groups.filter(g => g !== null)]
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return Buffer.concat([...parts, hash.digest()])
}

/** The block that a file of this name holds. Throws an Error that says what is wrong with it. */
export function decodeBlock(file: Uint8Array, name: string): StoredBlock {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength)
  if (bytes.length < PREFIX + DIGEST) throw new Error(`it has ${bytes.length} bytes, less than any block`)
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new Error(`it does not begin with ${MAGIC}`)
  const content = bytes.subarray(0, bytes.length - DIGEST)
  const digest = createHash('sha256').update(content).digest()
  if (!digest.equals(bytes.subarray(content.length))) throw new Error('its checksum is wrong')
  // What follows is as it was written: a checksum fits nothing else.
  const end = PREFIX + bytes.readUInt32LE(8)
  const header = JSON.parse(content.toString('utf8', PREFIX, end)) as Header
  if (blockName(header) !== name) throw new Error(`it is block ${blockName(header)} under another name`)
  let at = end
  const groups = header.groups.map(length => {
    if (length === null) return null
    at += length
    return new Uint8Array(content.buffer, content.byteOffset + at - length, length)
  })
  return { ...header, groups }
}

function hex(hash: ReturnType<typeof createHash>, digits: number): string {
  return hash.digest('hex').slice(0, digits)
}
