/** Counts, removes and checks the files in a folder of blocks, whichever process wrote them. */
import type * as Fs from 'node:fs/promises'
import { join } from 'node:path'
import { decodeBlock } from './block-file.ts'

/** The file system calls that a block store needs. */
export type StoreFs = Pick<
  typeof Fs,
  'chmod' | 'mkdir' | 'open' | 'readdir' | 'readFile' | 'rename' | 'rm' | 'stat' | 'utimes' | 'writeFile'
>

export interface BlockFile {
  readonly path: string
  /** The model's fingerprint. */
  readonly fingerprint: string
  /** The block's name; null for a partial file. */
  readonly name: string | null
  readonly bytes: number
  /** Time of last use, in milliseconds since 1970. */
  readonly usedAt: number
}

/** The file in a model's folder that holds the model's name. */
export const LABEL_FILE = 'model.txt'

/** A partial file of this age was left by a killed writer. */
const ABANDONED_MS = 3_600_000

/** All files of all models, without those that disappear while we look. */
export async function listBlocks(folder: string, fs: StoreFs, fingerprint?: string): Promise<BlockFile[]> {
  const models = fingerprint === undefined ? await names(folder, fs) : [fingerprint]
  const found: Promise<BlockFile | null>[] = []
  for (const model of models) {
    for (const subfolder of await names(join(folder, model), fs)) {
      for (const file of await names(join(folder, model, subfolder), fs)) {
        found.push(describeFile(join(folder, model, subfolder, file), file, model, fs))
      }
    }
  }
  return (await Promise.all(found)).filter(file => file !== null)
}

/** Past the bound, removes the least recently used until a tenth of it is free. Returns the bytes that remain. */
export async function trimBlocks(folder: string, fs: StoreFs, maxBytes: number): Promise<number> {
  const files = (await listBlocks(folder, fs)).sort((a, b) => a.usedAt - b.usedAt)
  let bytes = files.reduce((n, file) => n + file.bytes, 0)
  const wanted = bytes > maxBytes ? 0.9 * maxBytes : maxBytes
  for (const file of files) {
    const abandoned = file.name === null && Date.now() - file.usedAt > ABANDONED_MS
    if (!abandoned && (file.name === null || bytes <= wanted)) continue
    await fs.rm(file.path, { force: true }).catch(() => {})
    bytes -= file.bytes
  }
  return bytes
}

/** What is wrong with a block's file; null if nothing is. */
export async function checkBlock({ path, name }: BlockFile, fs: StoreFs): Promise<string | null> {
  if (name === null) return 'an unfinished part'
  try {
    decodeBlock(await fs.readFile(path), name)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function describeFile(path: string, file: string, fingerprint: string, fs: StoreFs): Promise<BlockFile | null> {
  const stats = await fs.stat(path).catch(() => null)
  if (!stats?.isFile() || !/\.(block|part)$/.test(file)) return null
  const name = file.endsWith('.block') ? file.slice(0, -'.block'.length) : null
  return { path, fingerprint, name, bytes: stats.size, usedAt: stats.mtimeMs }
}

async function names(folder: string, fs: StoreFs): Promise<string[]> {
  return fs.readdir(folder).catch(() => [])
}
