import { open, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { isAlive } from './is-alive.ts'
import { beginPartial, endPartial } from './partial-files.ts'

/** Milliseconds after which a mark of another machine's process is ignored: we cannot ask whether that process lives. */
const STALE = 24 * 3_600_000
/** Milliseconds after which an empty mark means that its process was killed before it could write it. */
const UNWRITTEN = 10_000

/**
 * Marks the file or folder `path` as being written by this process: a `.writing` file beside or inside it. Returns the
 * function that removes the mark, or null if another process holds one. Throws file system errors.
 */
export async function reserve(path: string): Promise<(() => Promise<void>) | null> {
  const mark = await markOf(resolve(path))
  const owner = `${process.pid} ${hostname()}\n`
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await isHeld(mark)) return null
    const release = async () => {
      await rm(mark, { force: true })
      endPartial(mark)
    }
    beginPartial(mark)
    try {
      const file = await open(mark, 'wx')
      try {
        await file.writeFile(owner).finally(() => file.close())
      } catch (error) {
        await release()
        throw error
      }
      return release
    } catch (error) {
      endPartial(mark)
      // Another process was faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  return null
}

/** Whether a process writes to the file or folder `path` now. */
export async function isReserved(path: string): Promise<boolean> {
  return isHeld(await markOf(resolve(path)))
}

async function markOf(path: string): Promise<string> {
  const there = await stat(path).catch(() => null)
  return there?.isDirectory() ? join(path, '.writing') : `${path}.writing`
}

/** Whether a process writes there. Removes marks of dead processes. */
async function isHeld(mark: string): Promise<boolean> {
  const there = await stat(mark).catch(() => null)
  if (!there) return false
  const [pid = '', host = ''] = (await readFile(mark, 'utf8').catch(() => '')).trim().split(' ')
  const age = Date.now() - there.mtimeMs
  // An empty mark was just created.
  const abandoned = pid === '' ? age > UNWRITTEN : host === hostname() ? !isAlive(Number(pid)) : age > STALE
  if (abandoned) await rm(mark, { force: true })
  return !abandoned
}
