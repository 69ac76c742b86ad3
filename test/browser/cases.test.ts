/**
 * The conformance, identity and fixture cases of Node's test files inside Chromium, in an isolated page with threads and in
 * another without: a share of them, all with LATENTKIT_PAGE_CASES=all (`npm run nightly -- web`).
 */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBrowser } from '../page/chromium.ts'
import { bundleCases, TEST_FILES } from './cases/bundle.ts'
import { CasesPage } from './cases/in-page.ts'
import type { Listed, Ran } from './cases/vitest.ts'
import { BUILT, NO_CHROMIUM, WHY_SKIPPED } from './in-chromium.ts'

/** One test in so many runs; all that differ only in their kernels, or none of them. */
const SHARE = process.env.LATENTKIT_PAGE_CASES === 'all' ? 1 : Number(process.env.LATENTKIT_PAGE_CASES ?? 24)
const SEED = process.env.LATENTKIT_PAGE_SEED ?? '1'

/** What a page without isolation cannot hold. */
const NEEDS_SHARING = /shared memory/
/** These convert a model, which Node's part of the package does. */
const CONVERTS = /conversion keeps biases|a factor for (rows|one) counts as the numbers do/
/** Files that compare the reference with numbers need no WebAssembly: they run in one page. */
const PLAIN = /reference|oracle|suite|fixtures-/

interface Group {
  readonly file: string
  readonly isolated: boolean
  readonly listed: readonly Listed[]
  readonly chosen: readonly number[]
}

const isChosen = ({ path, skipped }: Listed) => {
  if (skipped || CONVERTS.test(path.join(' '))) return false
  const name = path.length > 1 ? path.slice(1).join(' ') : path.join(' ')
  return createHash('sha256').update(`${SEED} ${name}`).digest().readUInt32LE(0) % SHARE === 0
}

const folder = NO_CHROMIUM ? '' : mkdtempSync(join(tmpdir(), 'latentkit-cases-'))
const folders = { built: BUILT, cases: folder }
const browser = NO_CHROMIUM ? null : await openBrowser()
const pages = new Map<boolean, CasesPage>()
const groups: Group[] = []
if (browser) {
  await bundleCases(folders.cases)
  for (const isolated of [true, false]) {
    const page = await CasesPage.open(browser, folders, isolated)
    pages.set(isolated, page)
    for (const file of TEST_FILES.filter(name => isolated || !PLAIN.test(name))) {
      const listed = await page.list(file)
      const chosen = [...listed.keys()].filter(i => {
        const one = listed[i] as Listed
        return isChosen(one) && (isolated || !NEEDS_SHARING.test(one.path.join(' ')))
      })
      groups.push({ file, isolated, listed, chosen })
    }
  }
}

afterAll(async () => {
  for (const page of pages.values()) await page.close()
  await browser?.close()
  if (folder !== '') rmSync(folder, { recursive: true, force: true })
})

describe.skipIf(NO_CHROMIUM)(`cases in a page${WHY_SKIPPED}`, { timeout: 600_000 }, () => {
  for (const { file, isolated, listed, chosen } of groups.filter(({ chosen }) => chosen.length > 0)) {
    describe(`${file}, ${isolated ? 'isolated' : 'not isolated'}`, () => {
      const outcomes = new Map(chosen.map(index => [index, later<string | null>()]))
      beforeAll(() => {
        const page = pages.get(isolated) as CasesPage
        const ended = page.run(file, chosen, ({ index, error }: Ran) => outcomes.get(index)?.resolve(error))
        ended.catch(error => {
          for (const outcome of outcomes.values()) outcome.reject(error)
        })
      })
      for (const index of chosen) {
        it((listed[index] as Listed).path.join(' > '), async () => {
          const error = await outcomes.get(index)?.promise
          if (error !== null) throw new Error(error)
        })
      }
    })
  }

  it('are found', () => {
    for (const isolated of [true, false]) {
      const found = groups.filter(group => group.isolated === isolated).flatMap(({ listed }) => listed)
      expect(found.length).toBeGreaterThan(isolated ? 3000 : 2000)
    }
  })
})

function later<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}
