/** Lists, removes and checks cached blocks for the command line, while engines may be using the folder. */
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { type BlockFile, checkBlock, LABEL_FILE, listBlocks } from './folder.ts'

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

/** Most recently used first; empty if the folder does not exist. */
export async function cachedModels(folder: string): Promise<readonly CachedModel[]> {
  const all = await listBlocks(folder, fs)
  const models = [...new Set(all.map(file => file.fingerprint))].map(async (fingerprint): Promise<CachedModel> => {
    const files = all.filter(file => file.fingerprint === fingerprint)
    const label = await fs.readFile(join(folder, fingerprint, LABEL_FILE), 'utf8').catch(() => '')
    return {
      fingerprint,
      label: label.trim(),
      blocks: files.filter(file => file.name !== null).length,
      bytes: bytesOf(files),
      usedAt: Math.max(...files.map(file => file.usedAt)),
    }
  })
  return (await Promise.all(models)).sort((a, b) => b.usedAt - a.usedAt)
}

/** Removes all blocks of these models. Returns the bytes freed. */
export async function removeCached(folder: string, fingerprints: readonly string[]): Promise<number> {
  let bytes = 0
  for (const fingerprint of fingerprints) {
    bytes += bytesOf(await listBlocks(folder, fs, fingerprint))
    await fs.rm(join(folder, fingerprint), { recursive: true, force: true })
  }
  return bytes
}

/** Reads every block and checks its checksum; changes nothing. */
export async function verifyCached(folder: string): Promise<CacheCheck> {
  const files = (await listBlocks(folder, fs)).filter(file => file.name !== null)
  const damaged: { path: string; reason: string }[] = []
  for (const file of files) {
    const reason = await checkBlock(file, fs)
    if (reason !== null) damaged.push({ path: file.path, reason })
  }
  return { blocks: files.length, bytes: bytesOf(files), damaged }
}

function bytesOf(files: readonly BlockFile[]): number {
  return files.reduce((n, file) => n + file.bytes, 0)
}
