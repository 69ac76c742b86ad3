/** What goes into a request: settings, the key, files. */
import { describe, expect } from 'vitest'
import { CHROMIUM } from './chromium.ts'
import { ended, it, say } from './in-browser.ts'

describe.skipIf(CHROMIUM === undefined)('what is asked (needs a Chromium)', () => {
  it('sends system prompt, sampling, model and further fields, and reports what is not valid', async ({
    open,
    server,
  }) => {
    server.models = [{ id: 'small' }, { id: 'large' }]
    const page = await open()
    await page.getByLabel('Model').selectOption('large')
    await page.getByRole('button', { name: 'Settings' }).click()
    const sheet = page.locator('dialog')
    await sheet.getByLabel('System prompt').fill('Be brief.')
    await sheet.getByLabel('Temperature').fill('0.5')
    await sheet.getByLabel('Top K').fill('2.5')
    await sheet.getByText('This has to be a whole number.').waitFor()
    await sheet.getByLabel('Stop at').fill('END\n###')
    await sheet.getByLabel('Further fields').fill('{"top_n_sigma": 1}')
    await page.keyboard.press('Escape')
    await say(page, 'Hi')
    await page.getByText('Top K: This has to be a whole number.').waitFor()
    expect(server.lastBody).toEqual({})
    await page.locator('.notice').getByRole('button', { name: 'Settings' }).click()
    await sheet.getByLabel('Top K').fill('20')
    await page.keyboard.press('Escape')
    await page.locator('#composer').press('Enter')
    await ended(page)
    expect(server.lastBody).toMatchObject({
      ...{ model: 'large', temperature: 0.5, top_k: 20, stop: ['END', '###'], top_n_sigma: 1 },
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
    })
  })

  it('asks for a key when the server does, and uses it', async ({ open, server }) => {
    server.key = 'secret'
    const page = await open()
    const dialog = page.getByRole('dialog', { name: 'API key' })
    await dialog.getByLabel('Key', { exact: true }).fill('secret')
    await dialog.getByRole('button', { name: 'Use this key' }).click()
    await page.locator('.model-choice', { hasText: 'small' }).waitFor()
    await say(page, 'Hi')
    await ended(page)
    expect(server.asked.at(-1)?.authorization).toBe('Bearer secret')
  })

  it('takes dropped text files into the message, and refuses others', async ({ open, messages }) => {
    const page = await open()
    const drop = (name: string, content: string) =>
      page.evaluate(`(() => {
        const data = new DataTransfer()
        data.items.add(new File([${content}], ${JSON.stringify(name)}))
        window.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }))
      })()`)
    await drop('photo.jpg', 'new Uint8Array([255, 216, 0, 1])')
    await page.getByText('photo.jpg is not a text file.').waitFor()
    await drop('notes.md', '"a ```fence``` inside"')
    await page.locator('.composer .chip', { hasText: 'notes.md' }).waitFor()
    await say(page, 'Sum this up')
    await ended(page)
    expect(messages()[0]?.content).toBe('File notes.md:\n````\na ```fence``` inside\n````\n\nSum this up')
    expect(await page.locator('article.user .chip').count()).toBe(1)
  })
})
