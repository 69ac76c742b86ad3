/** Blocks of earlier prompts that are kept in the browser: which there are, and their removal. In a page, too. */
import { BLOCKS_FOLDER, OpfsPlace } from '../../../cache/opfs/opfs-place.ts'
import {
  type CacheCheck,
  type CachedModel,
  cachedModels as listCached,
  removeCached as removeIn,
  verifyCached as verifyIn,
} from '../../../cache/stored/manage.ts'
import { entryName, namesIn, openFolder, removeIn as removeEntry, userName } from '../../../opfs/opfs.ts'

/** Names of the folders that engines were given as `cacheDir`. Throws an Error where the browser keeps nothing. */
export async function cacheFolders(): Promise<readonly string[]> {
  return (await namesIn(await openFolder([BLOCKS_FOLDER]))).map(userName).sort()
}

/** The models with blocks in the folder `cacheDir`, most recently used first. */
export async function cachedModels(cacheDir: string): Promise<readonly CachedModel[]> {
  return listCached(await OpfsPlace.open(cacheDir))
}

/** Removes all blocks of these models from a folder; without `fingerprints` the folder with all. Returns the bytes freed. */
export async function removeCached(cacheDir: string, fingerprints?: readonly string[]): Promise<number> {
  const place = await OpfsPlace.open(cacheDir)
  if (fingerprints) return removeIn(place, fingerprints)
  const all = await listCached(place)
  await removeEntry(await openFolder([BLOCKS_FOLDER]), entryName(cacheDir))
  return all.reduce((n, { bytes }) => n + bytes, 0)
}

/** Reads every block of a folder and checks its checksum; changes nothing. */
export async function verifyCached(cacheDir: string): Promise<CacheCheck> {
  return verifyIn(await OpfsPlace.open(cacheDir))
}
