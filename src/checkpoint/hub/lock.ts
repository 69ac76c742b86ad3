import { randomUUID } from 'node:crypto'
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from '../../files/is-alive.ts'
import { makeFolder } from '../../files/make-folder.ts'

interface Owner {
  readonly id: string
  readonly pid: number
  readonly host: string
}

/** Milliseconds. A lock that its owner has not touched for `STALE` is abandoned. */
const STALE = 60_000
const HEARTBEAT = 10_000
const POLL = 100

/**
 * Runs `work` while holding the lock file, so that two processes do not download the same file. Node has no flock: the
 * file is created exclusively, touched while held and removed afterwards; a dead process's lock is taken over. Should two
 * processes ever hold it, the checksum still keeps bad files out of the cache.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { readonly signal?: AbortSignal | undefined; readonly onWait?: () => void } = {},
): Promise<T> {
  const owner: Owner = { id: randomUUID(), pid: process.pid, host: hostname() }
  await makeFolder(dirname(path))
  let waited = false
  while (!(await tryLock(path, owner))) {
    options.signal?.throwIfAborted()
    if (!waited) options.onWait?.()
    waited = true
    await sleep(POLL)
  }
  const heartbeat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), HEARTBEAT)
  heartbeat.unref()
  try {
    return await work()
  } finally {
    clearInterval(heartbeat)
    if ((await readOwner(path))?.id === owner.id) await rm(path, { force: true })
  }
}

/** Whether a process holds the lock now. */
export async function isHeld(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined)
  return there !== undefined && !(await isStale(path, await readOwner(path)))
}

async function tryLock(path: string, owner: Owner): Promise<boolean> {
  try {
    const file = await open(path, 'wx')
    await file.writeFile(JSON.stringify(owner)).finally(() => file.close())
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const holder = await readOwner(path)
  if (await isStale(path, holder)) await remove(path, holder)
  return false
}

async function isStale(path: string, holder: Owner | undefined): Promise<boolean> {
  const info = await stat(path).catch(() => undefined)
  if (info === undefined) return false
  return Date.now() - info.mtimeMs > STALE || (holder?.host === hostname() && !isAlive(holder.pid))
}

/** Another waiter may have been faster, so that we moved its fresh lock away: then we put it back. */
async function remove(path: string, stale: Owner | undefined): Promise<void> {
  const aside = `${path}.${randomUUID()}`
  await rename(path, aside).catch(() => {})
  if ((await readOwner(aside))?.id !== stale?.id) await link(aside, path).catch(() => {})
  await rm(aside, { force: true })
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Owner
  } catch {
    // Just created and not written yet, or already removed.
    return undefined
  }
}
