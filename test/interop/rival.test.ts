/**
 * llama.cpp as the benches and the interop tests ask it: what it says of SmolLM2 through `bench/rival/program.mjs` is
 * what it said when the expected numbers were made.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Contender, rivalInstalled } from '../../bench/contenders/contender.ts'
import { tempFolder } from '../support/temp-folder.ts'

const FOLDER = join(import.meta.dirname, '../../../shared/models/smollm2-135m-instruct')
const MODEL = join(FOLDER, 'SmolLM2-135M-Instruct.Q4_1.gguf')
const missing = !rivalInstalled ? 'node bench/rival/install.mjs' : existsSync(MODEL) ? null : '../shared'

interface Expected {
  readonly greedy: {
    readonly prompts: readonly {
      readonly ids: readonly number[]
      readonly llama_cpp: { readonly greedy: readonly number[] }
    }[]
  }
}

describe.skipIf(missing !== null)(`llama.cpp asked by lines of JSON${missing ? `, needs ${missing}` : ''}`, () => {
  const expected = missing ? null : (JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as Expected)
  const { ids = [], llama_cpp: theirs } = expected?.greedy.prompts[0] ?? {}
  let rival: Contender
  beforeAll(async () => {
    rival = Contender.rival()
    await rival.ask('open', { model: MODEL, threads: 2, contextLength: 256 })
  })
  afterAll(() => rival?.close())

  it('writes the greedy text it wrote before', async () => {
    const { promptIds, tokenIds } = await rival.ask('greedy', { tokens: ids, maxTokens: 16 })
    expect(promptIds).toEqual(ids)
    expect(tokenIds).toEqual(theirs?.greedy.slice(0, 16))
  })

  it('gives a greedy text the probabilities of a greedy text, and another one less', async () => {
    const text = theirs?.greedy.slice(0, 5) ?? []
    const sum = async (tokens: readonly number[]) => {
      const { logprobs } = await rival.ask('score', { tokens: [...ids, ...tokens] })
      expect(logprobs.length).toBe(ids.length + tokens.length - 1)
      return logprobs.slice(-tokens.length).reduce((a, b) => a + b, 0)
    }
    const greedy = await sum(text)
    expect(greedy).toBeLessThan(0)
    expect(greedy).toBeGreaterThan(text.length * Math.log(0.2))
    expect(await sum([...text].reverse())).toBeLessThan(greedy - 10)
  })

  it('reads, writes, forgets and remembers at exact positions', async () => {
    await rival.ask('truncate', { length: 0 })
    expect((await rival.ask('read', { tokens: ids })).ms).toBeGreaterThan(0)
    expect((await rival.ask('write', { tokens: [5, 6, 7] })).ms.length).toBe(3)
    expect(await rival.ask('truncate', { length: 10_000 })).toEqual({ length: ids.length + 3 })
    const file = join(tempFolder(), 'state')
    expect((await rival.ask('save', { file })).bytes).toBeGreaterThan(0)
    expect(await rival.ask('truncate', { length: ids.length })).toEqual({ length: ids.length })
    expect(await rival.ask('restore', { file })).toEqual({ length: ids.length + 3 })
  })

  it('says what it could not do, and goes on', async () => {
    await expect(rival.ask('read', { tokens: Array.from({ length: 9000 }, () => 1) })).rejects.toThrow(
      /read: 9000 tokens behind \d+ are more/,
    )
    expect((await rival.ask('memory', {})).residentBytes).toBeGreaterThan(1e8)
  })
})
