/** Lists and checks the files of blocks, whichever process or tab wrote them. */
import { decodeBlock } from './block-file.ts'
import type { BlockPlace, FileFacts } from './block-place.ts'

export interface BlockFile extends FileFacts {
  /** In its place: `FINGERPRINT/xx/NAME.block`. */
  readonly path: string
  /** The model's fingerprint. */
  readonly fingerprint: string
  /** The block's name; null for a partial file. */
  readonly name: string | null
}

/** The file in a model's folder that holds the model's name. */
export const LABEL_FILE = 'model.txt'
/** A block's file without it is partial. */
export const ENDING = '.block'

/** All files of all models, without those that disappear while we look. */
export async function listBlocks(place: BlockPlace, fingerprint?: string): Promise<BlockFile[]> {
  const models = fingerprint === undefined ? await names(place, '') : [fingerprint]
  const found: Promise<BlockFile | null>[] = []
  for (const model of models) {
    for (const subfolder of await names(place, model)) {
      if (subfolder === LABEL_FILE) continue
      const folder = `${model}/${subfolder}`
      for (const file of await names(place, folder)) found.push(describeFile(place, folder, file, model))
    }
  }
  return (await Promise.all(found)).filter(file => file !== null)
}

/** What is wrong with a block's file; null if nothing is. */
export async function checkBlock(place: BlockPlace, { path, name }: BlockFile): Promise<string | null> {
  if (name === null) return 'an unfinished part'
  try {
    const file = await place.read(path)
    if (!file) return 'it is not there any more'
    await decodeBlock(file, name)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export function bytesOf(files: readonly FileFacts[]): number {
  return files.reduce((n, file) => n + file.bytes, 0)
}

async function describeFile(
  place: BlockPlace,
  folder: string,
  file: string,
  fingerprint: string,
): Promise<BlockFile | null> {
  if (!/\.(block|part)$/.test(file)) return null
  const path = `${folder}/${file}`
  const facts = await place.stat(path).catch(() => null)
  const name = file.endsWith(ENDING) ? file.slice(0, -ENDING.length) : null
  return facts && { path, fingerprint, name, ...facts }
}

async function names(place: BlockPlace, folder: string): Promise<readonly string[]> {
  return place.names(folder).catch(() => [])
}
