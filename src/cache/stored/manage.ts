/** Lists, removes and checks cached blocks for those who look after them, while engines may be using the place. */
import type { BlockPlace } from './block-place.ts'
import { bytesOf, checkBlock, LABEL_FILE, listBlocks } from './list-blocks.ts'

/** The cached blocks of one model (same weights, layout and arithmetic). */
export interface CachedModel {
  /** Hash of the model's weights, the cache layout and the arithmetic; `removeCached` takes it. */
  readonly fingerprint: string
  /** The model's name when it was first loaded. */
  readonly label: string
  /** Number of complete blocks. */
  readonly blocks: number
  /** Size of all files, partial ones included. */
  readonly bytes: number
  /** Last use of any of its blocks, in milliseconds since 1970. */
  readonly usedAt: number
}

/** Result of `verifyCached`. */
export interface CacheCheck {
  /** Number of blocks that were read. */
  readonly blocks: number
  /** Size of these blocks. */
  readonly bytes: number
  /** Damaged files and why. Partial files do not count. */
  readonly damaged: readonly {
    /** The block's file. */
    readonly path: string
    /** What is wrong with it. */
    readonly reason: string
  }[]
}

/** Most recently used first; empty if there is none. */
export async function cachedModels(place: BlockPlace): Promise<readonly CachedModel[]> {
  const all = await listBlocks(place)
  const models = [...new Set(all.map(file => file.fingerprint))].map(async (fingerprint): Promise<CachedModel> => {
    const files = all.filter(file => file.fingerprint === fingerprint)
    const label = await place.read(`${fingerprint}/${LABEL_FILE}`).catch(() => null)
    return {
      fingerprint,
      label: label ? new TextDecoder().decode(label).trim() : '',
      blocks: files.filter(file => file.name !== null).length,
      bytes: bytesOf(files),
      usedAt: Math.max(...files.map(file => file.usedAt)),
    }
  })
  return (await Promise.all(models)).sort((a, b) => b.usedAt - a.usedAt)
}

/** Removes all blocks of these models. Returns the bytes freed. */
export async function removeCached(place: BlockPlace, fingerprints: readonly string[]): Promise<number> {
  let bytes = 0
  for (const fingerprint of fingerprints) {
    bytes += bytesOf(await listBlocks(place, fingerprint))
    await place.remove(fingerprint)
  }
  return bytes
}

/** Reads every block and checks its checksum; changes nothing. */
export async function verifyCached(place: BlockPlace): Promise<CacheCheck> {
  const files = (await listBlocks(place)).filter(file => file.name !== null)
  const damaged: { path: string; reason: string }[] = []
  for (const file of files) {
    const reason = await checkBlock(place, file)
    if (reason !== null) damaged.push({ path: place.show(file.path), reason })
  }
  return { blocks: files.length, bytes: bytesOf(files), damaged }
}
