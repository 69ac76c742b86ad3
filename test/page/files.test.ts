/** How the server gives out the page. */
import { describe, expect, it } from 'vitest'
import { pageResponse } from '../../apps/server/page/files.ts'

const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  pageResponse(new Request(`http://localhost${path}`, { headers, method }))

describe('the files of the page', () => {
  it('allow no script but their own and no other host', async () => {
    const response = get('/')
    expect(response?.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = response?.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).toContain("require-trusted-types-for 'script'")
    expect(policy).not.toContain('unsafe')
    const html = (await response?.text()) ?? ''
    expect(html).not.toMatch(/<script>|<style|style=|https?:|\son\w+=/)
  })

  it('are asked for again only when they have changed', async () => {
    const html = (await get('/')?.text()) ?? ''
    const names = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => `/${name}`)
    expect(names).toHaveLength(4)
    for (const name of ['/', ...names]) {
      const response = get(name)
      const etag = response?.headers.get('etag') ?? ''
      expect(response?.headers.get('cache-control'), name).toBe(
        /-\w{8}\./.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
      )
      expect(get(name, { 'if-none-match': `"x", W/${etag}` })?.status).toBe(304)
      expect(get(name, { 'if-none-match': '"x"' })?.status).toBe(200)
    }
  })

  it('are only those that were built', async () => {
    expect(get('/index.html')).toBeUndefined()
    expect(get('/../package.json')).toBeUndefined()
    expect(get('/', {}, 'POST')).toBeUndefined()
    expect(await get('/', {}, 'HEAD')?.text()).toBe('')
    expect(await get('/licences.txt')?.text()).toContain('markdown-it')
  })
})
