/**
 * What test files of Node import from vitest, in a worker of a page: `describe` and `it` collect, `runSelected` runs. The
 * expectations are vitest's own.
 */
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'

export interface Listed {
  /** Names of the suites, then of the test. */
  readonly path: readonly string[]
  readonly skipped: boolean
}

export interface Ran {
  /** Of the listed. */
  readonly index: number
  /** null: passed. */
  readonly error: string | null
  readonly ms: number
}

type Body = (...values: never[]) => unknown
type Hook = () => unknown

interface Suite {
  readonly name: string
  readonly parent: Suite | null
  readonly skipped: boolean
  readonly before: Hook[]
  readonly after: Hook[]
}

interface Test {
  readonly name: string
  readonly suite: Suite
  readonly skipped: boolean
  readonly body: Hook
}

const newSuite = (name: string, parent: Suite | null, skipped: boolean): Suite => ({
  name,
  parent,
  skipped,
  before: [],
  after: [],
})

let suite = newSuite('', null, false)
let tests: Test[] = []
/** By file: a module declares only once. */
const collected = new Map<string, readonly Test[]>()
let finishing: Hook[] = []

chai.use(JestExtend)
chai.use(JestChaiExpect)
chai.use(JestAsymmetricMatchers)

export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  (globalThis as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT],
)
// biome-ignore lint/suspicious/noExplicitAny: the packages' types know vitest's whole `expect` only
const whole = expect as any
;(globalThis as Record<symbol, unknown>)[GLOBAL_EXPECT] = whole
setState({ assertionCalls: 0, isExpectingAssertions: false, expectedAssertionsNumber: null }, whole)

/** A declaration with vitest's variants: `(name, body)`, `(name, options, body)`, `.skip`, `.skipIf`, `.each`. */
function variants(declare: (name: string, body: Hook, skipped: boolean) => void) {
  const make = (skipped: boolean) => {
    const call = (name: string, ...rest: unknown[]) => declare(name, bodyOf(rest), skipped)
    const each =
      (table: readonly unknown[]) =>
      (name: string, ...rest: unknown[]) => {
        const body = bodyOf(rest) as Body
        for (const row of table) {
          const values = Array.isArray(row) ? row : [row]
          declare(titled(name, values), () => body(...(values as never[])), skipped)
        }
      }
    return Object.assign(call, { each })
  }
  const skip = make(true)
  return Object.assign(make(false), { skip, skipIf: (condition: unknown) => (condition ? skip : make(false)) })
}

const bodyOf = (rest: readonly unknown[]): Hook => (rest.find(part => typeof part === 'function') ?? (() => {})) as Hook

/** `%s` is the next value, `$name` a field of the first. */
function titled(name: string, values: readonly unknown[]): string {
  let next = 0
  const first = values[0] as Record<string, unknown>
  return name.replace(/%[sdi]/g, () => String(values[next++])).replace(/\$(\w+)/g, (_, field) => String(first[field]))
}

export const describe = variants((name, body, skipped) => {
  const outer = suite
  suite = newSuite(name, outer, outer.skipped || skipped)
  try {
    body()
  } finally {
    suite = outer
  }
})

export const it = variants((name, body, skipped) => {
  tests.push({ name, suite, skipped: skipped || suite.skipped, body })
})

export const beforeAll = (hook: Hook): void => void suite.before.push(hook)
export const afterAll = (hook: Hook): void => void suite.after.push(hook)
export const onTestFinished = (hook: Hook): void => void finishing.push(hook)

/** The tests that a file declares while it is loaded. */
export async function collect(file: string, load: () => Promise<unknown>): Promise<Listed[]> {
  suite = newSuite('', null, false)
  tests = []
  await load()
  collected.set(file, tests)
  return tests.map(({ name, suite, skipped }) => ({
    path: [...suitesOf(suite).map(({ name }) => name), name].filter(part => part !== ''),
    skipped,
  }))
}

/** Outermost first. */
function suitesOf(inner: Suite): Suite[] {
  const all: Suite[] = []
  for (let at: Suite | null = inner; at; at = at.parent) all.unshift(at)
  return all
}

/** Runs some of a file's tests, in order; a suite begins with its first of them and ends with its last. */
export async function runSelected(file: string, indices: readonly number[], report: (ran: Ran) => void): Promise<void> {
  const tests = collected.get(file) ?? []
  const last = new Map<Suite, number>()
  for (const i of indices) for (const s of suitesOf((tests[i] as Test).suite)) last.set(s, i)
  const begun = new Map<Suite, unknown>()
  for (const index of indices) {
    const { suite, body } = tests[index] as Test
    const start = performance.now()
    const suites = suitesOf(suite)
    let error: unknown
    for (const s of suites) {
      if (!begun.has(s)) begun.set(s, await failureOf(s.before))
      error ??= begun.get(s)
    }
    error ??= await failureOf([body])
    const hooks = finishing.reverse()
    finishing = []
    error ??= await failureOf(hooks)
    for (const s of suites.reverse()) if (last.get(s) === index) error ??= await failureOf(s.after)
    report({ index, error: error === undefined ? null : said(error), ms: performance.now() - start })
  }
}

async function failureOf(hooks: readonly Hook[]): Promise<unknown> {
  try {
    for (const hook of hooks) await hook()
    return undefined
  } catch (error) {
    return error ?? new Error('undefined was thrown')
  }
}

const said = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error))
