import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { latentkit } from './run.ts'

const STORY = 'Once upon a time, there was a little girl named Lily. She lived in a house in the wood. '.repeat(12)
const GENERATE = ['generate', STORY, '--max-tokens', '4', '--temperature', '0', '--json']

describe('what the command line keeps on disk', () => {
  let folder: string
  let dir: string[]
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latentkit-cli-cache-'))
    dir = ['--cache-dir', folder]
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  const cachedTokens = async (...flags: string[]) => {
    const { stdout, stderr } = await latentkit([...GENERATE, ...flags])
    expect(stderr).toBe('')
    return JSON.parse(stdout).usage.cachedTokens as number
  }
  const cache = async (...args: string[]) => latentkit(['cache', ...args, ...dir])

  it('is used by the next run, unless told otherwise', async () => {
    expect((await cache('ls')).stdout).toBe(`Nothing is kept in ${folder}\n`)
    expect(await cachedTokens('--no-disk-cache')).toBe(0)
    expect(await cachedTokens(...dir)).toBe(0)
    expect(await cachedTokens(...dir)).toBeGreaterThanOrEqual(128)
    expect(await cachedTokens('--no-disk-cache')).toBe(0)
  })

  it('is listed, counted, checked and removed', async () => {
    const { models } = JSON.parse((await cache('ls', '--json')).stdout)
    expect(models).toHaveLength(1)
    expect(models[0]).toMatchObject({ label: 'tales-mla-8m', blocks: expect.any(Number) })
    expect((await cache('ls')).stdout).toMatch(
      /^fingerprint +model +blocks +size +last used\n[0-9a-f]{12} +tales-mla-8m/,
    )
    expect((await cache('stats')).stdout).toMatch(/^folder .*\nmodels +1\nblocks +\d\nsize /)
    expect(await cache('verify')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d blocks, .*: 0 damaged\n$/),
    })

    const shelf = join(folder, models[0].fingerprint)
    const [xx] = (await readdir(shelf)).filter(name => name.length === 2)
    const [file] = await readdir(join(shelf, xx as string))
    const path = join(shelf, xx as string, file as string)
    const bytes = await readFile(path)
    bytes[2000] = (bytes[2000] as number) ^ 1
    await writeFile(path, bytes)
    const damaged = await cache('verify')
    expect(damaged.code).toBe(1)
    expect(damaged.stdout).toContain(`${path}: its checksum is wrong\n`)

    expect((await cache('rm')).code).toBe(2)
    expect((await cache('rm', 'another-model')).stderr).toMatch(/nothing is kept of "another-model"/)
    expect((await cache('rm', 'tales-mla-8m')).stdout).toMatch(/^Removed .* of 1 model\n$/)
    expect(await readdir(folder)).toEqual([])
  })
})
