/** `latentkit explore MODEL` in Chromium: the page shows what Node computes, and what was read for it goes when it does. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { NumbersService } from '../../apps/cli/explore/numbers-service.ts'
import { serveExplorer } from '../../apps/cli/explore/server.ts'
import { numbersOf } from '../../apps/explorer/numbers/of-engine.ts'
import { bundledModel, Engine } from '../../src/index.ts'
import { TALES } from '../cli/run.ts'
import { openBrowser } from '../page/chromium.ts'
import { NO_CHROMIUM, WHY_SKIPPED } from './in-browser.ts'
import { explored } from './program.ts'

const SMOLLM2 = fileURLToPath(
  new URL('../../../shared/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf', import.meta.url),
)
const FLAG = 'The American flag is red white and'
const DEADLINE = 90_000

describe.skipIf(NO_CHROMIUM)(`a model in Node${WHY_SKIPPED}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  }, 60_000)
  afterAll(() => browser?.close())

  /** A page, which complains of nothing and asks no other host. */
  async function opened(url: string, hash: string): Promise<Page> {
    const page = await browser.newPage()
    page.setDefaultTimeout(60_000)
    const faults: string[] = []
    page.on('pageerror', error => faults.push(error.message))
    page.on('console', message => message.type() === 'error' && faults.push(message.text()))
    page.on('request', request => request.url().startsWith(url) || faults.push(request.url()))
    onTestFinished(async () => {
      await page.close()
      expect(faults).toEqual([])
    })
    await page.goto(`${url}${hash}`)
    return page
  }

  it.for([
    [TALES, '64 patterns: 8 layers of 8 heads', 4, 2],
    [SMOLLM2, '270 patterns: 30 layers of 9 heads', 12, 3],
  ] as const)('shows what Node computes: %s', { timeout: DEADLINE }, async ([model, title, layer, head], { skip }) => {
    if (!existsSync(model)) skip('the model is not here')
    if (model === SMOLLM2 && !process.env.LATENTKIT_EXPLORER) skip('needs LATENTKIT_EXPLORER')
    await using engine = await Engine.load(model, { inline: true })
    await using reading = await engine.inspect(FLAG)
    const url = await explored(model)
    const page = await opened(
      url,
      `#/patterns?${new URLSearchParams({ text: FLAG, layer: `${layer}`, head: `${head}` })}`,
    )
    await page.locator('#all-heads[aria-busy=false]').waitFor()
    const bar = await page.locator('.model-bar [role=status]').textContent()
    expect(bar).toContain(path.basename(model))
    expect(bar).toContain(`computed in Node (${engine.info.kernels.name} ${engine.info.kernels.isa}`)
    expect(await page.locator('main h3').first().textContent()).toBe(title)
    const last = reading.tokens.length - 1
    for await (const { probabilities } of reading.attention({
      layers: [layer],
      heads: [head],
      rows: [last, last + 1],
    })) {
      const shares = await page.locator('.word').evaluateAll(words => words.map(word => word.getAttribute('title')))
      expect(shares).toEqual([...(probabilities ?? [])].map(p => p.toFixed(3)))
    }
    const cell = await reading.cell({ layer, head, query: last, key: 2 })
    await page.goto(
      `${url}#/number?${new URLSearchParams({ text: FLAG, layer: `${layer}`, head: `${head}`, query: `${last}`, key: '2' })}`,
    )
    await page.locator('#share').waitFor()
    await expect.poll(() => page.locator('#share').textContent()).toBe(cell.probability.toFixed(4))
  })

  describe('of this process', () => {
    let service: NumbersService
    let url: string
    let close: () => Promise<void>
    beforeAll(async () => {
      const engine = await Engine.load(bundledModel(), { inline: true })
      service = new NumbersService(numbersOf(engine, 'node'))
      const server = await serveExplorer({ host: 'localhost', port: 0, numbers: { name: '<b>"$&', service } })
      url = server.url
      close = async () => {
        await service.close()
        await server.close()
      }
    }, 60_000)
    afterAll(() => close?.())

    it('keeps texts for open pages only', { timeout: DEADLINE }, async () => {
      const page = await opened(url, '#/next')
      await page.locator('.lens td').first().waitFor()
      expect(service.held).toEqual({ pages: 1, readings: 1 })
      await page.reload()
      await page.locator('.lens td').first().waitFor()
      await expect.poll(() => service.held).toEqual({ pages: 1, readings: 1 })
      const others = await Promise.all(Array.from({ length: 6 }, () => opened(url, '#/next')))
      // More than the six connections that a browser gives a host.
      for (const other of others) await other.locator('.lens td').first().waitFor()
      expect(service.held).toEqual({ pages: 7, readings: 7 })
      await Promise.all([page, ...others].map(one => one.close()))
      await expect.poll(() => service.held).toEqual({ pages: 0, readings: 0 })
    })

    it('frees the texts of a view when another is shown', { timeout: DEADLINE }, async () => {
      const page = await opened(url, '#/next')
      await page.locator('.lens td').first().waitFor()
      const text = page.getByLabel('Text', { exact: true })
      for (const [i, typed] of ['The cat sat', 'The dog sat'].entries()) {
        await text.fill(typed)
        await expect.poll(() => service.held).toEqual({ pages: 1, readings: 2 + i })
      }
      const views = page.getByRole('navigation', { name: 'Views' })
      await views.getByRole('link', { name: 'Patterns' }).click()
      await page.locator('.matrix canvas').waitFor()
      // The text that both show stays.
      await expect.poll(() => service.held).toEqual({ pages: 1, readings: 1 })
      await views.getByRole('link', { name: /planner/i }).click()
      await expect.poll(() => service.held).toEqual({ pages: 1, readings: 0 })
      await page.goBack()
      await page.locator('.matrix canvas').waitFor()
      expect(service.held).toEqual({ pages: 1, readings: 1 })
    })

    it('opens another in the page, and the one in Node again', { timeout: DEADLINE }, async () => {
      const page = await opened(url, '#/next')
      await page.locator('.lens td').first().waitFor()
      const files = ['config.json', 'tokenizer.json', 'model.safetensors']
      await page.locator('input[type=file]').setInputFiles(files.map(file => path.join(TALES, file)))
      await page.getByText('computed in this page').waitFor()
      await expect.poll(() => service.held).toEqual({ pages: 0, readings: 0 })
      // The name that the server was given is text, whatever it says.
      await page.getByRole('button', { name: 'Back to <b>"$&' }).click()
      await page.getByText('computed in Node').waitFor()
    })
  })

  it('says so when the program has ended', { timeout: DEADLINE }, async () => {
    const engine = await Engine.load(bundledModel(), { inline: true })
    const service = new NumbersService(numbersOf(engine, 'node'))
    const server = await serveExplorer({ host: 'localhost', port: 0, numbers: { name: 'tales', service } })
    const page = await browser.newPage()
    onTestFinished(() => page.close())
    await page.goto(`${server.url}#/next`)
    await page.locator('.lens td').first().waitFor()
    await service.close()
    await server.close()
    await page.getByText('The program that computes has ended. Start latentkit explore').waitFor()
  })
})
