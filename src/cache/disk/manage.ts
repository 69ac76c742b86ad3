/** A folder of blocks as people manage it. Works beside engines that use the folder. */
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import { type BlockFile, checkBlock, LABEL_FILE, listBlocks } from './folder.ts'

/** What is kept of one model: of the same weights, layout and arithmetic. */
export interface CachedModel {
  readonly fingerprint: string
  /** What the model was called when it was loaded first. */
  readonly label: string
  readonly blocks: number
  readonly bytes: number
  /** When a block of it was last used, in milliseconds since 1970. */
  readonly usedAt: number
}

export interface CacheCheck {
  readonly blocks: number
  readonly bytes: number
  /** Files that are not what they should be, and why. Parts that an engine is writing now are not among them. */
  readonly damaged: readonly { readonly path: string; readonly reason: string }[]
}

/** The last used first. A folder that is not there holds nothing. */
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

/** Removes all that is kept of these models; says how many bytes that were. */
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
