/** Test files of Node in a worker of a page: their tests by name, and what becomes of each. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { StaticServer } from '../static-server.ts'
import { ROOT } from './bundle.ts'
import type { Listed, Ran } from './vitest.ts'
import type { FromCases, ToCases } from './worker.ts'

const PAGE = '<!doctype html><title>cases</title>'
/** Milliseconds without a word after which the page is given up. */
const SILENCE = 300_000
/** Folders that tests may read. */
const READABLE = [join(ROOT, 'test'), join(ROOT, 'models'), join(ROOT, '..', 'shared')]

/** The part of a page's `Worker` that is used. */
interface CasesWorker {
  onmessage: (event: { readonly data: FromCases }) => void
  onerror: (event: { readonly message: string }) => void
  postMessage(message: ToCases): void
}

export class CasesPage {
  readonly #server: StaticServer
  readonly #page: Page
  readonly #said: string[] = []
  #hear: (message: FromCases) => void = () => {}

  private constructor(server: StaticServer, page: Page) {
    this.#server = server
    this.#page = page
    page.on('console', message => this.#said.push(`${message.type()}: ${message.text()}`))
    page.on('pageerror', ({ message }) => this.#hear({ failed: message }))
    page.on('crash', () => this.#hear({ failed: 'the page crashed' }))
  }

  /** `built` has the engine's files, `cases` the bundled tests. */
  static async open(
    browser: Browser,
    folders: { built: string; cases: string },
    isolated: boolean,
  ): Promise<CasesPage> {
    const server = await StaticServer.open({
      folders: { latentkit: folders.built, cases: folders.cases },
      texts: { '/': PAGE },
      isolated,
      intercept: answerFiles,
    })
    const page = await browser.newPage()
    const opened = new CasesPage(server, page)
    await page.exposeFunction('heard', (message: FromCases) => opened.#hear(message))
    await page.goto(server.url)
    await page.evaluate(() => {
      const globals = globalThis as unknown as {
        Worker: new (url: string, options: object) => CasesWorker
        cases: CasesWorker
        heard(message: FromCases): void
      }
      globals.cases = new globals.Worker('/cases/cases.js', { type: 'module' })
      globals.cases.onmessage = ({ data }) => globals.heard(data)
      globals.cases.onerror = ({ message }) => globals.heard({ failed: message || 'the worker cannot be started' })
    })
    return opened
  }

  async list(file: string): Promise<readonly Listed[]> {
    let listed: readonly Listed[] = []
    await this.#ask({ list: file }, message => {
      if (!('listed' in message)) return false
      listed = message.listed
      return true
    })
    return listed
  }

  /** Of a file that was listed. */
  run(file: string, indices: readonly number[], report: (ran: Ran) => void): Promise<void> {
    return this.#ask({ run: file, indices }, message => {
      if ('index' in message) report(message)
      return 'ended' in message
    })
  }

  async close(): Promise<void> {
    await this.#page.close()
    await this.#server[Symbol.asyncDispose]()
  }

  #ask(question: ToCases, isEnd: (message: FromCases) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        clearTimeout(silence)
        const asked = JSON.stringify(question).slice(0, 100)
        reject(new Error(`${why} (asked: ${asked}; it said: ${this.#said.splice(0).join('\n') || 'nothing'})`))
      }
      const silence = setTimeout(() => fail(`the page has not answered for ${SILENCE / 1000} s`), SILENCE)
      this.#hear = message => {
        silence.refresh()
        if ('failed' in message) fail(message.failed)
        else if (isEnd(message)) {
          clearTimeout(silence)
          resolve()
        }
      }
      const post = (question: ToCases) => (globalThis as unknown as { cases: CasesWorker }).cases.postMessage(question)
      this.#page.evaluate(post, question).catch(({ message }: Error) => fail(message))
    })
  }
}

/** `/look?path=` says what is there, `/file?path=&from=&to=` gives bytes. */
function answerFiles(request: IncomingMessage, response: ServerResponse): boolean {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname !== '/look' && pathname !== '/file') return false
  const path = join('/', searchParams.get('path') ?? '')
  const may = READABLE.some(folder => `${path}/`.startsWith(`${folder}/`)) && existsSync(path)
  if (!may) response.writeHead(404).end()
  else if (pathname === '/look') response.end(JSON.stringify(lookAt(path)))
  else {
    const [from, to] = ['from', 'to'].map(name => searchParams.get(name) ?? undefined)
    response.end(readFileSync(path).subarray(Number(from ?? 0), to === undefined ? undefined : Number(to)))
  }
  return true
}

function lookAt(path: string) {
  const stats = statSync(path)
  const names = stats.isDirectory() ? readdirSync(path) : []
  return { kind: stats.isDirectory() ? 'folder' : 'file', size: stats.size, names }
}
