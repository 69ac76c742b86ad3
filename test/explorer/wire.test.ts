/** Numbers of a model in Node are the engine's, bit for bit, and what was read for a page goes with it. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { NumbersService } from '../../apps/cli/explore/numbers-service.ts'
import { serveExplorer } from '../../apps/cli/explore/server.ts'
import { openNode } from '../../apps/explorer/numbers/in-node.ts'
import type { Numbers } from '../../apps/explorer/numbers/numbers.ts'
import { numbersOf } from '../../apps/explorer/numbers/of-engine.ts'
import { CALL } from '../../apps/explorer/numbers/wire.ts'
import { bundledModel, Engine } from '../../src/index.ts'
import { giveWebSocket } from './line.ts'

const TEXT = 'The cat sat on the mat. The cat'
const SMOLLM2 = fileURLToPath(new URL('../../../shared/models/smollm2-135m-instruct/', import.meta.url))
giveWebSocket()

async function served(model: string) {
  const engine = await Engine.load(model, { inline: true })
  const service = new NumbersService(numbersOf(engine, 'node'))
  const server = await serveExplorer({ host: 'localhost', port: 0, numbers: { name: engine.info.name, service } })
  const close = async () => {
    await service.close()
    await server.close()
  }
  return { engine, service, url: server.url, close }
}

const noLoss = (message: string) => {
  throw new Error(message)
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const value of values) found.push(value)
  return found
}

/** Arrays by a hash of their very bits: they may be long. */
function bits(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(bits)
  if (!ArrayBuffer.isView(value))
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, bits(one)]))
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  return `${value.constructor.name} ${createHash('sha256').update(bytes).digest('hex')}`
}

/** All that can be asked of a text. */
async function answers(numbers: Numbers, generates: boolean) {
  const reading = await numbers.read(TEXT, [{ kind: 'off', layer: 0, head: 0, rows: [2, 4] }])
  const last = reading.layers.length - 1
  const { tokens, layers, hiddenSize, causal, layersInOne } = reading
  const found = {
    ...{ tokens, layers, hiddenSize, causal, layersInOne },
    maps: await all(reading.attention({ layers: [0, -1], probabilities: true, scores: true, pool: 4, measures: true })),
    hidden: await all(reading.hidden()),
    cell: await reading.cell({ layer: last, head: 1, query: 2, key: 3 }),
    spectra: await all(reading.spectra({ layers: [last] })),
    near: await numbers.neighbours(tokens[2]?.id ?? 0),
    config: await numbers.config(),
    ...(generates && {
      next: await reading.next({ logits: true }),
      lens: await all(reading.lens({ top: 3 })),
      written: await all(reading.write({ maxTokens: 3 })),
      grown: await all(numbers.grow(TEXT, 3, new AbortController().signal)),
    }),
  }
  await reading.dispose()
  return bits(found)
}

const FIXTURES = ['checkpoints/gpt2', 'checkpoints/falcon-mqa', 'checkpoints/deepseek-v2-lite', 'embeddings/bert']

