/** Contenders in pages of Chromium, each in one of its own. */
import { cpSync } from 'node:fs'
import path from 'node:path'
import type { Browser } from 'playwright-core'
import { StaticServer } from '../../test/browser/static-server.ts'
import { CHROMIUM } from '../../test/page/chromium.ts'
import { refuse } from '../support/options.ts'

export interface Asked {
  readonly text: string
  /** The tokens of `text`. */
  readonly ids: readonly number[]
  /** To write. */
  readonly tokens: number
}

export interface Written {
  /** Tokens of the prompt that were read. */
  readonly promptTokens: number
  /** From the request to the first token. */
  readonly firstMs: number
  /** From the first token to the last. */
  readonly restMs: number
  readonly text?: string
  readonly ids?: readonly number[]
}

export interface Entrant {
  readonly name: string
  /** Ours: the instruction set. */
  readonly isa?: string
  /** Its weights were rounded once more, so that it may write another text. */
  readonly rounded?: boolean
  write(asked: Asked): Promise<Written>
}

/** `bench/browser/contenders.mjs`. */
export interface Contenders {
  openOurs(options: object): Promise<Entrant>
}

/** What a page of `openServer` has. */
export interface Page {
  // biome-ignore lint/suspicious/noExplicitAny: modules of the page have no types here.
  load(url: string): Promise<any>
}

/** latentkit, built anew, and other folders by the first part of their paths; pages of it are cross-origin isolated. */
export async function openServer(folders: Readonly<Record<string, string>>): Promise<StaticServer> {
  if (!CHROMIUM) refuse('there is no Chromium here; LATENTKIT_CHROMIUM names one')
  const latentkit = path.resolve('build', 'bench', 'browser')
  const script = path.resolve('scripts', 'bundle-browser.mjs')
  const { bundleBrowser } = (await import(script)) as { bundleBrowser(folder: string): Promise<void> }
  await bundleBrowser(latentkit)
  cpSync(path.resolve('bench', 'browser', 'contenders.mjs'), path.join(latentkit, 'contenders.mjs'))
  // TypeScript would rewrite an import of a page.
  const texts = { '/': '<!doctype html><title>bench</title><script>globalThis.load = url => import(url)</script>' }
  return StaticServer.open({ folders: { latentkit, ...folders }, texts, isolated: true })
}

/** `open`: a function of contenders.mjs, which gets `options`. */
export async function enterPage(
  browser: Browser,
  server: StaticServer,
  open: string,
  options: object,
): Promise<Entrant> {
  const page = await browser.newPage()
  page.on('pageerror', error => console.error(`${open}: ${error.message}`))
  await page.goto(`${server.url}/`)
  const { name, isa } = await page.evaluate(
    async ({ open, options }) => {
      const { load } = globalThis as unknown as Page
      const contenders = await load('/latentkit/contenders.mjs')
      const { Engine } = open === 'openOurs' ? await load('/latentkit/latentkit.js') : {}
      const opened = await contenders[open]({ ...options, ...(Engine && { Engine }) })
      Object.assign(globalThis, { opened })
      return { name: opened.name as string, isa: opened.isa as string | undefined }
    },
    { open, options },
  )
  const write = (asked: Asked): Promise<Written> =>
    page.evaluate(asked => (globalThis as unknown as { opened: Entrant }).opened.write(asked), asked)
  return { name: `${name}, Chromium`, ...(isa !== undefined && { isa }), write }
}
