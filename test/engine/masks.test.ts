/** Texts under a grammar in the host's loop, on random weights, which want everything but what is allowed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { HostPromptOptions } from '../../src/engine/types/protocol.ts'
import { type GrammarSource, type MasksPort, MaskThread, type StartMasks } from '../../src/grammar/index.ts'
import { MaskService } from '../../src/grammar/thread/service.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { wasmBytes } from '../grammar/support.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { randomLatentConfig } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { HostLab } from './host-lab.ts'

// As built: Node runs no TypeScript in a thread.
const { startMasks } = (await import('../../dist/src/grammar/node/thread.js' as string)) as { startMasks: StartMasks }

const LIST: GrammarSource = {
  kind: 'json',
  text: '{"type":"array","items":{"enum":["red","green",12,true]},"minItems":2,"maxItems":6}',
}
const WORDS: GrammarSource = { kind: 'regex', text: '(ab|cd){20,40}x' }
const KEYS: GrammarSource = {
  kind: 'json',
  text: JSON.stringify({
    type: 'object',
    properties: { the_first_of_its_names: { const: 'a known text' }, the_second_of_its_names: { enum: [1, 20] } },
    required: ['the_first_of_its_names', 'the_second_of_its_names'],
    additionalProperties: false,
    'x-guidance': { whitespace_flexible: false },
  }),
}
const isList = (text: string): boolean => {
  const value = JSON.parse(text) as unknown[]
  return (
    value.length >= 2 && value.length <= 6 && value.every(item => ['red', 'green', 12, true].includes(item as string))
  )
}
const FREE: HostPromptOptions = { maxTokens: 40, temperature: 0, reuse: false }

/** A thread of masks whose messages can be held back, and which can be killed. */
class Threads {
  readonly ports: MasksPort[] = []
  requests = 0
  /** Milliseconds by which each mask is late. */
  delay = 0
  readonly start: StartMasks = events => {
    const port = startMasks(events)
    this.ports.push(port)
    return {
      post: message => {
        if (message.type === 'advance') this.requests++
        if (message.type !== 'advance' || this.delay === 0) port.post(message)
        else setTimeout(() => port.post(message), this.delay)
      },
      terminate: () => port.terminate(),
    }
  }
}

