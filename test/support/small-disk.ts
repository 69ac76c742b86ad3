/** A disk of a few hundred KB in memory, to be filled; absent where nobody may mount one. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface SmallDisk {
  readonly path: string
  remove(): void
}

/** null if it cannot be mounted (needs Linux and root). */
export function smallDisk(bytes: number): SmallDisk | null {
  const path = mkdtempSync(join(tmpdir(), 'latentkit-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'ignore' })
  const remove = () => {
    if (status === 0) spawnSync('umount', ['-l', path], { stdio: 'ignore' })
    rmdirSync(path)
  }
  if (status === 0) return { path, remove }
  remove()
  return null
}

export const HAS_SMALL_DISKS = (() => {
  const disk = smallDisk(65_536)
  disk?.remove()
  return disk !== null
})()
