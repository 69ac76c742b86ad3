/**
 * From opening a page to the first token of the bundled model, engine and model over HTTP from this machine, in Chromium: a
 * first visit, with nothing kept, and a second one. At most 2 s is the aim.
 *
 *     node scripts/bench.mjs page-start [--rounds 5] [--threads 2] [--json] [--keep]
 */
import path from 'node:path'
import type { BrowserContext } from 'playwright-core'
import { openBrowser } from '../test/page/chromium.ts'
import { openServer, type Page } from './browser/pages.ts'
import { benchOptions } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const PROMPT = 'Once upon a time, there was a little girl named Lily.'
const FIRST = ' She'
const VISITS = ['first visit', 'second visit'] as const

/** Milliseconds from the page's opening until then. */
const PHASES = ['page open', 'module run', 'model loaded', 'first token'] as const

const { rounds, threads, json, keep } = benchOptions()
const server = await openServer({ tales: path.resolve('models', 'tales-mla-8m') })
const browser = await openBrowser()
const times = Object.fromEntries(VISITS.map(visit => [visit, PHASES.map((): number[] => [])]))
try {
  for (let round = 0; round <= rounds; round++) {
    const context = await browser.newContext()
    for (const visit of VISITS) {
      const phases = await visitPage(context)
      // The first round starts the browser's own processes.
      if (round > 0) for (const [i, ms] of phases.entries()) times[visit]?.[i]?.push(ms)
    }
    await context.close()
  }
} finally {
  await browser.close()
  await server[Symbol.asyncDispose]()
}
const results = VISITS.map(visit => ({ visit, ms: (times[visit] ?? []).map(spread) }))
if (!json) printTable([['ms', ...PHASES], ...results.map(({ visit, ms }) => [visit, ...ms.map(s => show(s, 0))])])
printJson('page-start', { threads, phases: PHASES, results }, keep)

async function visitPage(context: BrowserContext): Promise<number[]> {
  const page = await context.newPage()
  const start = performance.timeOrigin + performance.now()
  await page.goto(`${server.url}/`)
  const { text, at } = await page.evaluate(
    async ({ prompt, threads }) => {
      const now = () => performance.timeOrigin + performance.now()
      const at = [now()]
      const { Engine } = await (globalThis as unknown as Page).load('/latentkit/latentkit.js')
      at.push(now())
      const engine = await Engine.load('/tales/', { threads })
      at.push(now())
      for await (const { text } of engine.generate(prompt, { maxTokens: 4, temperature: 0 })) {
        at.push(now())
        return { text: text as string, at }
      }
      return { text: '', at }
    },
    { prompt: PROMPT, threads },
  )
  mustBe(`the first token is ${JSON.stringify(text)}`, text === FIRST)
  await page.close()
  return at.map(time => time - start)
}
