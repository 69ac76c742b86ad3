import { spawn } from 'node:child_process'
import { existsSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { withLock } from '../../src/checkpoint/hub/lock.ts'
import { tempFolder } from '../support/temp-folder.ts'

it('lets one in at a time, and leaves nothing behind', async () => {
  const path = join(tempFolder(), 'deep/x.lock')
  let inside = 0
  let most = 0
  const work = () =>
    withLock(path, async () => {
      most = Math.max(most, ++inside)
      await sleep(5)
      inside--
    })
  await Promise.all(Array.from({ length: 8 }, work))
  expect(most).toBe(1)
  expect(existsSync(path)).toBe(false)
})

it('is given back when the work fails', async () => {
  const path = join(tempFolder(), 'x.lock')
  await expect(withLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(existsSync(path)).toBe(false)
})

it('waits for a living process and takes over when it is gone', async () => {
  const path = join(tempFolder(), 'x.lock')
  const child = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60000)'])
  onTestFinished(() => void child.kill())
  writeFileSync(path, JSON.stringify({ id: 'theirs', pid: child.pid, host: hostname() }))
  let entered = false
  let waits = 0
  const work = async () => {
    entered = true
  }
  const locked = withLock(path, work, { onWait: () => waits++ })
  await sleep(300)
  expect(entered).toBe(false)
  expect(waits).toBe(1)
  child.kill('SIGKILL')
  await locked
  expect(entered).toBe(true)
})

it('takes over what nobody has touched for a minute, whoever made it', async () => {
  for (const content of [JSON.stringify({ id: 'theirs', pid: 1, host: 'elsewhere' }), '', '{']) {
    const path = join(tempFolder(), 'x.lock')
    writeFileSync(path, content)
    const old = new Date(Date.now() - 61_000)
    utimesSync(path, old, old)
    expect(await withLock(path, async () => 'in')).toBe('in')
  }
})

it('stops waiting when aborted', async () => {
  const path = join(tempFolder(), 'x.lock')
  writeFileSync(path, JSON.stringify({ id: 'theirs', pid: process.pid, host: hostname() }))
  const reason = new Error('enough')
  const waiting = withLock(path, async () => 'in', { signal: AbortSignal.abort(reason) })
  await expect(waiting).rejects.toBe(reason)
})
