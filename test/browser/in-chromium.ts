/** Pages with `latentkit/browser` in a real Chromium. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import { bundleBrowser } from '../../scripts/bundle-browser.mjs'
import { TALES } from '../engine/tales.ts'
import { CHROMIUM, openBrowser } from '../page/chromium.ts'
import { type ServedOptions, STRICT_CSP, StaticServer } from './static-server.ts'

export const NO_CHROMIUM = CHROMIUM === undefined
/** For names of tests. */
export const WHY_SKIPPED = NO_CHROMIUM ? ' (there is no Chromium here)' : ''

const PAGE = '<!doctype html><title>latentkit</title><script type="module" src="/page.js"></script>'
const SCRIPT = "import * as latentkit from '/latentkit/latentkit.js'\nglobalThis.latentkit = latentkit"

let built = ''
let browser: Browser

/** The folder of the built files, once a test runs. */
export const builtFolder = () => built

/** Builds the files for the tests of a file. */
export function useBuilt(needed: boolean): void {
  beforeAll(async () => {
    if (!needed) return
    built = mkdtempSync(join(tmpdir(), 'latentkit-browser-'))
    await bundleBrowser(built)
  }, 120_000)
  afterAll(() => {
    if (built !== '') rmSync(built, { recursive: true, force: true })
  })
}

/** The same, and starts the browser. */
export function useChromium(): void {
  useBuilt(!NO_CHROMIUM)
  beforeAll(async () => {
    if (!NO_CHROMIUM) browser = await openBrowser()
  }, 120_000)
  afterAll(() => browser?.close())
}

export async function serve(options: Partial<ServedOptions> = {}): Promise<StaticServer> {
  const server = await StaticServer.open({
    folders: { latentkit: built, model: TALES },
    texts: { '/': PAGE, '/page.js': SCRIPT },
    isolated: true,
    csp: STRICT_CSP,
    ...options,
  })
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

/** What a browser keeps: pages of one see the same files. */
export async function newContext(): Promise<BrowserContext> {
  const context = await browser.newContext()
  onTestFinished(() => context.close())
  return context
}

/** A page in which `latentkit` is the module. */
export async function openPage(server: StaticServer, context?: BrowserContext): Promise<Page> {
  const page = await (context ?? (await newContext())).newPage()
  page.on('pageerror', error => console.error(`page: ${error.message}`))
  page.on('console', message => message.type() === 'error' && console.error(`page: ${message.text()}`))
  await page.goto(server.url)
  await page.waitForFunction(() => 'latentkit' in globalThis)
  return page
}
