/**
 * The engine as users have it: built, in a thread of its own. Node 20 cannot run TypeScript in a worker, so these tests
 * import the package by its own name; `npm test` builds it first.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { promisify } from 'node:util'
import {
  CheckpointError,
  type Chunk,
  ContextLengthError,
  DisposedError,
  Engine,
  type Generation,
  type LoadOptions,
  OptionError,
  type ProgressEvent,
  SessionFileError,
  SessionMismatchError,
  UnsupportedModelError,
} from 'latentkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tempFolder } from '../support/temp-folder.ts'
import { expectedTexts, TALES } from './tales.ts'

const GREEDY = { temperature: 0, ignoreEos: true } as const
const STORY = 'Once upon a time, there was a little girl named Lily.'
const load = (options: LoadOptions = {}) => Engine.load(TALES, { threads: 1, ...options })
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

it('whoever disposes of an engine is told of no end of its thread', async () => {
  const notices: string[] = []
  const engine = await load({ onNotice: notice => notices.push(notice) })
  await engine.generate('Once', { maxTokens: 1 })
  await engine.dispose()
  await sleep(50)
  expect(notices).toEqual([])
})

describe('the engine in its thread', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await load({ cacheType: 'f32' })
  })
  afterAll(() => engine.dispose())

  it('writes the expected text', async () => {
    const [expected] = expectedTexts()
    const { tokenIds } = await engine.generate(expected?.text ?? '', { ...GREEDY, maxTokens: 128 })
    expect(tokenIds).toEqual(expected?.greedy)
  })

  it('keeps sessions in files for another engine, which refuses what is not of its kind', async () => {
    const file = join(tempFolder(), 'a.session')
    const session = engine.session()
    await session.prompt(STORY, { ...GREEDY, maxTokens: 20 })
    await session.save(file)
    const other = await load({ cacheType: 'f32' })
    const twin = await other.restore(file)
    expect([twin.tokens, twin.cache]).toEqual([session.tokens, session.cache])
    const [a, b] = await Promise.all([session, twin].map(s => s.prompt(' Then', { ...GREEDY, maxTokens: 40 })))
    expect([b?.tokenIds, b?.usage]).toEqual([a?.tokenIds, a?.usage])
    await expect(other.restore(`${file}.none`)).rejects.toThrow(SessionFileError)
    // An engine that ends meanwhile has no session to give.
    const late = expect(other.restore(file)).rejects.toThrow(DisposedError)
    await other.dispose()
    await late
    const third = await load({ cacheType: 'f16' })
    await expect(third.restore(file)).rejects.toThrow(SessionMismatchError)
    await third.dispose()
    await session.dispose()
  })

  it('streams what it returns, and the chunks are the tokens', async () => {
    const session = engine.session()
    const generation = session.prompt(STORY, { ...GREEDY, maxTokens: 50 })
    const chunks: Chunk[] = []
    for await (const chunk of generation) chunks.push(chunk)
    const { text, tokenIds, timings } = await generation
    expect(chunks.map(c => c.text).join('')).toBe(text)
    expect(chunks.map(c => c.tokenId)).toEqual(tokenIds)
    expect(timings.firstTokenMs).toBeGreaterThan(0)
    expect(timings.tokensPerSecond).toBeGreaterThan(0)
    expect(session.cache.tokens).toBe(64)
  })

  it('turns text into tokens and back', async () => {
    const ids = await engine.tokenize('A fox.')
    expect(await engine.detokenize(ids)).toBe('A fox.')
    expect(await engine.tokenize('')).toEqual([])
    await expect(engine.tokenize(5 as unknown as string)).rejects.toThrow(OptionError)
    await expect(engine.applyChatTemplate([])).rejects.toMatchObject({ name: 'TemplateError', raised: false })
  })

  it('stops for a signal, which is what is thrown, and goes on from there', async () => {
    const whole = await engine.generate(STORY, { ...GREEDY, maxTokens: 60 })
    const session = engine.session()
    const controller = new AbortController()
    const reason = new Error('enough')
    let seen = ''
    const generation = session.prompt(STORY, { ...GREEDY, signal: controller.signal })
    const read = async () => {
      let count = 0
      for await (const { text } of generation) {
        seen += text
        if (++count === 6) controller.abort(reason)
      }
    }
    await expect(read()).rejects.toBe(reason)
    await expect(generation).rejects.toBe(reason)
    expect(seen.length).toBeGreaterThan(0)
    // What was shown is in the timeline, and what is in the timeline was shown.
    expect(await engine.detokenize(session.tokens, { skipSpecialTokens: true })).toBe(STORY + seen)
    const rest = await session.prompt('', { ...GREEDY, maxTokens: 74 - session.tokens.length })
    expect(seen + rest.text).toBe(whole.text)
  })

  it('stops while it reads a prompt; the session is as before', async () => {
    const session = engine.session()
    await session.prompt(STORY, { ...GREEDY, maxTokens: 2 })
    const before = [...session.tokens]
    const long = STORY.repeat(110)
    const controller = new AbortController()
    const generation = session.prompt(long, { ...GREEDY, maxTokens: 4, signal: controller.signal })
    setTimeout(() => controller.abort(), 30)
    await expect(generation).rejects.toMatchObject({ name: 'AbortError' })
    expect(session.tokens).toEqual(before)
    const again = await session.prompt(long, { ...GREEDY, maxTokens: 4 })
    const other = engine.session()
    await other.prompt(STORY, { ...GREEDY, maxTokens: 2 })
    expect(again.text).toBe((await other.prompt(long, { ...GREEDY, maxTokens: 4 })).text)
  })

  it('does nothing for a signal that was aborted before', async () => {
    const session = engine.session()
    const signal = AbortSignal.abort(new Error('never'))
    await expect(session.prompt(STORY, { signal })).rejects.toThrow('never')
    expect(session.cache.tokens).toBe(0)
  })

  it('ends a prompt that waits for its turn at once', async () => {
    const session = engine.session()
    const first = session.prompt(STORY, { ...GREEDY, maxTokens: 100 })
    const controller = new AbortController()
    const second = session.prompt(STORY, { ...GREEDY, signal: controller.signal })
    controller.abort(new Error('no need'))
    await expect(second).rejects.toThrow('no need')
    expect((await first).tokenIds).toHaveLength(100)
    expect(session.tokens).toHaveLength(114)
  })

  it('stops when the loop is left', async () => {
    const session = engine.session()
    const generation = session.prompt(STORY, { ...GREEDY })
    for await (const _ of generation) break
    const { finishReason, text, tokenIds } = await generation
    expect(finishReason).toBe('aborted')
    expect(tokenIds.length).toBeLessThan(1000)
    expect(await engine.detokenize(session.tokens, { skipSpecialTokens: true })).toBe(STORY + text)
    expect((await session.prompt('', { ...GREEDY, maxTokens: 3 })).tokenIds).toHaveLength(3)
  })

  it('carries errors over with their class, code and message', async () => {
    const session = engine.session({ contextLength: 10 })
    const error = await Promise.resolve(session.prompt(STORY)).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ContextLengthError)
    expect(error).toMatchObject({ name: 'ContextLengthError', code: 'context_length' })
    const function_ = { role: 'user', content: 'x', tool: () => {} }
    await expect(session.prompt([function_])).rejects.toThrow(/messages\[0\]\.tool is a function/)
  })

  it('leaves the event loop to the caller', { retry: 4 }, async () => {
    const idle = await delay(() => sleep(400))
    const session = engine.session()
    const busy = await delay(async () => {
      await session.prompt(STORY.repeat(100), { ...GREEDY, maxTokens: 50 })
    })
    // In this thread a step of that prompt would take longer. `bench/event-loop.ts` holds it to 5 ms on a quiet machine.
    expect(busy).toBeLessThan(idle + 20)
  })
})

/** 99th percentile of the event loop's delay, in milliseconds. */
async function delay(work: () => Promise<unknown>): Promise<number> {
  const histogram = monitorEventLoopDelay({ resolution: 5 })
  histogram.enable()
  await work()
  histogram.disable()
  return histogram.percentile(99) / 1e6
}

