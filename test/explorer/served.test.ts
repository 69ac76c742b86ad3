/** `latentkit explore`: what it serves, to whom, and what it writes. */
import { existsSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { serveExplorer } from '../../apps/cli/explore/server.ts'
import { siteFiles } from '../../apps/cli/explore/site.ts'
import { latentkit } from '../cli/run.ts'
import { tempFolder } from '../support/temp-folder.ts'

async function opened() {
  const server = await serveExplorer({ host: 'localhost', port: 0 })
  onTestFinished(() => server.close())
  return server
}

function status(url: string, headers: Record<string, string>, method = 'GET'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request(url, { headers, method }, response => {
      response.resume()
      resolve(response.statusCode)
    })
      .on('error', reject)
      .end()
  })
}

describe('the server of the explorer', () => {
  it('serves the page isolated, the engine and the model, and nothing else', async () => {
    const { url } = await opened()
    const page = await fetch(url)
    expect(page.headers.get('cross-origin-opener-policy')).toBe('same-origin')
    expect(page.headers.get('cross-origin-embedder-policy')).toBe('require-corp')
    expect(await page.text()).toContain('latentkit explorer')
    for (const file of ['latentkit/latentkit.js', 'tales-mla-8m/config.json'])
      expect((await fetch(url + file)).status).toBe(200)
    for (const file of [
      '../package.json',
      '%2e%2e/package.json',
      'tales-mla-8m/expected.json',
      'tales-mla-8m/',
      '%',
      '/',
      '/[',
    ])
      expect(await status(url + file, {})).toBe(404)
    expect(await status(url, {}, 'POST')).toBe(405)
  })

  it('continues a file, and sends none twice', async () => {
    const { url } = await opened()
    const whole = await fetch(`${url}tales-mla-8m/config.json`)
    const text = await whole.text()
    const rest = await fetch(`${url}tales-mla-8m/config.json`, { headers: { range: 'bytes=10-' } })
    expect(rest.status).toBe(206)
    expect(await rest.text()).toBe(text.slice(10))
    expect(await status(`${url}tales-mla-8m/config.json`, { range: `bytes=${text.length}-` })).toBe(416)
    expect(await status(`${url}tales-mla-8m/config.json`, { 'if-none-match': whole.headers.get('etag') ?? '' })).toBe(
      304,
    )
  })

  it('refuses pages of other hosts that resolve to this machine', async () => {
    const { url } = await opened()
    expect(await status(url, { host: 'evil.example' })).toBe(403)
    expect(await status(url, { host: 'localhost:1' })).toBe(200)
  })

  it('takes the next port where the first is taken, and says so where the port was asked for', async () => {
    const { url } = await serveExplorer({ host: 'localhost', port: undefined }).then(server => {
      onTestFinished(() => server.close())
      return server
    })
    const other = await serveExplorer({ host: 'localhost', port: undefined })
    onTestFinished(() => other.close())
    expect(other.url).not.toBe(url)
    const { code, stderr } = await latentkit(['explore', '--port', new URL(url).port])
    expect(code).toBe(2)
    expect(stderr).toContain('is taken; leave --port out')
  })

  it('writes the site into an empty folder only', async () => {
    const folder = path.join(tempFolder(), 'site')
    expect((await latentkit(['explore', '--out', folder])).code).toBe(0)
    for (const name of siteFiles().keys()) expect(existsSync(path.join(folder, name))).toBe(true)
    const { code, stderr } = await latentkit(['explore', '--out', folder])
    expect(code).toBe(2)
    expect(stderr).toContain('is not empty')
  })

  it('has a page of at most 1.5 MB, compressed, engine included and without the model', () => {
    const loaded = [...siteFiles()].filter(
      ([name]) => !/^tales-mla-8m\/|grammar|masks|licences|core(?!-relaxed-threads)/.test(name),
    )
    expect(loaded.length).toBeGreaterThan(10)
    const bytes = loaded.reduce((n, [, file]) => n + gzipSync(readFileSync(file)).length, 0)
    expect(bytes).toBeLessThan(1.5e6)
  })
})
