import { afterAll, describe, expect, it } from 'vitest'
import { GrammarError } from '../../src/grammar/errors.ts'
import { MaskThread } from '../../src/grammar/thread/mask-thread.ts'
import type { MaskedText, Masks } from '../../src/grammar/thread/masked-text.ts'
import type { StartMasks } from '../../src/grammar/thread/protocol.ts'
import { MaskService } from '../../src/grammar/thread/service.ts'
import { allows } from '../../src/grammar/vocabulary.ts'
import { testLibrary, wasmBytes } from './support.ts'

// As built: Node runs no TypeScript in a thread.
const { startMasks } = (await import('../../dist/src/grammar/node/thread.js' as string)) as { startMasks: StartMasks }

const { vocabulary, tokenizer, library, ids, end } = await testLibrary()
const SOURCE = { kind: 'json', text: '{"type":"array","items":{"type":"integer"}}' } as const
const TEXT = ids('[1,22,333]')
/** As a model has it: longer than the vocabulary. */
const IDS = tokenizer.vocabSize + 100
const WORDS = Math.ceil(IDS / 32)

/** The service in this thread: what it shows does not depend on threads. */
const inline: StartMasks = events => {
  const service = new MaskService(message => queueMicrotask(() => events.message(message)))
  return { post: message => service.receive(message), terminate: () => {} }
}

/** A thread that gets stuck in each compilation of this text. */
const stuckAt =
  (text: string): StartMasks =>
  events => {
    const port = inline(events)
    let stuck = false
    return {
      post: message => {
        if (message.type === 'compile' && message.source.text === text) {
          stuck = true
          events.message({ type: 'compiling', call: message.call })
        }
        if (!stuck) port.post(message)
      },
      terminate: () => {},
    }
  }

const options = { wasm: wasmBytes(), vocabulary, ids: IDS, maxDrafts: 4 }
const threads: MaskThread[] = []
const opened = (start: StartMasks, more: object = {}): MaskThread => {
  const thread = new MaskThread({ ...options, start, ...more })
  threads.push(thread)
  return thread
}
afterAll(() => {
  for (const thread of threads) thread.close()
})

const expectedMask = (known: readonly number[]): Uint32Array => {
  const matcher = library.compile(SOURCE).matcher()
  matcher.accept(known)
  const mask = new Uint32Array(WORDS)
  matcher.mask(mask)
  return mask
}

async function walk(text: MaskedText, milliseconds: number): Promise<void> {
  text.request({})
  for (const [i, id] of TEXT.entries()) {
    const masks = await text.next(milliseconds)
    expect([...(masks.rows[0] as Uint32Array)]).toEqual([...expectedMask(TEXT.slice(0, i))])
    expect(masks.stopped(0)).toBe(false)
    text.request({ ids: [id] })
  }
  const last = await text.next(milliseconds)
  expect([last.accepting(0), last.stopped(0)]).toEqual([true, true])
}