for (const { name, make, missing } of KERNEL_SETS.filter(({ name }) => name !== 'reference')) {
  describe.skipIf(missing !== null)(`masks on ${name} kernels${missing ? ` (${missing})` : ''}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'latentkit-masks-'))
    const threads = new Threads()
    const labs: HostLab[] = []
    let kernels: Kernels
    const open = async (start: StartMasks, shared: boolean) => {
      const masks = { start, wasm: async () => wasmBytes(), shared, mayBlock: shared }
      const config = { ...randomLatentConfig(new Rng('masks')), max_position_embeddings: 512 }
      const lab = await HostLab.open({ kernels, config, contextLength: 300, cacheDir: folder, masks })
      labs.push(lab)
      return lab
    }
    let lab: HostLab
    const write = (options: HostPromptOptions, source?: GrammarSource) =>
      lab.prompt(lab.session(), 'A text about', { reuse: false, ...options }, source)

    beforeAll(async () => {
      kernels = await make({ threads: 1 })
      lab = await open(threads.start, true)
    })
    afterAll(async () => {
      for (const one of labs) await one.dispose()
      kernels.dispose()
      rmSync(folder, { recursive: true, force: true })
    })

    it('hold every text, whatever is drawn, alone and beside others', async () => {
      const options = (seed: number): HostPromptOptions => ({ temperature: 1, topP: 1, seed, maxTokens: 200 })
      const alone = []
      for (const seed of [1, 2, 3, 4]) alone.push(await write(options(seed), LIST))
      const free = write(FREE)
      const together = await Promise.all([1, 2, 3, 4].map(seed => write(options(seed), LIST)))
      expect(together.map(({ text }) => text)).toEqual(alone.map(({ text }) => text))
      expect(alone.every(({ finishReason }) => finishReason === 'stop')).toBe(true)
      for (const { text } of alone) expect(isList(text)).toBe(true)
      expect(new Set(alone.map(({ text }) => text)).size).toBeGreaterThan(1)
      expect((await free).text).toBe((await write(FREE)).text)
    })

    it('give the same text with drafts, of which only allowed ones are checked', async () => {
      let drafted = 0
      for (const seed of [1, 2, 3]) {
        const options: HostPromptOptions = { temperature: 1, topP: 1, seed, maxTokens: 100 }
        const plain = await write(options, WORDS)
        const guessed = await write({ ...options, speculation: 'ngram' }, WORDS)
        expect(guessed.tokenIds).toEqual(plain.tokenIds)
        expect(plain.text).toMatch(/^(ab|cd){20,40}x$/)
        drafted += guessed.usage.draftTokens
      }
      expect(drafted).toBeGreaterThan(0)
    })

    it('hold every beam', async () => {
      const { beams = [] } = await write({ beams: { width: 3 }, maxTokens: 100 }, LIST)
      const ended = beams.filter(({ finishReason }) => finishReason === 'stop')
      expect(ended.length).toBeGreaterThan(0)
      for (const { text } of ended) expect(isList(text)).toBe(true)
    })

    it('change nothing by coming late, and hold nobody else back', async () => {
      const expected = await write({ seed: 5, temperature: 1, maxTokens: 100 }, LIST)
      const free = await write(FREE)
      threads.delay = 60
      try {
        const late = write({ seed: 5, temperature: 1, maxTokens: 100 }, LIST)
        const began = performance.now()
        const beside = await write(FREE)
        expect(performance.now() - began).toBeLessThan(1000)
        expect(beside.text).toBe(free.text)
        expect((await late).text).toBe(expected.text)
      } finally {
        threads.delay = 0
      }
    })

    it('come as messages where memory cannot be shared', async () => {
      const inline: StartMasks = events => {
        const service = new MaskService(message => setImmediate(() => events.message(structuredClone(message))))
        return { post: message => setImmediate(() => service.receive(structuredClone(message))), terminate: () => {} }
      }
      const expected = await write({ seed: 6, temperature: 1, maxTokens: 100 }, WORDS)
      const page = await open(inline, false)
      for (const speculation of ['off', 'ngram'] as const) {
        const options: HostPromptOptions = { seed: 6, temperature: 1, maxTokens: 100, reuse: false, speculation }
        expect((await page.prompt(page.session(), 'A text about', options, WORDS)).text).toBe(expected.text)
      }
    })

    it('are there before the step where ids have to come, whose text is the same', async () => {
      const inline: StartMasks = events => {
        const service = new MaskService(message => setImmediate(() => events.message(structuredClone(message))))
        return { post: message => setImmediate(() => service.receive(structuredClone(message))), terminate: () => {} }
      }
      const page = await open(inline, false)
      for (const temperature of [0, 1]) {
        const options: HostPromptOptions = { seed: 3, temperature, maxTokens: 120, reuse: false }
        const before = threads.requests
        const { tokenIds, text } = await write(options, KEYS)
        expect(threads.requests - before).toBeLessThan(tokenIds.length)
        const alone = await page.prompt(page.session(), 'A text about', options, KEYS)
        expect(tokenIds).toEqual(alone.tokenIds)
        expect(JSON.parse(text)).toHaveProperty('the_second_of_its_names')
      }
    })

    it('end one text where their thread is killed, and no other', async () => {
      threads.delay = 30
      const free = write({ ...FREE, maxTokens: 200 })
      const one = write({ seed: 1, temperature: 1, maxTokens: 100 }, LIST)
      const other = write({ seed: 2, temperature: 1, maxTokens: 100 }, LIST)
      const ends = Promise.allSettled([one, other])
      await new Promise(resolve => setTimeout(resolve, 120))
      threads.ports.at(-1)?.terminate()
      threads.delay = 0
      const outcomes = await ends
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') expect(isList(outcome.value.text)).toBe(true)
        else expect(outcome.reason).toMatchObject({ code: 'bad_grammar', message: expect.stringMatching(/has ended/) })
      }
      expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeLessThanOrEqual(1)
      expect((await free).tokenIds).toHaveLength(200)
      expect(isList((await write({ seed: 3, temperature: 1, maxTokens: 200 }, LIST)).text)).toBe(true)
    })

    it('name what cannot be compiled, at once', async () => {
      const source: GrammarSource = { kind: 'lark', text: 'start: nothing' }
      await expect(write({ maxTokens: 5 }, source)).rejects.toThrow(/cannot be compiled: .*unknown name/s)
      expect((await write({ maxTokens: 0 }, LIST)).finishReason).toBe('length')
    })

    it('are given up with their text', async () => {
      const opened: unknown[] = []
      const original = MaskThread.prototype.open
      let closed = 0
      MaskThread.prototype.open = function (grammar) {
        const text = original.call(this, grammar)
        const close = text.close.bind(text)
        text.close = () => {
          closed++
          close()
        }
        opened.push(text)
        return text
      }
      try {
        await write({ seed: 1, maxTokens: 3 }, LIST)
        await write({ seed: 1, maxTokens: 100 }, LIST)
        const session = lab.session()
        const id = lab.peekId()
        const aborted = lab.prompt(session, 'A', { seed: 1, maxTokens: 100 }, { kind: 'regex', text: 'a{90}' })
        lab.abort(id)
        await aborted
        const disposed = lab.prompt(session, 'A', { seed: 1, maxTokens: 100 }, { kind: 'regex', text: 'a{90}' })
        disposed.catch(() => {})
        await lab.ask({ method: 'close', session })
        await expect(disposed).rejects.toMatchObject({ code: 'disposed' })
        await new Promise(resolve => setTimeout(resolve, 50))
      } finally {
        MaskThread.prototype.open = original
      }
      expect(opened.length).toBeGreaterThanOrEqual(2)
      expect(closed).toBeGreaterThanOrEqual(opened.length)
    })
  })
}
