/** How the page is used: by keys, on a phone, in both themes. */
import { describe, expect } from 'vitest'
import { CHROMIUM } from './chromium.ts'
import { ended, it, say } from './in-browser.ts'

describe.skipIf(CHROMIUM === undefined)('the page (needs a Chromium)', () => {
  it('works by keys alone', async ({ open, messages }) => {
    const page = await open()
    const focused = () => page.evaluate('document.activeElement.id')
    expect(await focused()).toBe('composer')
    await page.getByRole('button', { name: 'Settings' }).focus()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.keyboard.press('/')
    expect(await focused()).toBe('composer')
    await page.keyboard.type('one')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('two')
    await page.keyboard.press('Enter')
    await ended(page)
    expect(messages()[0]?.content).toBe('one\ntwo')
    await page.keyboard.press('Control+,')
    await page.getByRole('dialog', { name: 'Settings' }).waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+Shift+O')
    await page.locator('.welcome').waitFor()
    await page.goBack()
    await page.locator('article.answer').waitFor()
  })

  it('fits a phone, in both themes, and every control has a name', async ({ open, server }) => {
    const page = await open({ viewport: { width: 360, height: 700 }, hasTouch: true, colorScheme: 'dark' })
    server.script = reply => {
      reply.chunk({
        content: `${'long'.repeat(100)}\n\n| a | b |\n|--|--|\n| ${'wide'.repeat(30)} | c |\n\n\`\`\`\n${'x'.repeat(300)}\n\`\`\``,
      })
      reply.end()
    }
    await say(page, 'wide '.repeat(50) + 'w'.repeat(200))
    await ended(page)
    // Code and tables scroll in frames of their own; nothing else is wider than the window, cut or not.
    const tooWide = `[...document.querySelectorAll('body *')]
      .filter(e => !e.closest('pre, .table-frame, .hidden') && Math.max(e.getBoundingClientRect().right, e.scrollWidth) > innerWidth)
      .map(e => e.outerHTML.slice(0, 100))`
    expect(await page.evaluate(tooWide)).toEqual([])
    const paper = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    expect(await paper()).toBe('rgb(23, 23, 22)')
    await page.getByRole('button', { name: 'Theme: as the system' }).click()
    expect(await paper()).toBe('rgb(253, 252, 250)')
    await page.reload()
    await page.locator('article.answer').waitFor()
    expect(await paper()).toBe('rgb(253, 252, 250)')
    await page.getByRole('button', { name: 'Show conversations' }).click()
    await page.getByRole('link', { name: /wide/ }).waitFor()
    await page.keyboard.press('Tab')
    await page.getByRole('button', { name: 'Close the list' }).last().click()
    await page.getByRole('button', { name: 'Settings' }).click()
    const nameless = await page.locator('button, input, textarea, select, a').evaluateAll(controls =>
      controls
        .filter(control => {
          const { labels } = control as unknown as { labels?: { length: number } }
          return !control.textContent?.trim() && !control.getAttribute('aria-label') && !labels?.length
        })
        .map(control => control.outerHTML),
    )
    expect(nameless).toEqual([])
  })
})
