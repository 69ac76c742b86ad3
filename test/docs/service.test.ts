/** The unit for systemd in docs/server.md: systemd takes it, and its command serves. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'

const [, unit = ''] = /```ini\n(.*?)```/s.exec(readFileSync('docs/server.md', 'utf8')) ?? []
const [, command = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? []
const HAS_SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0

test.skipIf(!HAS_SYSTEMD)('systemd finds nothing wrong with it', () => {
  const folder = tempFolder()
  const program = join(folder, 'latentkit')
  writeFileSync(program, '#!/bin/sh\n')
  chmodSync(program, 0o755)
  const file = join(folder, 'latentkit.service')
  writeFileSync(file, unit.replace('/usr/local/bin/latentkit', program))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' })
  expect([status, stderr.split('\n').filter(line => line.includes('latentkit.service'))]).toEqual([0, []])
})

test('its command serves, with the folders that systemd gives it', async () => {
  const folder = tempFolder({ 'credentials/keys': 'secret\n' })
  mkdirSync(join(folder, 'state'))
  const paths: Readonly<Record<string, string>> = {
    '/usr/local/bin/latentkit': resolve('dist/apps/cli/main.js'),
    '/srv/models': resolve('models'),
    '${CREDENTIALS_DIRECTORY}': join(folder, 'credentials'),
    '${STATE_DIRECTORY}': join(folder, 'state'),
  }
  const args = Object.entries(paths).reduce((text, [from, to]) => text.replace(from, to), command)
  expect(args).not.toContain('$')
  const env = { PATH: process.env.PATH, HOME: join(folder, 'cache'), XDG_CACHE_HOME: join(folder, 'cache') }
  const child = spawn(process.execPath, [...args.split(' '), '--port', '0'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stderr.on('data', part => {
    said += part
  })
  while (!said.includes('Serving')) await once(child.stderr, 'data')
  const [, url = ''] = /on (http:\S+)/.exec(said) ?? []
  expect((await fetch(`${url}/v1/models`)).status).toBe(401)
  expect((await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer secret' } })).status).toBe(200)
  expect(statSync(join(folder, 'state', 'slots')).isDirectory()).toBe(true)
  child.kill('SIGTERM')
  expect((await once(child, 'exit'))[0]).toBe(0)
})
