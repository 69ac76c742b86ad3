/** A block as a sealed file. Its parts are the groups' memory, for those groups that the header lists as present. */
import { hex, Sha256 } from '../../sha256.ts'
import { seal, sealedBytes, unseal } from './sealed-file.ts'
import type { BlockKey, StoredBlock } from './stored-block.ts'

const MAGIC = 'LKBLOCK1'

/** As JSON. `ways` is the provenance. */
interface Header extends Omit<BlockKey, 'provenance'> {
  readonly ways: readonly number[]
  /** Byte length per group; null if absent. */
  readonly groups: readonly (number | null)[]
}

/** The first half of a block's name: known from the ids alone, without provenance. */
export function idsName(parent: string, ids: readonly number[]): string {
  const hash = new Sha256().update(new TextEncoder().encode(parent))
  return shortened(hash.update(new Uint8Array(Int32Array.from(ids).buffer)), 32)
}

/** A hash of all that decides a block's bits: the model, all previous blocks, its tokens and their provenance. */
export function blockName({ parent, ids, provenance }: BlockKey): string {
  return `${idsName(parent, ids)}-${shortened(new Sha256().update(Uint8Array.from(provenance)), 16)}`
}

export function encodeBlock(block: StoredBlock): Promise<Uint8Array> {
  return seal(
    MAGIC,
    headerOf(block),
    block.groups.filter(g => g !== null),
  )
}

/** Bytes of the block's file. */
export function blockFileBytes(block: StoredBlock): number {
  const bytes = block.groups.reduce((n, group) => n + (group?.byteLength ?? 0), 0)
  return sealedBytes(headerOf(block), bytes)
}

function headerOf({ groups, parent, ids, provenance }: StoredBlock): Header {
  return { parent, ids, ways: provenance, groups: groups.map(g => g?.byteLength ?? null) }
}

/** Decodes the file of block `name`. Throws an Error whose message completes "the file is damaged: …". */
export async function decodeBlock(file: Uint8Array, name: string): Promise<StoredBlock> {
  const sealed = await unseal(MAGIC, file)
  // The checksum is right, so the header is as we wrote it.
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

function shortened(hash: Sha256, digits: number): string {
  return hex(hash.digest()).slice(0, digits)
}
