import { readdir } from 'node:fs/promises'
import { folderStore } from './folder-store.ts'
import { hubStore } from './hub-store.ts'
import type { ModelStore } from './model-store.ts'

/** The store of a folder: a cache of the hub if there is a `models--…` in it, else a folder of models. */
export async function openStore(folder: string): Promise<ModelStore> {
  const names = await readdir(folder).catch((): string[] => [])
  return names.some(name => name.startsWith('models--')) ? hubStore(folder) : folderStore(folder)
}
