/** `chat --no-save` leaves nothing: every file under folders of its own is looked at. */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit } from './run.ts'
import { HAS_TERMINAL, KEY, onTerminal } from './terminal.ts'

/** More than a block of 64 tokens. */
const SECRET = `My secret password is hunter2. ${'The little girl went into the wood. '.repeat(12)}`
const SHORT = ['--max-tokens', '70', '--ignore-eos']

/** A machine on which nothing was written yet, and no variable says where to. */
function machine() {
  const home = tempFolder()
  const folder = (name: string) => {
    mkdirSync(join(home, name))
    return join(home, name)
  }
  const env = {
    HOME: home,
    XDG_CACHE_HOME: folder('cache'),
    XDG_STATE_HOME: folder('state'),
    XDG_DATA_HOME: folder('data'),
    XDG_CONFIG_HOME: folder('config'),
    TMPDIR: folder('tmp'),
    LATENTKIT_CACHE_DIR: '',
    LATENTKIT_STATE_DIR: '',
  }
  const files = () =>
    readdirSync(home, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => join(entry.parentPath, entry.name).slice(home.length))
  return { env, files, cwd: folder('here'), home }
}

describe('chat --no-save', () => {
  it('from a pipe leaves no file anywhere; without it there are blocks', async () => {
    const { env, files, cwd } = machine()
    const { code } = await latentkit(['chat', ...SHORT, '--no-save'], { env, cwd, input: `${SECRET}\nAnd then?\n` })
    expect(code).toBe(0)
    expect(files()).toEqual([])
    await latentkit(['chat', ...SHORT], { env, cwd, input: `${SECRET}\n` })
    expect(files()).toEqual(expect.arrayContaining([expect.stringMatching(/^\/cache\/latentkit\/blocks\/.*\.block$/)]))
  })

  it('wins over a cache folder that was named, and reads nothing from it', async () => {
    const { env, files, cwd, home } = machine()
    const cacheDir = join(home, 'blocks')
    const run = async (...more: string[]) => {
      const { stdout } = await latentkit(['chat', ...SHORT, '--json', '--cache-dir', cacheDir, ...more], {
        env,
        cwd,
        input: `${SECRET}\n`,
      })
      return JSON.parse(stdout).usage.cachedTokens as number
    }
    await run('--no-save')
    expect(files()).toEqual([])
    expect(await run()).toBe(0)
    const left = files()
    expect(left).not.toEqual([])
    expect(await run('--no-save')).toBe(0)
    expect(files()).toEqual(left)
    expect(await run()).toBeGreaterThan(0)
  })

  it('and --name contradict each other', async () => {
    const { code, stderr } = await latentkit(['chat', '--no-save', '--name', 'x'], { input: '' })
    expect(stderr).toMatch(/'--no-save' cannot be used with option '--name <name>'/)
    expect(code).toBe(2)
  })

  it.skipIf(!HAS_TERMINAL)('on a terminal leaves no file; without it there is a chat', () => {
    const { env, files } = machine()
    const talk: [string, string][] = [
      ['> ', `${SECRET}${KEY.enter}`],
      ['> ', KEY.end],
    ]
    expect(onTerminal(['chat', ...SHORT, '--no-save'], talk, env)).toMatchObject({ left: 0, code: 0 })
    expect(files()).toEqual([])
    expect(onTerminal(['chat', ...SHORT], talk, env)).toMatchObject({ left: 0, code: 0 })
    expect(files()).toEqual(expect.arrayContaining([expect.stringMatching(/^\/state\/latentkit\/chats\/.*\.chat$/)]))
  })
})

it('LATENTKIT_DISK_CACHE=0 leaves no blocks of any command', async () => {
  const { env, files, cwd } = machine()
  const off = { ...env, LATENTKIT_DISK_CACHE: '0' }
  await latentkit(['generate', SECRET, '--max-tokens', '3'], { env: off, cwd })
  expect(files()).toEqual([])
})