describe.each([
  ['a thread with shared memory', startMasks, true],
  ['a thread without', startMasks, false],
  ['no thread', inline, true],
] as const)('masks by %s', (_, start, shared) => {
  it('are those of the matcher, step by step', async () => {
    const thread = opened(start, { shared })
    const grammar = await thread.compile(SOURCE)
    expect(await thread.compile(SOURCE)).toBe(grammar)
    await walk(thread.open(grammar), start === inline ? 0 : 2)
  })

  it('go as far as drafts are allowed, and leave the text where it is', async () => {
    const thread = opened(start, { shared })
    const text = thread.open(await thread.compile(SOURCE))
    text.request({ ids: TEXT.slice(0, 1), drafts: TEXT.slice(1, 4) })
    let masks: Masks = await text.next()
    expect(masks.count).toBe(4)
    for (let i = 0; i < 4; i++) {
      expect([...(masks.rows[i] as Uint32Array)]).toEqual([...expectedMask(TEXT.slice(0, 1 + i))])
    }
    text.request({ drafts: [TEXT[1] as number, ids('x')[0] as number] })
    masks = await text.next()
    expect(masks.count).toBe(2)
    text.request({ ids: TEXT.slice(1), drop: 0 })
    expect((await text.next()).stopped(0)).toBe(true)
    text.request({ drop: TEXT.length })
    expect(allows((await text.next()).rows[0] as Uint32Array, end)).toBe(false)
  })

  it('go ahead over what has to come, where memory is shared', async () => {
    const thread = opened(start, { shared })
    const text = thread.open(await thread.compile({ kind: 'regex', text: 'yes(no thing|nobody)' }))
    text.request({ ahead: 4 })
    const masks = await text.next()
    const drafts = Array.from({ length: masks.count - 1 }, (_, i) => masks.draft(i))
    expect(tokenizer.decode(drafts)).toBe(shared ? 'yesno' : '')
    text.request({ ids: drafts })
    expect((await text.next()).count).toBe(1)
  })

  it('serve copies of a text', async () => {
    const thread = opened(start, { shared })
    const text = thread.open(await thread.compile(SOURCE))
    text.request({ ids: TEXT.slice(0, 2) })
    await text.next()
    const copy = text.fork()
    copy.request({ ids: TEXT.slice(2) })
    expect((await copy.next()).stopped(0)).toBe(true)
    expect(copy.length).toBe(TEXT.length)
    text.request({})
    expect((await text.next()).stopped(0)).toBe(false)
    text.close()
    copy.close()
  })

  it('fail for an id that is not allowed, for this text alone', async () => {
    const thread = opened(start, { shared })
    const grammar = await thread.compile(SOURCE)
    const [bad, good] = [thread.open(grammar), thread.open(grammar)]
    good.request({})
    bad.request({ ids: ids('x') })
    await expect((async () => bad.next())()).rejects.toThrow(/does not allow the id/)
    expect((await good.next()).count).toBe(1)
    await expect(thread.compile({ kind: 'lark', text: 'start: nothing' })).rejects.toThrow(GrammarError)
    await walk(thread.open(grammar), 0)
  })
})