describe('numbers over the wire', () => {
  it.for([bundledModel(), SMOLLM2])('are those of the engine: %s', { timeout: 60_000 }, async (model, { skip }) => {
    if (!existsSync(model)) skip('the model is not here')
    if (model === SMOLLM2 && !process.env.LATENTKIT_EXPLORER) skip('needs LATENTKIT_EXPLORER')
    const { engine, url, close } = await served(model)
    onTestFinished(close)
    const numbers = await openNode(url, noLoss)
    expect(numbers.info).toStrictEqual(engine.info)
    expect(await answers(numbers, true)).toStrictEqual(await answers(numbersOf(engine, 'node'), true))
    await numbers.dispose()
  })

  describe('of one model', () => {
    let own: Awaited<ReturnType<typeof served>>
    beforeAll(async () => {
      own = await served(bundledModel())
    })
    afterAll(() => own?.close())
    const until = (held: { pages: number; readings: number }) =>
      expect.poll(() => own.service.held, { timeout: 5000 }).toEqual(held)

    it('are computed as they are asked for, and no longer', async () => {
      const numbers = await openNode(own.url, noLoss)
      const reading = await numbers.read(TEXT, [])
      for await (const { layer } of reading.attention()) {
        expect(layer).toBe(0)
        break
      }
      const stop = new AbortController()
      await expect(
        all(
          (async function* () {
            for await (const map of reading.attention({ signal: stop.signal })) {
              yield map
              stop.abort(new Error('enough'))
            }
          })(),
        ),
      ).rejects.toThrow('enough')
      await expect(reading.next({ top: 0 })).rejects.toThrow('top is 0')
      await expect(all(reading.attention({ layers: [9] }))).rejects.toThrow('layers[0] is 9')
      await reading.dispose()
      await until({ pages: 1, readings: 0 })
      await expect(reading.next()).rejects.toMatchObject({ name: 'DisposedError' })
      await numbers.dispose()
    })

    it('take a text from another that was read', async () => {
      const numbers = await openNode(own.url, noLoss)
      const from = await numbers.read('The dog ran', [])
      const change = { kind: 'head', layer: 4, head: 2, from, row: -1, fromRow: -1 } as const
      const changed = await numbers.read(TEXT, [change])
      await using source = await own.engine.inspect('The dog ran')
      await using expected = await own.engine.inspect(TEXT, { changes: [{ ...change, from: source }] })
      expect(await changed.next({ logits: true })).toStrictEqual(await expected.next({ logits: true }))
      await numbers.dispose()
    })

    it('of a page that has gone are freed, in the engine, too', async () => {
      const numbers = await openNode(own.url, noLoss)
      await numbers.read(TEXT, [])
      await numbers.read('The dog', [])
      expect(own.service.held).toEqual({ pages: 1, readings: 2 })
      await numbers.dispose()
      await until({ pages: 0, readings: 0 })
      // The engine would count what others keep.
      await expect(own.engine.inspect(TEXT, { maxBytes: 1 })).rejects.toThrow(
        /^(?!.*other readings).*maxBytes allows 1/,
      )
      await expect(numbers.read(TEXT, [])).rejects.toThrow('has been freed')
    })

    it('end where nobody waits for them any more: a loop that is left, a signal, a page that goes', async () => {
      let running = 0
      const endless = async (signal: AbortSignal | undefined) => {
        running++
        try {
          await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
        } finally {
          running--
        }
        throw new Error('unreachable')
      }
      const service = new NumbersService({
        ...numbersOf(own.engine, 'node'),
        read: (_text, _changes, signal) => endless(signal),
        async *answer() {
          running++
          try {
            // More than a socket takes from one that is not read.
            for (;;) yield await new Promise<string>(resolve => setTimeout(resolve, 1, 'x'.repeat(2 ** 20)))
          } finally {
            running--
          }
        },
        dispose: async () => undefined,
      })
      const server = await serveExplorer({ host: 'localhost', port: 0, numbers: { name: 'endless', service } })
      onTestFinished(async () => {
        await service.close()
        await server.close()
      })
      const ended = () => expect.poll(() => running, { timeout: 5000 }).toBe(0)
      const numbers = await openNode(server.url, noLoss)
      const options = { temperature: 0, maxTokens: 1 }
      for await (const _ of numbers.answer('', options, new AbortController().signal)) {
        expect(running).toBe(1)
        break
      }
      await ended()
      const stop = new AbortController()
      const stopped = numbers.answer('', options, stop.signal)[Symbol.asyncIterator]()
      await stopped.next()
      expect(running).toBe(1)
      stop.abort(new Error('enough'))
      await ended()
      // One is read, one is written to a page that does not take it.
      const left = [numbers.read(TEXT, []), all(numbers.answer('', options, new AbortController().signal))]
      const unread = numbers.answer('', options, new AbortController().signal)[Symbol.asyncIterator]()
      await unread.next()
      await expect.poll(() => running).toBe(3)
      await numbers.dispose()
      await Promise.allSettled(left)
      await ended()
      expect(service.held).toEqual({ pages: 0, readings: 0 })
      await service.close()
      await expect(openNode(server.url, noLoss)).rejects.toThrow('has ended')
    })

    it('are for the page that this server gave out, and for programs', async () => {
      const { host } = new URL(own.url)
      const post = (headers: Record<string, string>, body: string) =>
        new Promise<string>((resolve, reject) => {
          const call = request(`${own.url}${CALL}`, { method: 'POST', headers }, response => {
            let text = ''
            response.on('data', part => (text += part))
            response.on('end', () => resolve(`${response.statusCode} ${text}`))
          })
          call.on('error', reject).end(body)
        })
      const call = JSON.stringify({ page: 'x', method: 'read', arguments: [TEXT, []] })
      expect(await post({ origin: 'https://evil.example' }, call)).toMatch(/^403 Only the explorer/)
      expect(await post({ host: 'evil.example' }, call)).toMatch(/^403 /)
      expect(await post({ origin: `http://${host}` }, call)).toMatch(/^410 What was read for this page/)
      expect(await post({}, '{')).toMatch(/^400 That is no call/)
      expect(await post({}, '{"page":"x"}')).toMatch(/^400 That is no call/)
      expect(await post({}, ' '.repeat(2 ** 24 + 1))).toMatch(/^413 /)
      expect((await fetch(`${own.url}${CALL}`)).status).toBe(405)
      for (const headers of [{ origin: 'https://evil.example' }, { host: 'evil.example' }]) {
        const opened = new Promise((resolve, reject) => {
          const handshake = { ...headers, connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-key': 'eA==' }
          const line = request(`${own.url}numbers/line`, { headers: handshake }, response =>
            resolve(response.statusCode),
          )
          line.on('upgrade', () => resolve('open')).on('error', reject)
          line.end()
        })
        await expect(opened.catch(() => 403)).resolves.toBe(403)
      }
      expect(own.service.held.pages).toBe(0)
    })
  })
})

describe('numbers of every kind of attention', () => {
  it.for(FIXTURES)('%s', { timeout: 30_000 }, async (name, { skip }) => {
    const folder = fileURLToPath(new URL(`../fixtures/${name}/`, import.meta.url))
    if (!existsSync(folder)) skip('there is no such fixture')
    const { engine, url, close } = await served(folder)
    onTestFinished(close)
    const numbers = await openNode(url, noLoss)
    const { generates } = engine.info
    expect(await answers(numbers, generates)).toStrictEqual(await answers(numbersOf(engine, 'node'), generates))
    await numbers.dispose()
  })
})
