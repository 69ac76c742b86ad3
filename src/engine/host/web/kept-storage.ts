import type { CachedModel } from '../../../cache/stored/manage.ts'
import { type KeptModel, listKept } from '../../../checkpoint/web/kept-models.ts'
import { storageFacts } from '../../../opfs/opfs.ts'
import { cachedModels, cacheFolders } from './kept-blocks.ts'
import { type KeptSession, listKeptSessions } from './kept-sessions.ts'

/** All that is kept in this browser for this origin. Result of `keptStorage`. */
export interface KeptStorage {
  /** `removeKeptModel` removes one. */
  readonly models: readonly KeptModel[]
  /** `removeKeptSession` removes one. */
  readonly sessions: readonly KeptSession[]
  /** Blocks of earlier prompts, by folder; `removeCached` removes them. */
  readonly caches: readonly {
    /** As it was given to `Engine.load`. */
    readonly cacheDir: string
    /** Size of all its files. */
    readonly bytes: number
    /** Whose blocks they are. */
    readonly models: readonly CachedModel[]
  }[]
  /** Bytes of all of these. */
  readonly bytes: number
  /** Bytes that the browser counts for the origin, of other code's files too; null where it does not say. */
  readonly usage: number | null
  /** Bytes that the origin may keep; null where the browser does not say. */
  readonly quota: number | null
  /** Whether the browser will not clear it by itself. `navigator.storage.persist()` asks for that. */
  readonly persisted: boolean
}

/** What latentkit keeps here, and what the browser gives. Throws an Error where it keeps nothing. */
export async function keptStorage(): Promise<KeptStorage> {
  const models = await listKept()
  const sessions = await listKeptSessions()
  const caches: KeptStorage['caches'][number][] = []
  for (const cacheDir of await cacheFolders()) {
    const cached = await cachedModels(cacheDir)
    caches.push({ cacheDir, bytes: bytesOf(cached), models: cached })
  }
  const { usage = null, quota = null, persisted } = await storageFacts()
  return { models, sessions, caches, bytes: bytesOf([...models, ...sessions, ...caches]), usage, quota, persisted }
}

function bytesOf(kept: readonly { readonly bytes: number }[]): number {
  return kept.reduce((n, { bytes }) => n + bytes, 0)
}
