/** The page on the real server with the bundled model, in a real Chromium. */
import { createServer } from 'latentkit/server'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHROMIUM, openBrowser } from './chromium.ts'

describe('the page on the server', async () => {
  const server = await createServer({ port: 0, stopDeadline: 0, apiKeys: ['secret'], load: { threads: 1 } })
  await server.ready
  const { url } = await server.listen()
  let browser: Browser | undefined
  afterAll(async () => {
    await browser?.close()
    await server.close()
  })

  const get = (path: string, accept: string) => fetch(new URL(path, url), { headers: { accept } })

  it('is given to browsers without a key, and other programs get a sentence', async () => {
    const html = await get('/', 'text/html,application/xhtml+xml,*/*;q=0.8')
    expect(html.status).toBe(200)
    expect(html.headers.get('content-security-policy')).toContain("default-src 'none'")
    const [, script = ''] = /src="(main-[^"]+)"/.exec(await html.text()) ?? []
    expect((await get(`/${script}`, '*/*')).headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(await (await get('/', '*/*')).text()).toBe('Ollama is running')
    expect((await get('/other.js', '*/*')).status).toBe(404)
    expect((await get('/v1/models', '*/*')).status).toBe(401)
  })

  describe.skipIf(CHROMIUM === undefined)('in a browser (needs a Chromium)', () => {
    let page: Page

    beforeAll(async () => {
      browser = await openBrowser()
      page = await browser.newPage()
      page.setDefaultTimeout(60_000)
      await page.goto(url)
    })

    const say = async (text: string) => {
      await page.locator('#composer').fill(text)
      await page.keyboard.press('Enter')
    }
    const ended = (n: number) => page.locator('article.answer[aria-busy=false] .numbers').nth(n).waitFor()
    const set = async (fields: Record<string, string>) => {
      await page.getByRole('button', { name: 'Settings' }).click()
      for (const [label, value] of Object.entries(fields)) await page.getByLabel(label).fill(value)
      await page.keyboard.press('Escape')
    }

    it('asks for the key, streams a story, and shows what the cache saved', async () => {
      await page.getByLabel('Key', { exact: true }).fill('secret')
      await page.getByRole('button', { name: 'Use this key' }).click()
      await page.locator('.model-choice', { hasText: server.models[0]! }).waitFor()
      await set({ Temperature: '0', 'Longest answer': '40' })
      await say('Once upon a time, there was a little girl named Lily. She loved to play in the park with her dog.')
      await ended(0)
      const first = await page.locator('article.answer .markdown').first().textContent()
      expect(first?.length).toBeGreaterThan(40)
      await page.getByText('The answer ended at its limit of tokens.').waitFor()
      await page.getByRole('button', { name: 'Try again' }).click()
      await page.getByText('2/2').waitFor()
      await ended(0)
      const numbers = (await page.locator('article.answer .numbers').textContent()) ?? ''
      expect(numbers).toMatch(/[1-9][\d.]* tokens\/s.*40 tokens.*first after/)
      const [, cached, prompt] = /(\d+) of (\d+) cached/.exec(numbers) ?? []
      expect(Number(cached)).toBeGreaterThan(Number(prompt) / 2)
      expect(await page.locator('article.answer .markdown').textContent()).toBe(first)
    })

    it('stops: the server writes no more', async () => {
      await set({ 'Longest answer': '1500' })
      await say('And then')
      await page.locator('article.answer[aria-busy=true] .markdown').waitFor()
      await page.keyboard.press('Escape')
      await page.locator('.ending', { hasText: 'Stopped.' }).waitFor()
      const running = async () => {
        const metrics = await (await fetch(new URL('/metrics', url), { headers: { 'x-api-key': 'secret' } })).text()
        return /^latentkit_num_requests_running\S* (\d+)/m.exec(metrics)?.[1]
      }
      await expect.poll(running, { timeout: 2000 }).toBe('0')
    })

    it('goes on with an answer that was stopped', async () => {
      const last = page.locator('article.answer').last()
      const before = (await last.locator('.markdown').textContent()) ?? ''
      await set({ 'Longest answer': '30' })
      await page.getByRole('button', { name: 'Continue' }).click()
      await last.locator('.ending', { hasText: 'its limit' }).waitFor()
      const after = (await last.locator('.markdown').textContent()) ?? ''
      expect(after.slice(0, before.length)).toBe(before)
      expect(after.length).toBeGreaterThan(before.length + 30)
    })

    it('shows a call that the model was made to write', async () => {
      await page.getByRole('button', { name: 'New conversation' }).first().click()
      const city = { enum: ['Bonn', 'Rom'] }
      const parameters = { type: 'object', properties: { city }, required: ['city'], additionalProperties: false }
      await page.getByRole('button', { name: 'Settings' }).click()
      await page.getByLabel('Tools as JSON').fill(JSON.stringify([{ name: 'weather', parameters }]))
      await page.getByRole('combobox', { name: 'Calls' }).selectOption('required')
      await page.getByLabel('Further fields').fill('{"parallel_tool_calls": false, "max_tokens": 300}')
      await page.keyboard.press('Escape')
      await say('How is the weather?')
      await ended(0)
      expect(await page.locator('.call .name').textContent()).toContain('weather')
      expect(await page.locator('.call dd').textContent()).toMatch(/Bonn|Rom/)
      await page.getByLabel('Result of weather').fill('sunny')
      await page.keyboard.press('Enter')
      await page.locator('article.results', { hasText: 'sunny' }).waitFor()
      await page.keyboard.press('Escape')
    })

    it('says what the server refuses', async () => {
      await page.getByRole('button', { name: 'New conversation' }).first().click()
      await page.getByRole('button', { name: 'Settings' }).click()
      await page.getByLabel('Further fields').fill('{"top_k": "many"}')
      await page.keyboard.press('Escape')
      await say('Hi')
      await page.locator('.ending.failed', { hasText: 'top_k' }).waitFor()
    })

    it('says how much longer than the context a conversation is', async () => {
      await page.getByRole('button', { name: 'New conversation' }).first().click()
      await say('a long story '.repeat(2000))
      await page
        .locator('.ending.failed', { hasText: /The conversation has [\d,]+ tokens, and the model reads [\d,]+\./ })
        .waitFor()
    })
  })
})
