/** A thread that does not come back: given up within seconds, and another takes its place. As built, in real threads. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DisposedError, Engine, type LoadOptions, WorkerError } from 'latentkit'
import { describe, expect, it } from 'vitest'
import { workerLink } from '../../src/engine/link-worker.ts'
import type { HostLink } from '../../src/engine/protocol.ts'
import { Watch } from '../../src/engine/watch.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { TALES } from './tales.ts'

const GREEDY = { temperature: 0, ignoreEos: true, maxTokens: 4 } as const
const EVIL = 'x'.repeat(60)

/** The bundled model, with a normaliser that never ends on EVIL. */
function evilModel(): string {
  const folder = tempFolder()
  cpSync(TALES, folder, { recursive: true })
  const file = join(folder, 'tokenizer.json')
  const json = JSON.parse(readFileSync(file, 'utf8'))
  json.normalizer = { type: 'Replace', pattern: { Regex: '(x+)+!' }, content: '' }
  writeFileSync(file, JSON.stringify(json))
  return folder
}

const load = (options: LoadOptions = {}) => Engine.load(evilModel(), { threads: 1, offline: true, ...options })
const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

describe('a thread that is stuck', () => {
  it('is given up for an aborted prompt, answers beside it fail, and the engine goes on in a new thread', async () => {
    const notices: string[] = []
    const engine = await load({ onNotice: notice => notices.push(notice) })
    const session = engine.session()
    const { tokenIds } = await session.prompt('Once', GREEDY)
    const reason = new Error('enough')
    const controller = new AbortController()
    const evil = engine.generate(EVIL, { signal: controller.signal })
    const beside = [session.prompt('A', GREEDY), engine.tokenize('A'), session.fork()].map(work =>
      Promise.resolve<unknown>(work).catch((error: unknown) => error),
    )
    const took = seconds(async () => {
      controller.abort(reason)
      await expect(evil).rejects.toBe(reason)
    })
    for (const error of await Promise.all(beside)) {
      expect(error).toBeInstanceOf(WorkerError)
      expect((error as Error).message).toMatch(/no sign of life.*new session/)
    }
    expect(await took).toBeLessThan(6)
    expect(notices.join()).toMatch(/no sign of life/)

    for (const work of [
      () => session.prompt('A'),
      () => session.fork(),
      () => session.drop(0, 1),
      () => session.reset(),
      () => session.save(join(tempFolder(), 'x')),
    ]) {
      await expect(work()).rejects.toThrow(/make a new one with engine\.session\(\)/)
    }
    await session.dispose()
    // All that is asked while the model loads again is answered.
    const anew = engine.session()
    const [text, ids] = await Promise.all([anew.prompt('Once', GREEDY), engine.tokenize('Once')])
    expect(text.tokenIds).toEqual(tokenIds)
    expect(ids.length).toBeGreaterThan(0)
    await expect(session.prompt('A')).rejects.toThrow()
    await engine.dispose()
  })

  it('is given up for a deadline, for a loop that is left, and for a session that is disposed of', async () => {
    const engine = await load()
    await expect(engine.generate(EVIL, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    const session = engine.session()
    const text = session.prompt(EVIL, GREEDY)
    text.catch(() => {})
    await session.dispose()
    await expect(text).rejects.toThrow(WorkerError)
    expect((await engine.generate('Once', GREEDY)).tokenIds).toHaveLength(4)
    await engine.dispose()
  })

  it('does not keep dispose waiting', async () => {
    const engine = await load()
    const evil = engine.generate(EVIL)
    const ended = expect(evil).rejects.toThrow(DisposedError)
    expect(await seconds(() => engine.dispose())).toBeLessThan(4)
    await ended
  })

  it('is not what a long computation is: an abort waits for it', async () => {
    // Slow kernels, whose steps have no end in sight of a second.
    const engine = await Engine.load(TALES, { kernels: 'reference', offline: true })
    const session = engine.session()
    const controller = new AbortController()
    const long = session.prompt('Once upon a time there was a fox. '.repeat(50), { signal: controller.signal })
    setTimeout(() => controller.abort(), 300)
    await expect(long).rejects.toMatchObject({ name: 'AbortError' })
    expect((await session.prompt('Once', GREEDY)).tokenIds).toHaveLength(4)
    await engine.dispose()
  })

  it('that ends by itself is replaced too', async () => {
    const folder = tempFolder({
      'host.mjs': `
        import { parentPort } from 'node:worker_threads'
        parentPort.on('message', message => {
          if (message.type === 'load') parentPort.postMessage({ type: 'ready', info: {} })
          if (message.type === 'call' && message.call.text === 'die') process.exit(1)
          if (message.type === 'call') parentPort.postMessage({ type: 'reply', id: message.id, value: [7] })
        })`,
    })
    const { Client } = await import('../../src/engine/client.ts')
    const client = new Client(events => workerLink(pathToFileURL(`${folder}/host.mjs`), events))
    await client.load({ type: 'load', source: '', options: {} })
    const ask = (text: string) => client.call({ method: 'tokenize', text, options: {} })
    const thread = client.thread
    await expect(ask('die')).rejects.toThrow(/exit code 1.*new thread/)
    expect(client.lost(thread)).toMatchObject({ code: 'worker' })
    expect(await ask('go on')).toEqual([7])
    await expect(ask('die')).rejects.toMatchObject({ code: 'worker' })
    await client.terminate()
  })
})

describe('a watch', () => {
  const watched = (signs: { count: number; computing: boolean }, reply: () => void) => {
    let stuck = 0
    const link = { signs, post: reply } as unknown as HostLink
    const watch = new Watch(link, () => stuck++)
    return { watch, stuck: () => stuck }
  }
  const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

  it('calls stuck, once, who neither answers nor computes', async () => {
    const { watch, stuck } = watched({ count: 3, computing: false }, () => {})
    watch.begin(400)
    await sleep(1500)
    expect(stuck()).toBe(1)
  })

  it('waits for who answers, who computes, and no longer than it is told to', async () => {
    const answering = { count: 0, computing: false }
    const all = [
      watched(answering, () => answering.count++),
      watched({ count: 0, computing: true }, () => {}),
      watched({ count: 0, computing: false }, () => {}),
    ]
    for (const { watch } of all) watch.begin(400)
    all[2]?.watch.end()
    await sleep(1500)
    expect(all.map(({ stuck }) => stuck())).toEqual([0, 0, 0])
    for (const { watch } of all) watch.end()
  })
})
