import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { workerLink } from '../../src/engine/host/node/link-worker.ts'
import { Client } from '../../src/engine/wire/client.ts'
import { GenerationStream } from '../../src/engine/wire/generation.ts'
import { fromWire, toWire } from '../../src/engine/wire/wire-errors.ts'
import { DisposedError, LatentkitError, TemplateError, WorkerError } from '../../src/index.ts'
import { tempFolder } from '../support/temp-folder.ts'

/** A client of a thread that runs the given code instead of a model. */
function clientOf(code: string): Client {
  const folder = tempFolder({ 'host.mjs': `import { parentPort } from 'node:worker_threads'\n${code}` })
  return new Client(events => workerLink(pathToFileURL(`${folder}/host.mjs`), events))
}

const LOAD = { type: 'load', source: '', options: {} } as const

describe('a thread that ends unexpectedly', () => {
  it.each([
    ['fails to start', 'throw new Error("no luck")', /no luck/],
    ['throws', 'parentPort.on("message", () => { throw new Error("bad day") })', /bad day/],
    ['rejects', 'parentPort.on("message", async () => { throw new Error("bad night") })', /bad night/],
    ['exits', 'parentPort.on("message", () => process.exit(3))', /exit code 3/],
    ['throws what is no error', 'parentPort.on("message", () => { throw "oh" })', /ended unexpectedly/],
  ])('%s: everything pending fails, and everything after', async (_, code, message) => {
    const client = clientOf(code)
    const stream = new GenerationStream(() => {})
    const pending = [
      client.load(LOAD),
      client.call({ method: 'tokenize', text: 'A', options: {} }),
      Promise.resolve(stream),
    ]
    const prompt = { type: 'prompt', id: client.nextId(), session: 0, prompt: 'A', options: {} } as const
    client.prompt(prompt, { stream, ended: () => {}, signal: undefined })
    for (const result of await Promise.allSettled(pending)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'WorkerError', code: 'worker' } })
      expect((result as PromiseRejectedResult).reason).toBeInstanceOf(WorkerError)
      expect(((result as PromiseRejectedResult).reason as Error).message).toMatch(message)
    }
    await expect(client.call({ method: 'tokenize', text: 'A', options: {} })).rejects.toThrow(WorkerError)
    await client.terminate()
  })

  it('does not keep a dispose waiting', async () => {
    const client = clientOf('parentPort.on("message", () => process.exit(1))')
    client.close(new DisposedError('engine'))
    await client.disposeHost()
  })
})

describe('errors across the border', () => {
  it('keep class, name, code, message and plain fields', () => {
    const there = new TemplateError('no system role', { raised: true, cause: new Error('lost') })
    const here = fromWire(structuredClone(toWire(there)))
    expect(here).toBeInstanceOf(TemplateError)
    expect(here).toBeInstanceOf(LatentkitError)
    expect(here).toMatchObject({ name: 'TemplateError', code: 'bad_template', message: 'no system role', raised: true })
    expect(here.stack).toBe(there.stack)
  })

  it('keep their code without a class of their own, and their name without a code', () => {
    class Odd extends LatentkitError {}
    expect(fromWire(toWire(new Odd('odd', 'strange')))).toMatchObject({ name: 'Odd', code: 'odd', message: 'strange' })
    expect(fromWire(toWire(new RangeError('far')))).toMatchObject({ name: 'RangeError', message: 'far' })
    expect(fromWire(toWire('text'))).toMatchObject({ name: 'Error', message: 'text' })
  })
})
