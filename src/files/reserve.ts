import { open, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { beginPart, endPart } from './parts.ts'

/** Milliseconds after which the mark of a process on another machine counts for nothing. */
const STALE = 24 * 3_600_000
/** Milliseconds after which a mark in which nothing stands was left by a process that was killed. */
const UNWRITTEN = 10_000

/**
 * Says beside the file or in the folder `path` that this process writes there, until the function that is returned is called.
 * Null: another does. Throws what the file system does.
 */
export async function reserve(path: string): Promise<(() => Promise<void>) | null> {
  const mark = await markOf(resolve(path))
  const owner = `${process.pid} ${hostname()}\n`
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await isHeld(mark)) return null
    const release = async () => {
      await rm(mark, { force: true })
      endPart(mark)
    }
    beginPart(mark)
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
      endPart(mark)
      // Another was quicker.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  return null
}

async function markOf(path: string): Promise<string> {
  const there = await stat(path).catch(() => null)
  return there?.isDirectory() ? join(path, '.writing') : `${path}.writing`
}

/** Whether somebody writes there; what a process that is gone has left is removed. */
async function isHeld(mark: string): Promise<boolean> {
  const there = await stat(mark).catch(() => null)
  if (!there) return false
  const [pid = '', host = ''] = (await readFile(mark, 'utf8').catch(() => '')).trim().split(' ')
  const age = Date.now() - there.mtimeMs
  // Without a word in it, it was just made.
  const left = pid === '' ? age > UNWRITTEN : host === hostname() ? !isAlive(Number(pid)) : age > STALE
  if (left) await rm(mark, { force: true })
  return !left
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
