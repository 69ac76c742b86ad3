/** Defaults of flags from a file: behind flags and variables, before the program's own. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, lines } from './run.ts'

type Env = Readonly<Record<string, string>>

/** `latentkit ARGS` with a file of defaults. */
async function run(config: unknown, args: readonly string[], env: Env = {}) {
  const text = typeof config === 'string' ? config : JSON.stringify(config)
  const file = join(tempFolder({ 'config.json': text }), 'config.json')
  return latentkit(args, { env: { LATENTKIT_CONFIG: file, ...env } })
}

describe('defaults from a file', () => {
  const planned = async (config: unknown, args: readonly string[] = [], env: Env = {}) =>
    JSON.parse((await run(config, ['plan', 'V3', '--json', ...args], env)).stdout)

  it('take the place of the program’s own, and flags the place of them', async () => {
    const config = { plan: { context: '8k', 'cache-type': 'q8_0', batch: 3 }, chat: { temperature: 0.5 } }
    const p = await planned(config)
    expect([p.context, p.cache.dtype, p.batch]).toEqual([8192, 'q8_0', 3])
    expect((await planned(config, ['--context', '1k'])).context).toBe(1024)
    expect((await planned({ plan: { cacheType: 'q8_0' } })).cache.dtype).toBe('q8_0')
    expect((await planned({ plan: { compare: ['mha,mqa'] } })).compare).toHaveLength(2)
  })

  it('for all commands that have the flag, unless one has its own', async () => {
    expect((await planned({ '*': { context: '4k', temperature: 0.5 } })).context).toBe(4096)
    expect((await planned({ '*': { context: '4k' }, plan: { context: '2k' } })).context).toBe(2048)
  })

  it('stand behind variables of the environment', async () => {
    const args = ['generate', 'Once', '--max-tokens', '2', '--seed', '1', '--json', '--no-disk-cache']
    const threads = async (env: Env) => {
      const { stdout } = await run({ generate: { threads: 1, kernels: 'reference' } }, args, env)
      return JSON.parse(stdout).model?.kernels ?? JSON.parse(stdout)
    }
    expect(JSON.stringify(await threads({}))).toContain('reference')
    expect(JSON.stringify(await threads({ LATENTKIT_KERNELS: 'wasm' }))).not.toContain('reference')
  })

  it('of flags that are on or off', async () => {
    expect(JSON.parse((await run({ plan: { json: true } }, ['plan', 'V3'])).stdout).context).toBe(163_840)
    expect((await run({ plan: { json: false } }, ['plan', 'V3'])).stdout).toMatch(/^DeepSeek-V3 for/)
  })

  it('are found in the folder for settings, which need not be there', async () => {
    const XDG_CONFIG_HOME = tempFolder()
    const context = async () =>
      JSON.parse((await latentkit(['plan', 'V3', '--json'], { env: { XDG_CONFIG_HOME } })).stdout).context
    expect(await context()).toBe(163_840)
    mkdirSync(join(XDG_CONFIG_HOME, 'latentkit'))
    writeFileSync(join(XDG_CONFIG_HOME, 'latentkit/config.json'), '{"plan":{"context":500}}')
    expect(await context()).toBe(500)
  })

  it.each<[unknown, RegExp]>([
    ['{', /config\.json is not JSON/],
    [[], /config\.json holds no JSON object; expected one such as/],
    [{ plann: {} }, /config\.json: "plann" is no command; did you mean plan\?/],
    [{ plan: 3 }, /config\.json: "plan" is 3; expected an object of flags/],
    [{ plan: { contxt: 3 } }, /config\.json: "plan\.contxt" is no flag; did you mean context\?/],
    [{ plan: { context: 'many' } }, /config\.json: "plan\.context" is "many"\. Expected a number of tokens/],
    [{ '*': { batch: 0 } }, /config\.json: "\*\.batch" is 0\. Expected/],
    [{ plan: { json: 'yes' } }, /config\.json: "plan\.json" is "yes"; expected true or false/],
    [{ plan: { context: { n: 1 } } }, /config\.json: "plan\.context" is \{"n":1\}; expected a text or a number/],
  ])('%j is told with file and key', async (config, message) => {
    const { code, stdout, stderr } = await run(config, ['plan', 'V3'])
    expect(stderr).toMatch(message)
    expect([code, stdout, lines(stderr).length]).toEqual([2, '', 1])
    expect((await run(config, ['plan', '--help'])).code).toBe(0)
  })

  it('a file that was named and is not there is told', async () => {
    const { code, stderr } = await latentkit(['plan', 'V3'], { env: { LATENTKIT_CONFIG: '/nowhere/x.json' } })
    expect(stderr).toMatch(/\/nowhere\/x\.json cannot be read: there is no such file/)
    expect(code).toBe(1)
  })
})
