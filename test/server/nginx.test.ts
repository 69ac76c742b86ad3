/** 17: behind nginx as Debian has it (skipped where it is not installed), with a proxy that gives up after 3 silent seconds. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listening, metric } from './support.ts'

const HAS_NGINX = spawnSync('nginx', ['-v']).status === 0

/** Defaults of nginx but for the time: responses are buffered unless the server forbids it. */
const config = (folder: string, front: number, port: string) => `
daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${front};
    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_read_timeout 3s;
    }
  }
}`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}

async function accepts(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const open = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (open) return
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

describe.skipIf(!HAS_NGINX)('behind nginx', () => {
  const folder = mkdtempSync(join(tmpdir(), 'latentkit-nginx-'))
  let nginx: ChildProcess
  let front: string
  let server: Awaited<ReturnType<typeof listening>>['server']

  beforeAll(async () => {
    const begun = await listening({ pingInterval: 1, maxRunning: 1 })
    server = begun.server
    const port = await freePort()
    writeFileSync(join(folder, 'nginx.conf'), config(folder, port, new URL(begun.url).port))
    nginx = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'ignore' })
    await accepts(port)
    front = `http://127.0.0.1:${port}`
  })
  afterAll(async () => {
    if (nginx?.kill('SIGTERM')) await once(nginx, 'exit')
    rmSync(folder, { recursive: true, force: true })
  })

  const ask = async (body: object, path = '/v1/completions') => {
    const signal = new AbortController()
    const sent = JSON.stringify({ stream: true, ignore_eos: true, ...body })
    const response = await fetch(`${front}${path}`, { method: 'POST', body: sent, signal: signal.signal })
    expect(response.headers.get('server')).toContain('nginx')
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    const next = async () => new TextDecoder().decode((await reader.read()).value)
    return { next, leave: () => signal.abort() }
  }
  const idle = async () => {
    const begun = performance.now()
    while ((await metric(server, 'num_requests_running')) > 0) await new Promise(resolve => setTimeout(resolve, 5))
    return performance.now() - begun
  }

  test('a stream arrives token by token, and who leaves frees the engine', async () => {
    const long = await ask({ prompt: 'Once', max_tokens: 1900 })
    const first = await long.next()
    expect(first).toContain('"text"')
    expect(first.length).toBeLessThan(2000)
    expect(await metric(server, 'num_requests_running')).toBe(1)
    for (let i = 0; i < 5; i++) await long.next()
    expect(await metric(server, 'num_requests_running')).toBe(1)
    long.leave()
    expect(await idle()).toBeLessThan(600)
  })

  test('the server forbids buffering, which nginx keeps to itself', async () => {
    // Debian's 1.22 gives on what has come before its buffer is full wherever more keeps it waiting: the header is for others.
    const body = JSON.stringify({ prompt: 'Once', max_tokens: 2, stream: true })
    const [direct, behind] = await Promise.all([
      server.app.request('/v1/completions', { method: 'POST', body }),
      fetch(`${front}/v1/completions`, { method: 'POST', body }),
    ])
    expect(direct.headers.get('x-accel-buffering')).toBe('no')
    expect(behind.headers.get('x-accel-buffering')).toBeNull()
    await Promise.all([direct.text(), behind.text()])
  })

  test('signs of life come through longer than nginx waits for silence', async () => {
    const first = await ask({ prompt: 'Once', max_tokens: 1900, n: 8 })
    await first.next()
    const waiting = await ask({ prompt: 'Two', max_tokens: 3 })
    for (let pings = 0; pings < 5; pings++) expect(await waiting.next()).toBe(': ping\n\n')
    first.leave()
    while (!(await waiting.next()).includes('[DONE]')) {
      // Its answer comes after all.
    }
    await idle()
  })
})
