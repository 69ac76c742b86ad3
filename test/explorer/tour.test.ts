/** The guided tour: each step opens its view, which shows the numbers that its text speaks of; they are the engine's. */
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { MET, ONE_READING } from '../../apps/explorer/view/tour/places.ts'
import { STEPS } from '../../apps/explorer/view/tour/steps.ts'
import { bundledModel, Engine } from '../../src/index.ts'
import { ALL_WANTED, isTooWide, it, LOOKS, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const FLAG = 'The American flag is red white and'
const UMBRELLA = 'She hit the man with the umbrella'

let engine: Engine
beforeAll(async () => {
  if (!NO_CHROMIUM) engine = await Engine.load(bundledModel(), { kernels: 'wasm', inline: true })
}, 60_000)
afterAll(() => engine?.dispose())

/** The numbers of a step's text, once all are known. */
async function told(page: Page): Promise<string[]> {
  const numbers = page.locator('.tour .told')
  await expect
    .poll(
      async () => (await numbers.count()) > 0 && (await page.locator('.tour .told[data-known=false]').count()) === 0,
      {
        timeout: 30_000,
      },
    )
    .toBe(true)
  return numbers.allTextContents()
}

/** All that the view itself shows, to the eye and to a screen reader. */
async function shown(page: Page): Promise<string> {
  return page.evaluate(`(() => {
    const view = document.querySelector('main').cloneNode(true)
    view.querySelector('.tour').remove()
    const names = [...view.querySelectorAll('[aria-label], [title]')].flatMap(e => [e.getAttribute('aria-label'), e.getAttribute('title')])
    return view.textContent + ' ' + names.join(' ')
  })()`)
}

describe.skipIf(NO_CHROMIUM)(`the guided tour${WHY_SKIPPED}`, () => {
  it('leads through all steps by keyboard; every view shows the numbers that the text tells', {
    timeout: 240_000,
  }, async ({ open }) => {
    const page = await open('')
    await page.getByRole('link', { name: 'Take the guided tour' }).click()
    const all: string[][] = []
    for (const [i, { title, view, params, name: step }] of STEPS.entries()) {
      const heading = page.getByRole('heading', { name: title, exact: true, level: 2 })
      await heading.waitFor()
      // A screen reader continues at the step's text.
      await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('tour-title')
      const query = new URLSearchParams(page.url().split('?')[1])
      expect(page.url()).toContain(`#/${view}?`)
      for (const [name, value] of Object.entries({ ...params, tour: String(i + 1) }))
        expect(query.get(name)).toBe(value)
      const numbers = await told(page)
      // The second reading is another head's, which the view does not show: it is held to the engine below.
      const sought = step === 'heads' ? numbers.toSpliced(1, 1) : numbers
      await expect
        .poll(
          async () => {
            const text = await shown(page)
            return sought.filter(number => !text.includes(number))
          },
          { timeout: 30_000 },
        )
        .toEqual([])
      all.push(numbers)
      await page.keyboard.press('ArrowRight')
    }
    // The last step stays; the arrow back leads to the one before.
    await page.keyboard.press('ArrowLeft')
    await page.getByRole('heading', { name: STEPS.at(-2)?.title ?? '', exact: true }).waitFor()

    await using reading = await engine.inspect(FLAG)
    expect(all[0]).toEqual([
      String(reading.tokens.length),
      String(reading.tokens.find(({ text }) => text === ' red')?.id),
      String(engine.info.hiddenSize),
    ])
    const next = await reading.next({ top: 2 })
    expect(all[2]?.[0]).toBe(next.top[0]?.probability.toFixed(4))
    await using umbrella = await engine.inspect(UMBRELLA)
    const man = umbrella.tokens.findIndex(({ text }) => text === ' man')
    const toMan: number[] = []
    const { query } = ONE_READING
    const rows = [query, query + 1]
    for await (const { probabilities } of umbrella.attention({ rows })) toMan.push(probabilities?.[man] ?? 0)
    expect(all[4]?.[1]).toBe(Math.max(...toMan).toFixed(3))
    const cell = await reading.cell(MET)
    expect(all[5]).toEqual([cell.score.toFixed(2), cell.probability.toFixed(4)])
    expect(new Set(all[10])).toEqual(
      new Set(cell.paths.flatMap(({ worked, key }) => [worked.toFixed(5), String(key.length)])),
    )
    // What the articles tell.
    expect(all[13]).toEqual(['400 GB', '7.03 GB', '56.9×'])
  })

  it('leaves the arrow keys to what uses them, and gives back what a step began with', { timeout: 90_000 }, async ({
    open,
  }) => {
    const { view, params } = STEPS[3]!
    const page = await open(`#/${view}?${new URLSearchParams({ open2: './tales-mla-8m/', tour: '4', ...params })}`)
    // The models stay those that are open.
    expect(await page.getByRole('link', { name: /^Next/ }).getAttribute('href')).toContain('open2=')
    await page.locator('.matrix').focus()
    await page.keyboard.press('ArrowLeft')
    expect(page.url()).toContain('tour=4')
    await page.keyboard.press('ArrowUp')
    await expect.poll(() => page.url()).toContain('query=10')
    await page.getByRole('button', { name: 'As this step began' }).click()
    await expect.poll(() => page.url()).toContain('query=11')
    await page.goto(`${page.url().split('#')[0]}#/${view}?tour=99`)
    await page.getByRole('heading', { level: 1 }).waitFor()
    expect(await page.locator('.tour').count()).toBe(0)
  })

  it.skipIf(!ALL_WANTED)(
    'holds at every width and in both themes, without serious findings of axe',
    {
      timeout: 900_000,
    },
    async ({ open }) => {
      for (const { width, colorScheme } of LOOKS) {
        const page = await open('', { viewport: { width, height: 900 }, colorScheme })
        for (const i of STEPS.keys()) {
          const { view, params } = STEPS[i]!
          await page.goto(
            `${page.url().split('#')[0]}#/${view}?${new URLSearchParams({ tour: String(i + 1), ...params })}`,
          )
          await told(page)
          await shoot(page, `tour-${i + 1}-${width}-${colorScheme}`)
          expect(await isTooWide(page)).toBe(false)
          expect(await seriousFindings(page)).toEqual([])
        }
        await page.context().close()
      }
    },
  )
})
