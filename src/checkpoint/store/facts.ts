/** What a store shows of a model's files. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LatentkitError } from '../../errors.ts'
import { earlyValue } from '../gguf/header.ts'
import { readJson } from '../json-file.ts'
import { openFile } from '../source/file-source.ts'
import type { StoredModel } from './model-store.ts'

const MAX_CONFIG = 16 << 20
/** Converters write it first. */
const KEYS_SEARCHED = 32

/** Sizes and times of a model's files that exist. Links are followed. */
export async function factsOf(paths: readonly string[]): Promise<Pick<StoredModel, 'bytes' | 'files' | 'modifiedAt'>> {
  const found = (await Promise.all(paths.map(path => stat(path).catch(() => undefined)))).filter(info => info?.isFile())
  return {
    bytes: found.reduce((sum, info) => sum + (info?.size ?? 0), 0),
    files: found.length,
    modifiedAt: new Date(Math.max(0, ...found.map(info => info?.mtimeMs ?? 0))),
  }
}

/** `model_type` of a folder's config.json; null if it cannot be read. */
export function familyOfFolder(folder: string): Promise<string | null> {
  return orNull(async () => {
    const { model_type: type } = await readJson(await openFile(join(folder, 'config.json')), MAX_CONFIG)
    return typeof type === 'string' && type !== '' ? type : null
  })
}

/** `general.architecture` of a GGUF file, without reading its vocabulary; null if it cannot be read. */
export function familyOfGguf(path: string): Promise<string | null> {
  return orNull(async () => {
    const value = await earlyValue(await openFile(path), 'general.architecture', KEYS_SEARCHED)
    return typeof value === 'string' ? value : null
  })
}

/** A damaged or unreadable file has no family; what opens the model will report why. */
async function orNull(read: () => Promise<string | null>): Promise<string | null> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof LatentkitError || typeof (error as NodeJS.ErrnoException).code === 'string') return null
    throw error
  }
}
