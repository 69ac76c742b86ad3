/** `latentkit serve` as README shows it: one command serves the bundled model, one more asks it. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { latentkit, start } from '../cli/run.ts'
import { tempFolder } from '../support/temp-folder.ts'

async function serve(args: readonly string[], env: Record<string, string> = {}) {
  const child = start(['serve', '--port', '0', '--no-disk-cache', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stderr?.on('data', part => {
    said += part
  })
  const ended = once(child, 'exit')
  for (;;) {
    const [, url] = /Serving .* on (https?:\S+)/.exec(said) ?? []
    if (url) return { child, url, ended, said: () => said }
    await Promise.race([once(child.stderr as never, 'data'), ended.then(() => Promise.reject(new Error(said)))])
  }
}

const ask = (url: string, headers = {}) =>
  fetch(`${url}/v1/completions`, { method: 'POST', headers, body: '{"prompt": "Once upon a time", "max_tokens": 5}' })

test('with no argument it serves the bundled model, and stops in order', async () => {
  const { child, url, ended, said } = await serve([])
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const answer = (await (await ask(url)).json()) as { choices: { text: string }[] }
  expect(answer.choices[0]?.text.length).toBeGreaterThan(0)
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(said()).toContain('"path":"/v1/completions","status":200')
  expect(said()).not.toContain('Once upon a time')
})

test('a stop while the model loads is in order, too', async () => {
  const child = start(['serve', '--port', '0', '--no-disk-cache'], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stderr?.on('data', part => {
    said += part
    // The program takes signals from a moment later on.
    if (part.includes('"listening"')) setTimeout(() => child.kill('SIGTERM'), 50)
  })
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(said).not.toContain('error')
})

test('keys come from a file; flags from the file of settings', async () => {
  const folder = tempFolder({ keys: 'secret\n' })
  const settings = { serve: { apiKeyFile: join(folder, 'keys'), log: 'none', alias: ['tale=tales-mla-8m'] } }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(settings))
  const { child, url, ended, said } = await serve([], { LATENTKIT_CONFIG: join(folder, 'config.json') })
  expect((await ask(url)).status).toBe(401)
  const answer = await ask(url, { authorization: 'Bearer secret' })
  expect(await answer.json()).toMatchObject({ model: 'tale' })
  child.kill('SIGINT')
  expect((await ended)[0]).toBe(130)
  expect(said()).not.toContain('secret')
})

test('--config has the same names, and models; flags come first', async () => {
  const settings = { models: ['tales-mla-8m'], alias: ['tale=tales-mla-8m'], apiKey: 'k', log: 'none', port: 1 }
  const file = join(tempFolder({ 'server.json': JSON.stringify(settings) }), 'server.json')
  const { child, url, ended, said } = await serve(['--config', file])
  const { data } = (await (await fetch(`${url}/v1/models`, { headers: { 'x-api-key': 'k' } })).json()) as {
    data: { id: string }[]
  }
  expect(data.map(({ id }) => id)).toEqual(['tales-mla-8m', 'tale'])
  expect(said()).not.toContain('Warning')
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

test.each([
  [{ prot: 8000 }, '"prot" is no flag; did you mean port?'],
  [{ serve: { maxRuning: 2 } }, '"serve.maxRuning" is no flag; did you mean maxRunning?'],
  [{ models: 'a' }, '"models" is "a"; expected a list of models'],
  [{ port: 'many' }, '"port" is "many"'],
])('--config %j is refused', async (settings, message) => {
  const file = join(tempFolder({ 'server.json': JSON.stringify(settings) }), 'server.json')
  const { code, stderr } = await latentkit(['serve', `--config=${file}`, '--port', '0'])
  expect(code).toBe(2)
  expect(stderr).toContain(message)
})

test('without a key, beyond this machine, it warns', async () => {
  const { child, ended, said } = await serve(['--host', '0.0.0.0'])
  expect(said()).toContain('Warning: whoever reaches this machine may use the server: it listens on 0.0.0.0')
  child.kill('SIGTERM')
  await ended
  const guarded = await serve(['--host', '0.0.0.0', '--api-key', 'k'])
  expect(guarded.said()).not.toContain('Warning')
})

test('--pulled serves what latentkit list shows, by those names', async () => {
  const cache = tempFolder()
  const empty = await latentkit(['serve', '--pulled', '--port', '0'], { env: { HF_HUB_CACHE: cache } })
  expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining('latentkit pull ORG/NAME brings one')])
  const snapshot = join(cache, 'models--some-org--tale', 'snapshots', 'a'.repeat(40))
  cpSync('models/tales-mla-8m', snapshot, { recursive: true })
  mkdirSync(join(cache, 'models--some-org--tale', 'refs'))
  writeFileSync(join(cache, 'models--some-org--tale', 'refs', 'main'), 'a'.repeat(40))
  const { url } = await serve(['--pulled', '--offline'], { HF_HUB_CACHE: cache })
  const answer = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    body: '{"model": "some-org/tale", "prompt": "Once", "max_tokens": 2}',
  })
  expect(await answer.json()).toMatchObject({ model: 'some-org/tale' })
})

const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0

test.skipIf(!HAS_OPENSSL)('speaks TLS with a certificate and its key', async () => {
  const folder = tempFolder()
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  spawnSync('openssl', [...made, '-subj', '/CN=localhost', '-keyout', key, '-out', cert])
  const { url } = await serve(['--ssl-cert-file', cert, '--ssl-key-file', key])
  expect(url).toMatch(/^https:/)
  const body = await new Promise<string>((resolve, reject) => {
    get(`${url}/health`, { ca: readFileSync(cert), servername: 'localhost' }, response => {
      response.on('data', part => resolve(String(part)))
    }).on('error', reject)
  })
  expect(body).toBe('{"status":"ok"}')
  const alone = await latentkit(['serve', '--port', '0', '--ssl-cert-file', cert])
  expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining('sslCertFile was given without sslKeyFile')])
  const wrong = await latentkit(['serve', '--port', '0', '--ssl-cert-file', key, '--ssl-key-file', key])
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('no certificate with its key')])
})

test('what cannot be served is said', async () => {
  const { code, stderr } = await latentkit(['serve', './nothing-here', '--port', '0'])
  expect(code).toBe(1)
  expect(stderr).toContain('nothing-here')
})