describe('loading', () => {
  it('tells how far it is', async () => {
    const events: ProgressEvent[] = []
    const engine = await load({ onProgress: event => events.push(event) })
    await engine.dispose()
    const loads = events.filter(e => e.status === 'load')
    expect(loads.length).toBeGreaterThan(0)
    expect(loads.at(-1)).toMatchObject({ loaded: loads[0]?.total })
    expect(events.at(-1)?.status).toBe('ready')
    loads.reduce((last, { loaded }) => {
      expect(loaded).toBeGreaterThanOrEqual(last)
      return loaded
    }, 0)
  })

  it('stops for a signal', async () => {
    const reason = new Error('changed my mind')
    await expect(load({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    for (const wait of [() => Promise.resolve(), () => sleep(0), () => sleep(5)]) {
      const controller = new AbortController()
      const loading = load({ signal: controller.signal })
      const rejected = expect(loading).rejects.toBe(reason)
      await wait()
      controller.abort(reason)
      await rejected
    }
  })

  it.each([
    ['a folder that is not there', './no/such/folder', CheckpointError, /no\/such\/folder is not there/],
    ['a file', 'package.json', CheckpointError, /is a file/],
    ['a folder without a model', 'docs', CheckpointError, /no config\.json/],
    ['a name that is none', 'what?', CheckpointError, /neither a folder here nor a model name/],
  ])('refuses %s', async (_, source, errorClass, message) => {
    for (const inline of [false, true]) {
      const loading = Engine.load(source, { inline, offline: true })
      await expect(loading).rejects.toBeInstanceOf(errorClass)
      await expect(loading).rejects.toThrow(message)
    }
  })

  it('refuses a model of another architecture', async () => {
    const folder = tempFolder({ 'config.json': '{"model_type": "deepseek_v4"}', 'model.safetensors': empty() })
    await expect(Engine.load(folder)).rejects.toBeInstanceOf(UnsupportedModelError)
  })

  it('refuses options by name', async () => {
    await expect(load({ threads: 0 })).rejects.toThrow(/threads is 0/)
    await expect(load({ kernels: 'cuda' as 'native' })).rejects.toThrow(/kernels is "cuda"; expected auto, native/)
    await expect(load({ contextLength: 5000 })).rejects.toThrow(/5000; this model was made for at most 2048/)
  })
})

describe('the end', () => {
  it('fails what is under way, and everything after', async () => {
    const engine = await load()
    const session = engine.session()
    const generations: Generation[] = [session.prompt(STORY), engine.generate(STORY)]
    const reading = (async () => {
      for await (const _ of generations[0] as Generation);
    })()
    const ended = [...generations, reading].map(p => expect(p).rejects.toBeInstanceOf(DisposedError))
    await sleep(20)
    await engine.dispose()
    await Promise.all(ended)
    await expect(session.prompt('A')).rejects.toBeInstanceOf(DisposedError)
    await expect(engine.tokenize('A')).rejects.toBeInstanceOf(DisposedError)
    expect(() => engine.session()).toThrow(DisposedError)
    await session.dispose()
    await engine.dispose()
  })

  it('is waited for, whatever still arrives', async () => {
    const program = `
      import { Engine } from 'latentkit'
      for (let i = 0; i < 3; i++) {
        const engine = await Engine.load('${TALES}', { threads: 1 })
        await engine.generate('A', { maxTokens: 2 })
        await engine.dispose()
      }
      console.log('done')`
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 })
    expect((await run).stdout).toBe('done\n')
  })

  it('comes by itself when nothing is under way, even if nobody disposes of anything', async () => {
    const program = `
      import { Engine } from 'latentkit'
      const engine = await Engine.load('${TALES}', { threads: 1 })
      const session = engine.session()
      const { text } = await session.prompt('${STORY}', { maxTokens: 5, temperature: 0 })
      console.log(text)`
    const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 20_000 })
    const greedy = expectedTexts()[0]!.greedyText
    expect((await run).stdout).toBe(`${greedy.split(' ').slice(0, 6).join(' ')}\n`)
  })
})

/** A safetensors file without tensors. */
function empty(): Uint8Array {
  const header = '{}      '
  const bytes = new Uint8Array(8 + header.length)
  bytes[0] = header.length
  bytes.set(new TextEncoder().encode(header), 8)
  return bytes
}
