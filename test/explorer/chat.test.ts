/** The chat writes what the engine writes, stops, restores itself, and leads from an answer into the views. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { bundledModel, Engine } from '../../src/index.ts'
import { ALL_WANTED, isTooWide, it, LOOKS, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const BEGIN = 'Once upon a time'
const DEADLINE = 90_000

let engine: Engine
beforeAll(async () => {
  if (!NO_CHROMIUM) engine = await Engine.load(bundledModel(), { kernels: 'wasm', inline: true })
}, 60_000)
afterAll(() => engine?.dispose())

describe.skipIf(NO_CHROMIUM)(`the chat${WHY_SKIPPED}`, () => {
  it('writes the engine’s text, and leads into a view that reads it', { timeout: DEADLINE }, async ({ open }) => {
    const { text } = await engine.generate(BEGIN, { temperature: 0, maxTokens: 300 })
    const page = await open('#/chat?temperature=0')
    await page.getByRole('textbox', { name: 'Message' }).fill(BEGIN)
    await page.getByRole('textbox', { name: 'Message' }).press('Enter')
    const answer = page.getByRole('article', { name: 'Answer 1' })
    await answer.waitFor()
    expect(await answer.locator('.plain').textContent()).toBe(text)
    // The address has the conversation.
    await expect
      .poll(() => new URLSearchParams(page.url().split('?')[1]).get('talk'))
      .toBe(JSON.stringify([BEGIN, text]))
    await page.reload()
    expect(await answer.locator('.plain').textContent()).toBe(text)
    await answer.getByRole('link', { name: 'its tokens' }).click()
    await using reading = await engine.inspect(BEGIN + text)
    await page.locator('.token').first().waitFor()
    expect(await page.locator('.token .id').allTextContents()).toEqual(reading.tokens.map(({ id }) => String(id)))
  })

  it('stops when it is told to, and keeps what came', { timeout: DEADLINE }, async ({ open }) => {
    const { text } = await engine.generate(BEGIN, { temperature: 0, maxTokens: 300 })
    const page = await open('#/chat?temperature=0')
    await page.getByRole('textbox', { name: 'Message' }).fill(BEGIN)
    await page.getByRole('button', { name: 'Send' }).click()
    await page.locator('.said-answer .plain').waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    const answer = page.getByRole('article', { name: 'Answer 1' })
    await answer.waitFor()
    const came = (await answer.locator('.plain').textContent()) ?? ''
    expect(came.length).toBeGreaterThan(0)
    expect(came.length).toBeLessThan(text.length)
    expect(text.startsWith(came)).toBe(true)
    await expect.poll(() => page.url()).toContain('talk=')
    await page.getByRole('button', { name: 'Begin again' }).click()
    await page.getByRole('button', { name: BEGIN }).waitFor()
    await expect.poll(() => page.url()).not.toContain('talk=')
  })

  it('says what an encoder cannot do', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open('#/chat')
    await page.getByRole('button', { name: BEGIN }).waitFor()
    const files = ['config.json', 'tokenizer.json', 'model.safetensors']
    await page.locator('input[type=file]').setInputFiles(files.map(file => `test/fixtures/embeddings/bert/${file}`))
    await page.getByText('is an encoder').waitFor()
  })

  it.skipIf(!ALL_WANTED)(
    'holds at every width and in both themes, without serious findings of axe',
    {
      timeout: 240_000,
    },
    async ({ open }) => {
      const talk = JSON.stringify([BEGIN, ', there was a king who had a daughter.', 'She said', ' that she would go.'])
      for (const { width, colorScheme } of LOOKS) {
        const page = await open(`#/chat?${new URLSearchParams({ talk })}`, {
          viewport: { width, height: 900 },
          colorScheme,
        })
        await page.locator('.into').nth(1).waitFor()
        await shoot(page, `chat-${width}-${colorScheme}`)
        expect(await isTooWide(page)).toBe(false)
        expect(await seriousFindings(page)).toEqual([])
        await page.context().close()
      }
    },
  )
})
