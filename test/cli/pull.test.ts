/** `pull`, `list` and `rm` against a hub on this machine. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { FakeHub, sha256 } from '../support/fake-hub.ts'
import { isStore } from '../support/hub-setup.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, lines, start, TALES } from './run.ts'
import { HAS_TERMINAL, KEY, onTerminal } from './terminal.ts'

const FILES = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']
let files: Record<string, Buffer>

beforeAll(async () => {
  files = Object.fromEntries(FILES.map(name => [name, readFileSync(join(TALES, name))]))
})

async function setUp(id = 'org/tales', more: Record<string, string | Uint8Array> = {}) {
  const hub = await new FakeHub(id, { ...files, ...more }).start()
  const cache = tempFolder()
  const env = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HF_HUB_OFFLINE: '0', HF_HOME: cache }
  return { hub, cache, env, run: (...args: string[]) => latentkit(args, { env }) }
}

describe('pull, list, rm', () => {
  it('bring a model, show it, run it and remove it', async () => {
    const { hub, cache, run } = await setUp()
    expect((await run('list')).stdout).toBe(`No model is in ${cache}; latentkit pull ORG/NAME brings one\n`)

    const pulled = await run('pull', 'org/tales')
    expect(pulled).toMatchObject({ code: 0, stderr: '' })
    expect(lines(pulled.stdout)[0]).toMatch(/^Pulled org\/tales: [\d.]+ MiB in 5 files, deepseek_v\d$/)
    expect(lines(pulled.stdout)[1]).toBe('Run it: latentkit chat org/tales')
    const again = await run('pull', 'https://huggingface.co/org/tales')
    expect(again.stdout).toMatch(/^org\/tales is up to date: /)
    expect(hub.asked('store', 'GET')).toHaveLength(1)

    const [head, row, ...none] = lines((await run('list')).stdout)
    expect(head).toMatch(/^name +size +family +modified$/)
    expect(row).toMatch(/^org\/tales +[\d.]+ MiB +deepseek_v\d +\d{4}-\d\d-\d\d \d\d:\d\d$/)
    expect(none).toEqual([])
    const { models } = JSON.parse((await run('list', '--json')).stdout)
    expect(models).toMatchObject([{ name: 'org/tales', format: 'safetensors', files: 5, complete: true }])

    const text = await run('generate', 'org/tales', 'Once', '--max-tokens', '2', '--offline', '--json')
    expect(JSON.parse(text.stdout).model).toBe('org/tales')

    const asked = await run('rm', 'org/tales')
    expect(asked).toMatchObject({ code: 2, stdout: '' })
    expect(asked.stderr).toMatch(
      /Remove org\/tales \(1 model, [\d.]+ MiB\)\? There is no terminal to ask on; give --yes/,
    )
    const removed = await run('rm', 'org/tales', '--yes', '--json')
    expect(JSON.parse(removed.stdout)).toMatchObject({ removed: [{ name: 'org/tales' }], bytes: models[0].bytes })
    expect(readdirSync(cache)).toEqual(['.locks'])
    const gone = await run('rm', 'org/tales', '-y')
    expect(gone).toMatchObject({ code: 2 })
    expect(gone.stderr).toMatch(/there is no model "org\/tales" in .*; see latentkit list/)
  })

  it('name a GGUF model by its quantisation', async () => {
    const file = join(tempFolder(), 'm-Q8_0.gguf')
    expect((await latentkit(['convert', TALES, file, '--weights', 'q8_0'])).code).toBe(0)
    const { run, cache } = await setUp('org/tales-GGUF', { 'm-Q8_0.gguf': readFileSync(file), 'm-Q4_K_M.gguf': 'GGUF' })
    const wrong = await run('pull', 'org/tales-GGUF:Q8_K', '--json')
    expect(wrong.code).toBe(1)
    expect(JSON.parse(wrong.stderr).error).toMatchObject({ code: 'model_not_found' })
    expect(wrong.stderr).toContain('did you mean org/tales-GGUF:Q8_0?')
    const { stdout } = await run('pull', 'hf.co/org/tales-GGUF:q8_0', '--json')
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'org/tales-GGUF:Q8_0',
      format: 'gguf',
      files: 1,
      bytes: statSync(file).size,
      received: statSync(file).size,
      runs: true,
    })
    for (const name of ['org/tales-GGUF:Q8_0', 'org/tales-GGUF']) {
      const text = await run('generate', name, 'Once', '--max-tokens', '2', '--offline', '--json')
      expect(JSON.parse(text.stdout).model).toBe(name)
    }
    const misspelt = await run('rm', 'org/tales-GGUF:Q8_1', '-y')
    expect(misspelt.stderr).toContain('did you mean org/tales-GGUF:Q8_0?')
    expect((await run('rm', 'org/tales-GGUF:q8_0', '-y')).stdout).toMatch(/^Removed org\/tales-GGUF:Q8_0: /)
    expect(readdirSync(cache)).toEqual(['.locks'])
  })

  it('list a folder of models', async () => {
    const folder = tempFolder({ 'mine/config.json': files['config.json'] as Buffer, 'mine/model.safetensors': 'x' })
    const { stdout } = await latentkit(['list', folder])
    expect(lines(stdout)[1]).toMatch(/^mine +[\d.]+ KiB +deepseek_v\d /)
  })
})

describe('pull', () => {
  it('goes on after kill -9, with what had come', async () => {
    const { hub, cache, env, run } = await setUp()
    const weights = hub.files.get('model.safetensors') as Buffer
    hub.fault = ({ path, range }, response, body) => {
      if (!isStore(path) || range !== undefined) return false
      response.writeHead(200, { 'content-length': body.length })
      // The rest never comes.
      response.write(body.subarray(0, 1_000_000))
      return true
    }
    const child = start(['pull', 'org/tales'], { env, stdio: 'ignore' })
    const part = join(cache, 'models--org--tales', 'blobs', `${sha256(weights)}.incomplete`)
    while (!existsSync(part) || statSync(part).size < 500_000) await new Promise(resolve => setTimeout(resolve, 20))
    child.kill('SIGKILL')
    await new Promise(resolve => child.on('close', resolve))
    const had = statSync(part).size

    expect((await run('list')).stdout).toMatch(/org\/tales .* incomplete: pull it again/)
    const second = await run('pull', 'org/tales', '--json')
    expect(second.stderr).toBe('')
    expect(JSON.parse(second.stdout).received).toBe(weights.length - had)
    expect(hub.requests.filter(r => r.server === 'store').at(-1)?.range).toBe(`bytes=${had}-`)
    const blob = readFileSync(join(cache, 'models--org--tales', 'blobs', sha256(weights)))
    expect(blob.equals(weights)).toBe(true)
  })

  it('by two processes at once fetches each file once', async () => {
    const { hub, run } = await setUp()
    const results = await Promise.all([run('pull', 'org/tales'), run('pull', 'org/tales')])
    for (const result of results) expect(result).toMatchObject({ code: 0, stderr: '' })
    expect(hub.asked('store', 'GET')).toHaveLength(1)
  })

  it('ends by Ctrl-C with a word on what has come', async () => {
    const { hub, env } = await setUp()
    hub.fault = ({ path }, response, body) => {
      if (!isStore(path)) return false
      response.writeHead(200, { 'content-length': body.length })
      response.write(body.subarray(0, 1000), () => child.kill('SIGINT'))
      return true
    }
    const child = start(['pull', 'org/tales'], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let stderr = ''
    child.stderr?.on('data', data => {
      stderr += data
    })
    expect(await new Promise(resolve => child.on('close', resolve))).toBe(130)
    expect(stderr).toBe('What has come is kept: the same command continues it.\n')
  })

  it('refuses a model that does not run before its weights come, unless --any', async () => {
    const config = JSON.stringify({ model_type: 'rwkv', architectures: ['RwkvForCausalLM'] })
    const { hub, run } = await setUp('org/tales', { 'config.json': config })
    const { code, stderr } = await run('pull', 'org/tales')
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: .*rwkv/i)
    expect(hub.asked('store', 'GET')).toEqual([])
    const any = await run('pull', 'org/tales', '--any')
    expect(any.code).toBe(0)
    expect(any.stdout).toMatch(/^Pulled org\/tales: .*, rwkv$/m)
    expect(any.stderr).toMatch(/^latentkit does not run it: .*rwkv/i)
  })

  it.each([
    ['tales-mla-8m', 2, /"tales-mla-8m" is no name of a model on the hub; expected org\/name/],
    ['../../etc/passwd', 2, /is no name of a model on the hub/],
    ['org/tales:../../x', 2, /is no name of a model on the hub/],
    ['org/nothing', 1, /org\/nothing.* is not there \(RepoNotFound\)/],
  ])('%s is refused by a sentence', async (name, code, message) => {
    const { run, cache } = await setUp()
    const result = await run('pull', name)
    expect(result.stderr).toMatch(message)
    expect(result.code).toBe(code)
    expect(readdirSync(cache)).toEqual([])
  })

  it('uses the token of hf auth login', async () => {
    const { hub, env } = await setUp()
    const home = tempFolder({ token: 'hf_login\n' })
    await latentkit(['pull', 'org/tales'], { env: { ...env, HF_HOME: home } })
    expect(hub.requests.filter(r => r.server === 'hub').every(r => r.token === 'Bearer hf_login')).toBe(true)
    const before = hub.requests.length
    await latentkit(['pull', 'org/tales'], { env: { ...env, HF_HOME: home, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' } })
    expect(hub.requests.slice(before).some(r => r.token !== undefined)).toBe(false)
  })
})

it.skipIf(!HAS_TERMINAL)('rm asks on a terminal (needs python3)', async () => {
  const { env, cache, run } = await setUp()
  await run('pull', 'org/tales')
  const asked = (key: string) => onTerminal(['rm', 'org/tales'], [['[y/N] ', key]], env)
  for (const key of [KEY.enter, `n${KEY.enter}`, KEY.end, KEY.interrupt]) {
    const { text, code, left } = asked(key)
    expect([left, code]).toEqual([0, 0])
    expect(text).toMatch(/Remove org\/tales \(1 model, [\d.]+ MiB\)\? \[y\/N\] /)
    expect(text).toContain('Nothing was removed')
  }
  expect(readdirSync(cache)).toContain('models--org--tales')
  expect(asked(`y${KEY.enter}`).text).toContain('Removed org/tales: ')
  expect(readdirSync(cache)).not.toContain('models--org--tales')
})
