/** Finished answers are checked in a thread of its own, which may take long but not for ever. */
import { execFileSync } from 'node:child_process'
import { afterAll, describe, expect, it } from 'vitest'
import { SchemaError } from '../../src/grammar/errors.ts'
import { prepareOutput } from '../../src/grammar/output.ts'
import { schemaGrammar } from '../../src/grammar/schema/grammar.ts'
import { CheckThread } from '../../src/grammar/thread/check-thread.ts'
import type { StartMasks } from '../../src/grammar/thread/protocol.ts'

// As built: Node runs no TypeScript in a thread.
const { startMasks } = (await import('../../dist/src/grammar/node/thread.js' as string)) as { startMasks: StartMasks }

const threads: CheckThread[] = []
const opened = (limits: { readonly timeout?: number; readonly timeoutBesides?: number } = {}): CheckThread => {
  const thread = new CheckThread({ start: startMasks, ...limits })
  threads.push(thread)
  return thread
}
afterAll(() => {
  for (const thread of threads) thread.close()
})

/** Longest time in which this thread did nothing, while something else was done. */
async function longestGap(run: () => Promise<unknown>): Promise<number> {
  let [last, gap] = [performance.now(), 0]
  const timer = setInterval(() => {
    gap = Math.max(gap, performance.now() - last)
    last = performance.now()
  }, 5)
  await run()
  clearInterval(timer)
  return Math.max(gap, performance.now() - last)
}

const consts = (n: number) => ({ anyOf: Array.from({ length: n }, (_, i) => ({ const: `c${i}` })) })

describe('a long schema', () => {
  const chain = (n: number, last: unknown) => ({
    $ref: '#/$defs/d0',
    $defs: Object.fromEntries(
      Array.from({ length: n }, (_, i) => [`d${i}`, i < n - 1 ? { $ref: `#/$defs/d${i + 1}` } : last]),
    ),
  })

  it('is read in the thread, and is the same', async () => {
    const thread = opened()
    const schema = chain(2000, { type: 'integer' })
    const { source } = await prepareOutput({ schema }, thread.check, thread.read)
    expect(source).toEqual(schemaGrammar(schema, true).source)
    const long = JSON.stringify(chain(8000, { type: 'integer' }))
    let took = 0
    const gap = await longestGap(async () => {
      const began = performance.now()
      await thread.read(long)
      took = performance.now() - began
    })
    expect(took).toBeGreaterThan(100)
    expect(gap).toBeLessThan(took / 2)
  })

  it('is refused by name', async () => {
    const thread = opened()
    const schema = chain(500, { type: 'integer', multipleOf: 'x' })
    const expected = await prepareOutput({ schema }).catch((error: unknown) => error)
    const met = await prepareOutput({ schema }, thread.check, thread.read).catch((error: unknown) => error)
    expect(met).toBeInstanceOf(SchemaError)
    expect(met).toMatchObject({ path: '/$defs/d499', keyword: 'multipleOf' })
    expect(met).toEqual(expected)
  })
})

