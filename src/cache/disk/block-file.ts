/** A block as a sealed file; its parts are the memory of each group, where the header says that it is there. */
import { createHash } from 'node:crypto'
import { seal, unseal } from './sealed-file.ts'

const MAGIC = 'LKBLOCK1'

/** What a block is, without its memory. */
export interface BlockKey {
  /** Name of the block before it; the model's fingerprint for the first one. */
  readonly parent: string
  readonly ids: readonly number[]
  /** How each row was computed. */
  readonly provenance: readonly number[]
}

export interface StoredBlock extends BlockKey {
  /** By group; null where a window had passed. */
  readonly groups: readonly (Uint8Array | null)[]
}

/** As JSON. `ways` is the provenance. */
interface Header extends Omit<BlockKey, 'provenance'> {
  readonly ways: readonly number[]
  /** Bytes by group; null where there are none. */
  readonly groups: readonly (number | null)[]
}

/** The part of a block's name that a prompt knows before it knows how the rows were computed. */
export function idsName(parent: string, ids: readonly number[]): string {
  return hex(createHash('sha256').update(parent).update(Int32Array.from(ids)), 32)
}

/** Says all that decides a block's bits: the model, everything before it, its tokens and how they were computed. */
export function blockName({ parent, ids, provenance }: BlockKey): string {
  return `${idsName(parent, ids)}-${hex(createHash('sha256').update(Uint8Array.from(provenance)), 16)}`
}

export function encodeBlock({ groups, parent, ids, provenance }: StoredBlock): Uint8Array {
  const header: Header = { parent, ids, ways: provenance, groups: groups.map(g => g?.byteLength ?? null) }
  return seal(
    MAGIC,
    header,
    groups.filter(g => g !== null),
  )
}

/** The block that a file of this name holds. Throws an Error that says what is wrong with it. */
export function decodeBlock(file: Uint8Array, name: string): StoredBlock {
  const sealed = unseal(MAGIC, file)
  // As it was written: a checksum fits nothing else.
  const { header, body } = sealed as { header: Header; body: Uint8Array }
  const { parent, ids, ways: provenance } = header
  const own = blockName({ parent, ids, provenance })
  if (own !== name) throw new Error(`it is block ${own} under another name`)
  let at = 0
  const groups = header.groups.map(length => {
    if (length === null) return null
    at += length
    return new Uint8Array(body.buffer, body.byteOffset + at - length, length)
  })
  return { parent, ids, provenance, groups }
}

function hex(hash: ReturnType<typeof createHash>, digits: number): string {
  return hash.digest('hex').slice(0, digits)
}
