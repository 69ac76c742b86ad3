/** A thread that does not come back: given up within seconds, and another takes its place. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { Session } from '../../src/engine/api/session.ts'
import { workerLink } from '../../src/engine/host/node/link-worker.ts'
import type { HostLink } from '../../src/engine/types/protocol.ts'
import { Client } from '../../src/engine/wire/client.ts'
import { Watch } from '../../src/engine/wire/watch.ts'
import { DisposedError, type Engine, WorkerError } from '../../src/index.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { TALES } from './tales.ts'

const EVIL = 'never ends'
const STATE = '{ cache: { tokens: 0, usedBytes: 0, bytes: 0 }, keep: 0, tokens: [] }'

/** What a real thread says and does, but for the model: it answers at once, and never again where it is asked for EVIL. */
const HOST = `
  import { parentPort, workerData } from 'node:worker_threads'
  const signs = new Int32Array(workerData.shared)
  const say = message => parentPort.postMessage(message)
  const act = text => {
    if (text === '${EVIL}') /(a+)+!/.test('a'.repeat(60))
    if (text === 'computes') {
      Atomics.store(signs, 1, 1)
      for (const end = Date.now() + 5000; Date.now() < end;);
      Atomics.store(signs, 1, 0)
    }
    if (text === 'dies') process.exit(1)
  }
  parentPort.on('message', message => {
    Atomics.add(signs, 0, 1)
    if (message.type === 'load') setTimeout(() => say({ type: 'ready', info: {} }), 50)
    if (message.type === 'prompt') {
      act(message.prompt)
      say({ type: 'finished', id: message.id, completion: { text: message.prompt, finishReason: 'stop' }, state: ${STATE} })
    }
    if (message.type === 'call') {
      act(message.call.text)
      say({ type: 'reply', id: message.id, value: message.call.method === 'tokenize' ? [7] : ${STATE} })
    }
    if (message.type === 'dispose') process.exit(0)
  })`

async function start(onNotice = (_: string) => {}) {
  const script = pathToFileURL(join(tempFolder({ 'host.mjs': HOST }), 'host.mjs'))
  const client = new Client(events => workerLink(script, events), { onNotice })
  await client.load({ type: 'load', source: '', options: {} })
  const session = () => new Session(client, client.nextId())
  const ask = (text: string) => client.call({ method: 'tokenize', text, options: {} })
  return { client, session, ask }
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

describe('a thread that is stuck', () => {
  it('is given up for an aborted prompt; answers beside it fail, and the engine goes on in a new thread', async () => {
    const notices: string[] = []
    const { client, session, ask } = await start(notice => notices.push(notice))
    const old = session()
    expect((await old.prompt('A')).text).toBe('A')
    const reason = new Error('enough')
    const controller = new AbortController()
    const evil = session().prompt(EVIL, { signal: controller.signal })
    const beside = [old.prompt('A'), ask('A'), old.fork()].map(work =>
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
    expect(await took).toBeLessThan(8)
    expect(notices.join()).toMatch(/no sign of life/)
    for (const work of [
      () => old.prompt('A'),
      () => old.fork(),
      () => old.drop(0, 1),
      () => old.reset(),
      () => old.save('/nowhere'),
    ]) {
      await expect(work()).rejects.toThrow(/make a new one with engine\.session\(\)/)
    }
    await old.dispose()
    // All that is asked while the model loads again is answered.
    const anew = session()
    const [text, ids] = await Promise.all([anew.prompt('B'), ask('B')])
    expect([text.text, ids]).toEqual(['B', [7]])
    await client.terminate()
  })

  it('is given up for a deadline, and for a session that is disposed of, while it loads again too', async () => {
    const { client, session, ask } = await start()
    const signal = AbortSignal.timeout(100)
    await expect(session().prompt(EVIL, { signal })).rejects.toMatchObject({ name: 'TimeoutError' })
    const second = session()
    const text = second.prompt(EVIL)
    text.catch(() => {})
    await second.dispose()
    await expect(text).rejects.toThrow(WorkerError)
    expect(await ask('A')).toEqual([7])
    await client.terminate()
  })

  it('does not keep dispose waiting', async () => {
    const { client, session } = await start()
    const ended = expect(session().prompt(EVIL)).rejects.toThrow(DisposedError)
    client.close(new DisposedError('engine'))
    expect(await seconds(() => client.disposeHost())).toBeLessThan(6)
    await ended
  })

  it('is not one that computes: it is waited for, and its sessions live', async () => {
    const { client, session, ask } = await start()
    const controller = new AbortController()
    const slow = session().prompt('computes', { signal: controller.signal })
    controller.abort()
    expect((await slow).text).toBe('computes')
    expect(client.lost(1)).toBeNull()
    expect(await ask('A')).toEqual([7])
    await client.terminate()
  })

  it('and one that dies by itself are replaced alike', async () => {
    const { client, ask } = await start()
    const { thread } = client
    await expect(ask('dies')).rejects.toThrow(/exit code 1.*new thread/)
    expect(client.lost(thread)).toBeInstanceOf(WorkerError)
    expect(await ask('go on')).toEqual([7])
    await client.terminate()
  })
})

it('a real thread with slow kernels is waited for by an abort', async () => {
  const { Engine: Built } = (await import('latentkit')) as { Engine: typeof Engine }
  const engine = await Built.load(TALES, { kernels: 'reference', offline: true })
  const session = engine.session()
  const controller = new AbortController()
  const long = session.prompt('Once upon a time there was a fox. '.repeat(50), { signal: controller.signal })
  setTimeout(() => controller.abort(), 300)
  await expect(long).rejects.toMatchObject({ name: 'AbortError' })
  expect((await session.prompt('Once', { maxTokens: 2, temperature: 0, ignoreEos: true })).tokenIds).toHaveLength(2)
  await engine.dispose()
})

describe('a watch', () => {
  const PATIENCE = { silent: 400, working: 1200 }
  const watched = (signs: { count: number; work: number; computing: boolean }, asked = () => {}) => {
    let stuck = 0
    const watch = new Watch({ signs, post: asked } as unknown as HostLink, () => stuck++)
    return { watch, stuck: () => stuck }
  }
  const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

  it('calls stuck, once, who neither answers nor works nor computes, and in the end who only works', async () => {
    const silent = watched({ count: 3, work: 0, computing: false })
    const signs = { count: 3, work: 0, computing: false }
    const working = watched(signs, () => signs.work++)
    for (const { watch } of [silent, working]) watch.begin(PATIENCE)
    await sleep(900)
    expect([silent.stuck(), working.stuck()]).toEqual([1, 0])
    await sleep(1500)
    expect([silent.stuck(), working.stuck()]).toEqual([1, 1])
  })

  it('waits for who answers, who computes, and no longer than it is told to', async () => {
    const answering = { count: 0, work: 0, computing: false }
    const all = [
      watched(answering, () => answering.count++),
      watched({ count: 0, work: 0, computing: true }),
      watched({ count: 0, work: 0, computing: false }),
    ]
    for (const { watch } of all) watch.begin(PATIENCE)
    all[2]?.watch.end()
    await sleep(2000)
    expect(all.map(({ stuck }) => stuck())).toEqual([0, 0, 0])
    for (const { watch } of all) watch.end()
  })
})
