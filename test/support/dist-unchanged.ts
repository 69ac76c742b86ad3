/**
 * Vitest's global setup: a run fails when a test wrote into dist. Tests run beside each other, and one that builds anew
 * lets the others load half-written modules.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

const PARTS = ['dist/src', 'dist/apps', 'dist/bundled', 'dist/prebuilt']

export function setup(): () => void {
  const before = written()
  return () => {
    const after = written()
    const changed = [...after].filter(([file, time]) => before.has(file) && before.get(file) !== time)
    const gone = [...before].filter(([file]) => !after.has(file))
    const files = [...changed, ...gone].map(([file]) => file)
    if (files.length > 0) {
      // Vitest only prints what a teardown throws.
      process.exitCode = 1
      throw new Error(`the tests wrote into dist, under those who load from it: ${files.slice(0, 5).join(', ')}`)
    }
  }
}

/** Time and place of each file: one that was replaced has another inode. */
function written(): Map<string, string> {
  const entries = PARTS.flatMap(part => readdirSync(part, { recursive: true, withFileTypes: true }))
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return new Map(
    files.map(file => {
      const { mtimeMs, ino } = statSync(file)
      return [file, `${mtimeMs} ${ino}`]
    }),
  )
}
