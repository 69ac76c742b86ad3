import { copyFileSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it, vi } from 'vitest'
import { linkBlob } from '../../src/checkpoint/hub/disk.ts'
import { tempFolder } from '../support/temp-folder.ts'

const refused = vi.hoisted(() => new Set<string>())

vi.mock('node:fs/promises', async original => {
  const fs = await original<typeof import('node:fs/promises')>()
  const refusing =
    <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
    (...args: A) =>
      refused.has(name) ? Promise.reject(Object.assign(new Error('EPERM'), { code: 'EPERM' })) : call(...args)
  return { ...fs, symlink: refusing('symlink', fs.symlink), link: refusing('link', fs.link) }
})

beforeEach(() => refused.clear())

it.each([
  [[], true, 1],
  [['symlink'], false, 2],
  [['symlink', 'link'], false, 1],
])('without %j a blob still gets its name', async (without, isLink, links) => {
  for (const name of without) refused.add(name)
  const folder = tempFolder({ 'blobs/abc': 'content', 'snapshots/1/x': 'an older one' })
  const pointer = join(folder, 'snapshots/1/x')
  await linkBlob(join(folder, 'blobs/abc'), pointer)
  await linkBlob(join(folder, 'blobs/abc'), pointer)
  expect(readFileSync(pointer, 'utf8')).toBe('content')
  expect(lstatSync(pointer).isSymbolicLink()).toBe(isLink)
  expect(lstatSync(join(folder, 'blobs/abc')).nlink).toBe(links)
  copyFileSync(pointer, join(folder, 'still-readable'))
})
