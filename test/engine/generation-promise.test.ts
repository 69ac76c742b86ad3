/** A generation is a promise: what it does where nobody listens is seen from outside, in a process of its own. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { GenerationStream } from '../../src/engine/wire/generation.ts'
import type { Completion, Generation } from '../../src/index.ts'

const completion = { text: 'x' } as Completion
const stream = () => new GenerationStream(() => {})

describe('a generation', () => {
  it('is a promise of its completion', async () => {
    const generation = stream()
    const promise: Promise<Completion> = generation satisfies Generation
    const calls: string[] = []
    const done = promise.finally(() => calls.push('finally'))
    generation.finish(completion)
    expect(await done).toBe(completion)
    expect(calls).toEqual(['finally'])
    expect(await Promise.race([generation])).toBe(completion)
    expect(Object.prototype.toString.call(generation)).toBe('[object Generation]')
    const failing = stream()
    failing.fail(new Error('no'))
    expect(await failing.catch((error: unknown) => (error as Error).message)).toBe('no')
    await expect(failing.finally(() => {})).rejects.toThrow('no')
  })

  /** What is uncaught in a process that runs `code` with `stream()`, an error `mine` and nothing else. */
  const uncaught = async (code: string): Promise<string> => {
    const program = `
      import { GenerationStream } from './dist/src/engine/wire/generation.js'
      const seen = []
      process.on('unhandledRejection', error => seen.push(error.message))
      const stream = () => new GenerationStream(() => {})
      const mine = new Error('mine')
      ${code}
      setTimeout(() => console.log(seen.join()), 30)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
    return stdout.trim()
  }

  it.each([
    ['nobody listens', 'stream().fail(mine)', 'mine'],
    ['only its end is waited for', 'const g = stream(); g.whenEnded(() => {}); g.fail(mine)', 'mine'],
    ['what is made of it is left alone', 'const g = stream(); g.then(() => {}); g.fail(mine)', 'mine'],
    ['it is caught', 'const g = stream(); g.catch(() => {}); g.fail(mine)', ''],
    [
      'it is only iterated',
      'const g = stream(); (async () => { try { for await (const _ of g); } catch {} })(); g.fail(mine)',
      '',
    ],
    [
      'the iteration is not caught',
      'const g = stream(); (async () => { for await (const _ of g); })(); g.fail(mine)',
      'mine',
    ],
    ['the end was asked for', 'stream().fail(mine, { asked: true })', ''],
    ['it is awaited in the same breath', 'const g = stream(); g.fail(mine); await g.catch(() => {})', ''],
  ])('that fails where %s', async (_, code, expected) => {
    expect(await uncaught(code)).toBe(expected)
  })
})