describe('a thread of masks', () => {
  it('is started again where a compilation takes too long; other texts go on', async () => {
    const thread = opened(stuckAt('start: "slow"'), { compileTimeout: 50 })
    const text = thread.open(await thread.compile(SOURCE))
    text.request({ ids: TEXT.slice(0, 3) })
    await text.next()
    const slow = thread.compile({ kind: 'lark', text: 'start: "slow"' })
    text.request({ ids: TEXT.slice(3, 4) })
    const late = text.next()
    await expect(slow).rejects.toThrow(/longer than 50 ms/)
    await late
    text.request({ ids: TEXT.slice(4) })
    expect((await text.next()).stopped(0)).toBe(true)
  })

  it('lets a compilation wait for a core, and for what is done before it', async () => {
    // It begins late, and computes for so long within 800 ms.
    const starved =
      (begins: number, computes: number): StartMasks =>
      events => {
        const port = inline(events)
        let used = 0
        return {
          ...port,
          post: message => {
            if (message.type !== 'compile') return port.post(message)
            const { call } = message
            setTimeout(() => events.message({ type: 'compiling', call }), begins)
            setTimeout(() => {
              used = computes
            }, 300)
            setTimeout(() => events.message({ type: 'compiled', call, error: undefined }), 800)
          },
          processorTime: () => used,
        }
      }
    const compiled = (start: StartMasks) => opened(start, { compileTimeout: 200 }).compile(SOURCE)
    expect(await compiled(starved(0, 150))).toBeGreaterThan(0)
    expect(await compiled(starved(700, 250))).toBeGreaterThan(0)
    await expect(compiled(starved(0, 250))).rejects.toThrow(/longer than 200 ms/)
  })

  it('says when it is at a compilation, which other texts wait for', async () => {
    let say: ((type: 'compiling' | 'compiled') => void) | undefined
    const told: StartMasks = events => {
      const port = inline(events)
      const post: typeof port.post = message => {
        if (message.type !== 'compile') return port.post(message)
        say = type => events.message({ type, call: message.call, error: undefined })
      }
      return { ...port, post }
    }
    const thread = opened(told)
    const compiled = thread.compile(SOURCE)
    await expect.poll(() => say !== undefined).toBe(true)
    expect(thread.isCompiling).toBe(false)
    say?.('compiling')
    expect(thread.isCompiling).toBe(true)
    thread.restart()
    expect(thread.isCompiling).toBe(false)
    say?.('compiling')
    expect(thread.isCompiling).toBe(true)
    say?.('compiled')
    expect(thread.isCompiling).toBe(false)
    expect(await compiled).toBeGreaterThan(0)
  })

  it('works off the oldest request first, also when it was started again: only its text is late', async () => {
    const asked: number[] = []
    const busy: StartMasks = events => {
      const port = inline(events)
      const post: typeof port.post = message =>
        void (message.type === 'advance' ? asked.push(message.text) : port.post(message))
      return { ...port, post }
    }
    const thread = opened(busy)
    const grammar = await thread.compile(SOURCE)
    const [first, second] = [thread.open(grammar), thread.open(grammar)]
    second.request({})
    first.request({})
    expect([first.waitsForOthers, second.waitsForOthers]).toEqual([true, false])
    thread.restart()
    expect(asked).toEqual([second.number, first.number, second.number, first.number])
  })

  it('works on for a text that was closed: the next one waits until it is done, or has taken 10 s and is left out', async () => {
    let isBusy = true
    let used = 0
    const ports: ReturnType<StartMasks>[] = []
    const busy: StartMasks = events => {
      const port = inline(events)
      const post: typeof port.post = message => {
        if (!isBusy || message.type !== 'advance') port.post(message)
      }
      ports.push(port)
      return { ...port, post, processorTime: () => used }
    }
    const thread = opened(busy)
    const grammar = await thread.compile(SOURCE)
    const [left, next] = [thread.open(grammar), thread.open(grammar)]
    left.request({})
    next.request({})
    left.close()
    expect(next.waitsForOthers).toBe(true)
    used = 9_999
    expect(next.waitsForOthers).toBe(true)
    expect(ports).toHaveLength(1)
    isBusy = false
    used = 10_000
    expect(next.waitsForOthers).toBe(true)
    expect(ports).toHaveLength(2)
    expect(next.waitsForOthers).toBe(false)
    expect((await next.next()).count).toBe(1)
  })

  it('has done what a closed text asked for when its masks are there', async () => {
    const thread = opened(startMasks)
    const grammar = await thread.compile(SOURCE)
    const [left, next] = [thread.open(grammar), thread.open(grammar)]
    left.request({})
    left.close()
    next.request({})
    await next.next()
    expect(next.waitsForOthers).toBe(false)
  })

  it.skipIf(process.platform !== 'linux')('is asked what it has used while it is busy', async () => {
    const port = startMasks({ message: () => {}, failed: () => {} })
    const check = { type: 'check', demand: { regex: '(a+)+b', flags: '' }, text: 'a'.repeat(60) } as const
    port.post(check)
    await expect.poll(() => port.processorTime?.(), { timeout: 20_000 }).toBeGreaterThan(300)
    const [before, began] = [port.processorTime?.() as number, performance.now()]
    await expect.poll(() => port.processorTime?.(), { timeout: 20_000 }).toBeGreaterThan(before + 100)
    expect((port.processorTime?.() as number) - before).toBeLessThan(performance.now() - began + 50)
    port.terminate()
  })

  it('rejects what waits when it is closed', async () => {
    const thread = opened(stuckAt('start: "slow"'))
    const slow = thread.compile({ kind: 'lark', text: 'start: "slow"' })
    await thread.started
    await Promise.resolve()
    thread.close()
    await expect(slow).rejects.toThrow(/has been closed/)
    await expect(thread.compile(SOURCE)).rejects.toThrow(GrammarError)
  })

  it('refuses a module that is none', async () => {
    const thread = opened(inline, { wasm: Uint8Array.of(1, 2, 3) })
    await expect(thread.compile(SOURCE)).rejects.toThrow(GrammarError)
  })
})
