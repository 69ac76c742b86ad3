/** Conversations: kept, listed, exchanged, and seen by other tabs. */
import { describe, expect } from 'vitest'
import { CHROMIUM } from './chromium.ts'
import { answer, ended, it, say } from './in-browser.ts'

describe.skipIf(CHROMIUM === undefined)('conversations (needs a Chromium)', () => {
  it('keeps conversations over a reload; renames, deletes with undo, exports and imports', async ({ open }) => {
    const page = await open()
    await say(page, 'A question about ships')
    await ended(page)
    await page.reload()
    await page.locator('article.answer').getByText('Hello.').waitFor()
    const list = page.getByRole('navigation', { name: 'Conversations' })
    const choose = async (title: string, action: string) => {
      await list.getByRole('button', { name: `Actions for ${title}` }).click()
      await page.getByRole('menuitem', { name: action }).click()
    }
    await choose('A question about ships', 'Rename')
    await page.getByLabel('Name of the conversation').fill('Ships')
    await page.keyboard.press('Enter')
    await list.getByRole('link', { name: 'Ships' }).waitFor()
    const download = page.waitForEvent('download')
    await choose('Ships', 'Export as JSON')
    const file = await (await download).path()
    await choose('Ships', 'Delete')
    await page.locator('.welcome').waitFor()
    expect(await list.getByRole('link').count()).toBe(0)
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.locator('article.answer').getByText('Hello.').waitFor()
    await page.getByLabel('A file of exported conversations').setInputFiles(file)
    await page.getByText('One conversation read.').waitFor()
    expect(await list.getByRole('link', { name: 'Ships' }).count()).toBe(2)
  })

  it('writes on in a conversation that is not shown, and other tabs see what is kept', async ({ open, server }) => {
    const page = await open()
    let finish = () => {}
    server.script = async reply => {
      reply.chunk({ content: 'Slowly ' })
      await new Promise<void>(resolve => {
        finish = resolve
      })
      reply.chunk({ content: 'written.' })
      reply.end()
    }
    await say(page, 'A slow one')
    await answer(page).getByText('Slowly').waitFor()
    const other = await page.context().newPage()
    await other.goto(server.url)
    await page.getByRole('button', { name: 'New conversation' }).first().click()
    server.script = reply => {
      reply.chunk({ content: 'At once.' })
      reply.end()
    }
    await say(page, 'A fast one')
    await ended(page)
    await other.getByRole('link', { name: 'A fast one' }).click()
    await other.getByRole('main').getByText('At once.').waitFor()
    finish()
    await page.getByRole('link', { name: 'A slow one' }).click()
    await page.getByRole('main').getByText('Slowly written.').waitFor()
    await other.getByRole('link', { name: 'A slow one' }).click()
    await other.getByRole('main').getByText('Slowly written.').waitFor()
  })
})
