/** examples/browser as it is and as bundlers build it: each page chats in Chromium, with threads. */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { rolldown } from 'rolldown'
import { describe, expect, it } from 'vitest'
import { CHAT_TEMPLATE, TALES } from '../engine/tales.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { BUILT, NO_CHROMIUM, newPage, openPage, serve, useChromium, WHY_SKIPPED } from './in-chromium.ts'
import { STRICT_CSP } from './static-server.ts'

declare const latentkit: typeof import('../../src/browser.ts')

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const EXAMPLE = join(ROOT, 'examples', 'browser')
/** vite and webpack, which the nightly run installs. */
const BUNDLERS = join(ROOT, 'test', 'interop', 'web')
const INSTALLED = existsSync(join(BUNDLERS, 'node_modules', 'vite'))

useChromium()

/** A project with the example, and latentkit as npm installs it. */
function project(): string {
  const folder = tempFolder()
  const installed = join(folder, 'node_modules', 'latentkit')
  mkdirSync(join(installed, 'dist'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(installed, 'package.json'))
  cpSync(BUILT, join(installed, 'dist', 'browser'), { recursive: true })
  for (const file of ['index.html', 'chat.js']) cpSync(join(EXAMPLE, file), join(folder, file))
  return folder
}

/**
 * The bundled model with a chat template, and with the most likely token for the next one: of its drawn answers one in fifty is
 * shorter than what `chat` waits for.
 */
function chatModel(): string {
  const folder = tempFolder()
  for (const file of readdirSync(TALES).filter(name => !name.startsWith('expected'))) {
    cpSync(join(TALES, file), join(folder, file))
  }
  const config = JSON.parse(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8'))
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify({ ...config, chat_template: CHAT_TEMPLATE }))
  writeFileSync(join(folder, 'generation_config.json'), JSON.stringify({ eos_token_id: 0, do_sample: false }))
  return folder
}

/** Sends a message in a served page and reads what came. */
async function chat(root: string, csp?: string): Promise<string> {
  const server = await serve({ folders: { '': root, model: chatModel() }, texts: {}, ...(csp && { csp }) })
  const page = await newPage()
  const complaint = new Promise<never>((_, reject) => {
    page.on('pageerror', reject)
  })
  complaint.catch(() => {})
  await page.goto(`${server.url}/index.html?model=/model/`)
  const log = page.locator('#log')
  await Promise.race([complaint, log.getByText(/model, \d+ threads/).waitFor()])
  await page.locator('#text').fill('Tom had a boat.')
  await page.locator('#text').press('Enter')
  await Promise.race([complaint, log.getByText(/> Tom had a boat\.\n.{30}/s).waitFor()])
  return Promise.race([complaint, log.textContent().then(text => text ?? '')])
}

/** A page whose module is the bundle. */
function pageOf(folder: string, script: string): void {
  const html = readFileSync(join(EXAMPLE, 'index.html'), 'utf8')
  const plain = html.replace(/<script type="importmap">.*?<\/script>\n/s, '').replace('./chat.js', script)
  writeFileSync(join(folder, 'index.html'), plain)
}

// The import map is a script of its own; bundled pages have none.
const WITH_MAP = STRICT_CSP.replace("'self' 'wasm", "'self' 'unsafe-inline' 'wasm")

describe.skipIf(NO_CHROMIUM)(`the example${WHY_SKIPPED}`, { timeout: 120_000 }, () => {
  it('has twenty lines', () => {
    expect(readFileSync(join(EXAMPLE, 'chat.js'), 'utf8').trim().split('\n').length).toBeLessThanOrEqual(20)
  })

  it('chats as it is, from a plain module script', async () => {
    const folder = tempFolder()
    for (const file of ['index.html', 'chat.js']) cpSync(join(EXAMPLE, file), join(folder, file))
    cpSync(BUILT, join(folder, 'latentkit'), { recursive: true })
    expect(await chat(folder, WITH_MAP)).toMatch(/^model, \d+ threads/)
  })

  it('shows what is kept, and removes it', async () => {
    const folders = { '': EXAMPLE, latentkit: BUILT, model: TALES }
    const server = await serve({ folders, csp: WITH_MAP })
    const page = await openPage(server)
    await page.evaluate(async () => {
      const engine = await latentkit.Engine.load('/model/', { cacheDir: 'texts', threads: 1 })
      await engine.session().save('a tale')
      await engine.generate('Once upon a time '.repeat(30), { maxTokens: 1 })
      await engine.dispose()
    })
    await page.goto(`${server.url}/storage.html`)
    const items = page.locator('li')
    await items.nth(2).waitFor()
    expect(await items.allTextContents()).toEqual([
      expect.stringMatching(/^Model http:.*\/model\/, \d+\.\d MB Remove$/),
      expect.stringMatching(/^Session a tale, /),
      expect.stringMatching(/^Cache texts, /),
    ])
    for (let left = 3; left > 0; left--) {
      await items.first().getByRole('button').click()
      await expect.poll(() => items.count(), { timeout: 60_000 }).toBe(left - 1)
    }
    expect(await page.locator('#sum').textContent()).toMatch(/^0\.0 MB kept; /)
  })

  it('chats as esbuild builds it, with the files copied beside it', async () => {
    const from = project()
    const out = join(from, 'out')
    await build({ entryPoints: [join(from, 'chat.js')], bundle: true, format: 'esm', outdir: out, logLevel: 'silent' })
    for (const file of readdirSync(BUILT)) {
      if (/\.(js|wasm)$/.test(file)) cpSync(join(BUILT, file), join(out, file))
    }
    pageOf(out, './chat.js')
    await chat(out)
  })

  it('chats as rolldown builds it', async () => {
    const from = project()
    const out = join(from, 'out')
    const bundle = await rolldown({
      input: join(from, 'chat.js'),
      platform: 'browser',
      experimental: { resolveNewUrlToAsset: true },
      logLevel: 'silent',
    })
    await bundle.write({ dir: out, format: 'esm' })
    await bundle.close()
    pageOf(out, './chat.js')
    await chat(out)
  })

  describe.skipIf(!INSTALLED)(
    `with npm's bundlers${INSTALLED ? '' : ' (npm run nightly -- web installs them)'}`,
    () => {
      it('chats as vite builds it', async () => {
        const from = project()
        pageOf(from, './chat.js')
        const vite = join(BUNDLERS, 'node_modules', 'vite', 'bin', 'vite.js')
        execFileSync(process.execPath, [vite, 'build', '--outDir', 'out', '--logLevel', 'warn'], { cwd: from })
        const names = readdirSync(join(from, 'out', 'assets'))
        // A small file would become data in the page's script, and its policy would forbid to start it.
        for (const name of ['latentkit-worker', 'latentkit-thread', 'latentkit-masks', 'core-threads', 'grammar']) {
          expect(names.some(file => file.startsWith(name))).toBe(true)
        }
        await chat(join(from, 'out'))
      })

      it('chats as webpack builds it', async () => {
        const from = project()
        const out = join(from, 'out')
        execFileSync(process.execPath, [join(BUNDLERS, 'webpack.mjs'), from, out])
        pageOf(out, './main.js')
        await chat(out)
      })
    },
  )
})