describe('a check in a thread', () => {
  it('finds what the schema and the expression say', async () => {
    const { check } = opened()
    const { finish } = await prepareOutput({ schema: { type: 'integer', minimum: 3 } }, check)
    expect(await finish('4')).toBe(4)
    await expect(finish('2')).rejects.toMatchObject({
      code: 'bad_output',
      text: '2',
      message: expect.stringMatching(/demands: must be >= 3/),
    })
    const word = await prepareOutput({ regex: '[a-c]+' }, check)
    expect(await word.finish('abc')).toBe('abc')
    await expect(word.finish('abd')).rejects.toThrow(/not what regex demands/)
  })

  it('leaves the thread of who asks alone', async () => {
    const { check } = opened()
    await check({ schema: '{}' }, '1')
    const demand = { schema: JSON.stringify(consts(3000)) }
    let took = 0
    const gap = await longestGap(async () => {
      const began = performance.now()
      expect(await check(demand, '"c2999"')).toBe(null)
      took = performance.now() - began
    })
    expect(took).toBeGreaterThan(200)
    expect(gap).toBeLessThan(took / 2)
  })

  it('that does not end is an error, and the next one gets a fresh thread', async () => {
    const { check } = opened({ timeout: 1500 })
    const { finish } = await prepareOutput({ regex: '(a+)+b' }, check)
    const cut = finish('a'.repeat(60))
    const after = finish('aab')
    await expect(cut).rejects.toThrow(/could not be checked: that takes longer than 1500 ms; use a smaller schema/)
    expect(await after).toBe('aab')
  })

  it('that is slow keeps others waiting for a short time only, whatever its schema is', async () => {
    const { check } = opened({ timeout: 3000, timeoutBesides: 500 })
    await check({ schema: '{}' }, '1')
    const began = process.cpuUsage()
    const stuck = [1, 2, 3, 4, 1].map(i => check({ regex: `(a+)+b{${i}}`, flags: '' }, 'a'.repeat(60)))
    // Behind all of them: one after the other they would take 15 s of a processor.
    expect(await check({ schema: '{"type":"integer"}' }, '7')).toBe(null)
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(10_000)
    for (const problem of await Promise.all(stuck)) expect(problem).toMatch(/takes longer than \d+ ms/)
  })

  describe('on a machine that has no core left', () => {
    /** Threads that begin and end a check after so many milliseconds, as the thread of who asks sees it. */
    const acting =
      (began: number, checked: number): StartMasks =>
      ({ message }) => ({
        post: () => {
          if (began < NEVER) setTimeout(() => message({ type: 'began' }), began)
          if (checked < NEVER) setTimeout(() => message({ type: 'checked', problem: null }), checked)
        },
        terminate: () => {},
      })
    const NEVER = Number.POSITIVE_INFINITY
    const regex = { regex: 'a', flags: '' }

    it('may begin late', async () => {
      expect(await new CheckThread({ start: acting(600, 700), timeout: 300 }).check(regex, 'a')).toBe(null)
      expect(await new CheckThread({ start: acting(0, NEVER), timeout: 300 }).check(regex, 'a')).toMatch(/than 300 ms/)
    })

    it('may take long while timers are late', async () => {
      const { check } = new CheckThread({ start: acting(0, 1000), timeout: 600 })
      const problem = check(regex, 'a')
      setTimeout(() => {
        for (const end = performance.now() + 850; performance.now() < end; );
      }, 50)
      expect(await problem).toBe(null)
    })

    it('is ended in any case, begun or not', async () => {
      const never = new CheckThread({ start: acting(NEVER, NEVER), timeoutAnyway: 300 })
      expect(await never.check(regex, 'a')).toMatch(/not be checked: its thread did not begin within 300 ms/)
      const late = new CheckThread({ start: acting(0, NEVER), timeoutAnyway: 300 })
      expect(await late.check(regex, 'a')).toMatch(/takes longer than 300 ms/)
    })
  })

  it('is an error where no thread can be started, and so is the next', async () => {
    let starts = 0
    const { check } = new CheckThread({
      start: () => {
        starts++
        throw new Error('too many threads')
      },
    })
    const problem = 'The answer could not be checked: too many threads'
    expect(await Promise.all([check({ schema: '{}' }, '1'), check({ schema: 'true' }, '2')])).toEqual([
      problem,
      problem,
    ])
    expect(starts).toBe(2)
  })

  it.skipIf(process.platform !== 'linux')(
    'runs in a thread that is nicer than its process, however nice that is',
    () => {
      const script = `
      import { readdirSync, readFileSync } from 'node:fs'
      import os from 'node:os'
      const { startMasks } = await import(${JSON.stringify(new URL('../../dist/src/grammar/node/thread.js', import.meta.url))})
      const niceness = id => Number(readFileSync('/proc/self/task/' + id + '/stat', 'utf8').split(') ').at(-1).split(' ')[16])
      const failed = reason => { console.log(JSON.stringify(reason)); process.exit() }
      const message = () => failed([os.getPriority(), ...readdirSync('/proc/self/task').map(niceness)])
      startMasks({ message, failed }).post({ type: 'check', demand: { schema: '{}' }, text: '1' })
      setTimeout(() => {}, 20_000)`
      const args = ['-n', '10', process.execPath, '--input-type=module', '-e', script]
      const [own, ...threads] = JSON.parse(execFileSync('nice', args, { encoding: 'utf8' })) as number[]
      expect(Math.max(...threads)).toBe(Math.min((own as number) + 5, 19))
      expect(Math.min(...threads)).toBe(own)
    },
  )

  it('is an error where the thread is closed', async () => {
    const thread = opened()
    const { finish } = await prepareOutput({ regex: '(a+)+b' }, thread.check)
    const cut = finish('a'.repeat(60))
    setTimeout(() => thread.close(), 50)
    await expect(cut).rejects.toThrow(/could not be checked: the engine has been disposed of/)
    await expect(finish('ab')).rejects.toThrow(/could not be checked/)
  })
})
