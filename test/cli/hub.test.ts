import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { FakeHub } from '../support/fake-hub.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { latentkit, TALES } from './run.ts'

const FILES = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']

it('a model of the hub is fetched once, then used without the network', async () => {
  const files = Object.fromEntries(FILES.map(name => [name, readFileSync(join(TALES, name))]))
  const hub = await new FakeHub('org/tales', files).start()
  const cache = tempFolder()
  const online = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: cache, HF_TOKEN: 'secret', HF_HUB_OFFLINE: '0' }
  const args = ['generate', 'org/tales', 'Once', '--temperature', '0', '--max-tokens', '8', '--json']

  const first = await latentkit(args, { env: online })
  expect(first.stderr).toBe('')
  expect(JSON.parse(first.stdout).model).toBe('org/tales')
  expect(readdirSync(cache)).toContain('models--org--tales')
  expect(hub.requests.some(r => r.server === 'hub' && r.token === 'Bearer secret')).toBe(true)
  expect(hub.requests.filter(r => r.server === 'store').map(r => r.token)).not.toContain('Bearer secret')

  const before = hub.requests.length
  const second = await latentkit([...args, '--offline'], { env: online })
  expect(JSON.parse(second.stdout).text).toBe(JSON.parse(first.stdout).text)
  expect(hub.requests).toHaveLength(before)
})

it('a model that the hub does not have is told in one sentence', async () => {
  const hub = await new FakeHub('org/tales', {}).start()
  const env = { HF_ENDPOINT: hub.endpoint, HF_HUB_CACHE: tempFolder(), HF_HUB_OFFLINE: '0' }
  const { code, stderr } = await latentkit(['inspect', 'org/nothing'], { env })
  expect(stderr).toMatch(/^error: org\/nothing@main is neither a folder here nor complete in the cache/)
  expect(stderr.trim()).not.toContain('\n')
  expect(code).toBe(1)
})
