/** How far a prompt is read is told while it is read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Engine, type PromptProgress } from '../../src/index.ts'

const TALES = new URL('../../models/tales-mla-8m', import.meta.url).pathname
const LONG = 'Once upon a time there was a fox. '.repeat(150)

describe('onPromptProgress', () => {
  let engine: Engine
  beforeAll(async () => {
    // Slow enough to be watched.
    engine = await Engine.load(TALES, { kernels: 'wasm', threads: 1, inline: true })
  })
  afterAll(() => engine.dispose())

  it('tells rising numbers of the prompt, and no more once it is read', async () => {
    const heard: PromptProgress[] = []
    const session = engine.session()
    const text = session.prompt(LONG, { maxTokens: 8, onPromptProgress: progress => heard.push(progress) })
    let atFirstToken: number | null = null
    for await (const _ of text) atFirstToken ??= heard.length
    const { usage } = await text
    expect(heard.length).toBeGreaterThan(1)
    // What the cache has, before anything is read.
    expect(heard[0]).toEqual({ tokens: 0, total: usage.promptTokens })
    expect(heard).toHaveLength(atFirstToken as number)
    expect(heard.map(({ tokens }) => tokens)).toEqual([...heard.map(({ tokens }) => tokens)].sort((a, b) => a - b))
    for (const { tokens, total } of heard) {
      expect(total).toBe(usage.promptTokens)
      expect(tokens).toBeLessThan(total)
    }
    const cached: PromptProgress[] = []
    await session.prompt(` And then. ${LONG.slice(0, 1000)}`, { maxTokens: 1, onPromptProgress: p => cached.push(p) })
    // What was read before counts as read, from the first report on.
    expect(cached.length).toBeGreaterThan(0)
    for (const { tokens } of cached) expect(tokens).toBeGreaterThan(usage.promptTokens)
  })

  it('costs the text nothing when it throws', async () => {
    const options = { maxTokens: 3, temperature: 0, reuse: false }
    const plain = await engine.session().prompt(LONG, options)
    const loud = await engine.session().prompt(LONG, {
      ...options,
      onPromptProgress: () => {
        throw new Error('of the caller')
      },
    })
    expect(loud.text).toBe(plain.text)
  })
})
