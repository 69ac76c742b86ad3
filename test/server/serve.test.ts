/** `latentkit serve` as README shows it: one command serves the bundled model, one more asks it. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
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
    const [, url] = /Serving .* on (http:\S+)/.exec(said) ?? []
    if (url) return { child, url, ended, said: () => said }
    await Promise.race([once(child.stderr as never, 'data'), ended.then(() => Promise.reject(new Error(said)))])
  }
}

const ask = (url: string, headers = {}) =>
  fetch(`${url}/v1/completions`, { method: 'POST', headers, body: '{"prompt": "Once upon a time", "max_tokens": 5}' })

test('with no argument it serves the bundled model, and stops in order', { timeout: 60_000 }, async () => {
  const { child, url, ended, said } = await serve([])
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  const answer = (await (await ask(url)).json()) as { choices: { text: string }[] }
  expect(answer.choices[0]?.text.length).toBeGreaterThan(0)
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(said()).toContain('"path":"/v1/completions","status":200')
  expect(said()).not.toContain('Once upon a time')
})

test('keys come from a file; flags from the file of settings', { timeout: 60_000 }, async () => {
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

test('what cannot be served is said', async () => {
  const { code, stderr } = await latentkit(['serve', './nothing-here', '--port', '0'])
  expect(code).toBe(1)
  expect(stderr).toContain('nothing-here')
})
