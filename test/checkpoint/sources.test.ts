import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { openFile } from '../../src/checkpoint/source/file-source.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { CheckpointError, ModelFileChangedError } from '../../src/errors.ts'
import type { ByteSource } from '../../src/tensor/bytes.ts'
import { tempFolder } from '../support/temp-folder.ts'

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i)

const sources: [string, () => ByteSource | Promise<ByteSource>][] = [
  ['a file', () => openFile(join(tempFolder({ 'x.bin': bytes }), 'x.bin'))],
  ['a Uint8Array inside a larger buffer', () => memorySource('x.bin', Uint8Array.of(7, ...bytes, 8).subarray(1, 101))],
  ['a Buffer out of a pool', () => memorySource('x.bin', Buffer.from(bytes))],
  ['an ArrayBuffer', () => memorySource('x.bin', bytes.slice().buffer)],
  ['a Blob', () => memorySource('x.bin', new Blob([bytes]))],
]

test.each(sources)('%s gives copies of its ranges', async (_, make) => {
  const source = await make()
  expect(source.size).toBe(100)
  expect(source.name).toBe('x.bin')
  expect(await source.read(0, 100)).toEqual(bytes)
  expect(await source.read(10, 5)).toEqual(bytes.slice(10, 15))
  expect(await source.read(100, 0)).toEqual(new Uint8Array())
  const first = await source.read(0, 4)
  first.fill(255)
  expect((await source.read(0, 4))[0]).toBe(0)
})

test.each(sources)('%s refuses what lies outside, before it allocates', async (_, make) => {
  const source = await make()
  for (const [offset, length] of [
    [0, 101],
    [99, 2],
    [-1, 1],
    [0, -1],
    [101, 0],
    [2 ** 52, 2 ** 52],
    [0, Number.MAX_SAFE_INTEGER],
    [NaN, 1],
  ] as const) {
    const error = await source.read(offset, length).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(CheckpointError)
    expect((error as Error).message).toContain('x.bin')
    expect((error as Error).message).toContain('100')
  }
})

it('refuses to read a file that has been cut, written to or removed since it was opened', async () => {
  const path = join(tempFolder({ 'x.bin': bytes }), 'x.bin')
  const source = await openFile(path)
  truncateSync(path, 50)
  const cut = `${path} has changed since it was opened (it had 100 bytes and now has 50)`
  await expect(source.read(40, 20)).rejects.toThrow(cut)
  // What is still there may be of another file.
  await expect(source.read(40, 10)).rejects.toThrow(ModelFileChangedError)
  expect(await (await openFile(path)).read(40, 10)).toEqual(bytes.slice(40, 50))
  rmSync(path)
  await expect(source.read(0, 1)).rejects.toThrow(`${path} cannot be read: there is no such file`)
})

it('refuses to read a file whose bytes were replaced by as many others', async () => {
  const path = join(tempFolder({ 'x.bin': bytes }), 'x.bin')
  utimesSync(path, 1, 1)
  const source = await openFile(path)
  expect(await source.read(0, 100)).toEqual(bytes)
  writeFileSync(path, bytes)
  await expect(source.read(0, 1)).rejects.toThrow(`${path} has changed since it was opened (it was written to)`)
})

it('opens files only: folders, pipes and dangling links are named', async () => {
  const folder = tempFolder()
  mkdirSync(join(folder, 'sub'))
  symlinkSync(join(folder, 'gone'), join(folder, 'link'))
  await expect(openFile(join(folder, 'sub'))).rejects.toThrow('sub is not a regular file')
  await expect(openFile(join(folder, 'link'))).rejects.toThrow(
    `link cannot be read: it is a link to ${join(folder, 'gone')}, which is not there`,
  )
  if (process.platform !== 'win32') {
    execFileSync('mkfifo', [join(folder, 'pipe')])
    await expect(openFile(join(folder, 'pipe'))).rejects.toThrow('pipe is not a regular file')
  }
})
