/** When models are loaded and unloaded: what a stop, a client that leaves, and an unloading that takes its time change of it. */
import { bundledModel } from 'latentkit'
import { createServer } from 'latentkit/server'
import { expect, test } from 'vitest'
import type * as ModelsModule from '../../apps/server/models/models.ts'

// As built: its engines' threads are, too.
const { Models } = (await import('../../dist/apps/server/models/models.js' as string)) as typeof ModelsModule

const signal = new AbortController().signal

function models(more: { memoryBytes?: number } = {}) {
  const told: string[] = []
  const its = new Models({
    models: ['a', 'b'].map(name => ({ name, source: bundledModel() })),
    ...{ load: { threads: 1 }, anyModel: false, memoryBytes: undefined, keepAlive: undefined, ...more },
    told: (what, { model }) => told.push(`${model}: ${what}`),
  })
  return { told, its, [Symbol.asyncDispose]: () => its.dispose() }
}

/** One takes 21 MB. */
const ROOM_FOR_ONE = { memoryBytes: 24_000_000 }
const soon = (what: Promise<unknown>) =>
  Promise.race([what.then(() => 'done'), new Promise(resolve => setTimeout(resolve, 200, 'waits'))])

test.each([
  ['no-such-model', '"no-such-model" is neither a folder here nor a model name'],
  ['./no-such-model', './no-such-model is not there'],
])('%s is refused before anything listens, also beside models that are here', async (name, message) => {
  const lines: string[] = []
  const refused = createServer({ models: [bundledModel(), name], port: 0, log: line => lines.push(line) })
  await expect(refused).rejects.toMatchObject({ name: 'CheckpointError', message: expect.stringContaining(message) })
  expect(lines).toEqual([])
})

test('a stop ends the loading of a model at once', async () => {
  const lines: string[] = []
  const server = await createServer({ load: { threads: 1 }, log: line => lines.push(line) })
  const refused = expect(server.ready).rejects.toMatchObject({ code: 'stopping' })
  await server.close()
  await refused
  expect(lines.join('\n')).not.toContain('model loaded')
})

test.each(['a', 'b'])('with a being unloaded, %s is loaded when the memory is free', async name => {
  await using all = models(ROOM_FOR_ONE)
  const lease = await all.its.lease('a', signal)
  const { engine } = lease
  const dispose = engine.dispose.bind(engine)
  let go = () => {}
  const slow = new Promise<void>(resolve => {
    go = resolve
  })
  engine.dispose = () => slow.then(dispose)
  lease.release(0)
  while (all.its.peek('a')) await new Promise(resolve => setTimeout(resolve, 1))
  const next = all.its.lease(name, signal)
  expect(await soon(next)).toBe('waits')
  expect(all.told).toEqual(['a: model loaded'])
  go()
  ;(await next).release()
  expect(all.told).toEqual(['a: model loaded', 'a: model unloaded', `${name}: model loaded`])
})

test('a stop waits for what is being unloaded', async () => {
  const all = models()
  const lease = await all.its.lease('a', signal)
  lease.release(0)
  while (all.its.peek('a')) await new Promise(resolve => setTimeout(resolve, 1))
  await all.its.dispose()
  expect(all.told).toEqual(['a: model loaded', 'a: model unloaded'])
})

test('a model that nobody waits for any more makes no room, and keeps none from loading', async () => {
  await using all = models(ROOM_FOR_ONE)
  const lease = await all.its.lease('a', signal)
  const leaving = new AbortController()
  const left = all.its.lease('b', leaving.signal)
  expect(await soon(left)).toBe('waits')
  leaving.abort(new Error('left'))
  await expect(left).rejects.toThrow('left')
  lease.release()
  ;(await all.its.lease('a', signal)).release()
  expect(all.told).toEqual(['a: model loaded'])
})
