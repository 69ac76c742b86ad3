/** The cache on the page grows as the engine's does, and its work is what the planner counts. */
import { afterAll, beforeAll, describe, expect, it as plain } from 'vitest'
import { bytes, digits } from '../../apps/explorer/drawing/format.ts'
import { numbersOf } from '../../apps/explorer/numbers/of-engine.ts'
import { costsOf, sameSizes, windowed } from '../../apps/explorer/view/cache/work.ts'
import { bundledModel, Engine } from '../../src/index.ts'
import { plan, planModelFromJson, publishedModel } from '../../src/planning/index.ts'
import { ALL_WANTED, isTooWide, it, LOOKS, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const TEXT = 'Once upon a time there was a king who had a daughter.'
const DEADLINE = 90_000

let engine: Engine
beforeAll(async () => {
  engine = await Engine.load(bundledModel(), { kernels: 'wasm', inline: true })
}, 60_000)
afterAll(() => engine?.dispose())

async function grown(steps: number) {
  const found = []
  for await (const step of numbersOf(engine, 'node').grow(TEXT, steps, new AbortController().signal)) found.push(step)
  return found
}

describe('a text that is written with a cache', () => {
  plain('computes its prompt, then a token a step, which are those of one generation', async () => {
    const steps = await grown(5)
    const { tokenIds } = await engine.generate(TEXT, { maxTokens: 4, temperature: 0 })
    const ids = steps.flatMap(({ computed }) => computed)
    expect(steps.slice(1).map(({ computed }) => computed.length)).toEqual([1, 1, 1, 1])
    expect(ids.slice(-4)).toEqual(tokenIds)
    expect(steps.map(({ cache }) => cache.tokens)).toEqual([0, 1, 2, 3, 4].map(i => ids.length - 4 + i))
  })

  plain('takes what the planner counts, with every kind of attention of the same sizes', async () => {
    const [{ cache } = { cache: undefined }] = await grown(1)
    const model = planModelFromJson(await engine.config())
    const sizes = sameSizes(model, engine.info.cacheType, cache?.tokens ?? 0)
    expect(sizes.map(({ kind }) => kind)).toEqual(['mha', 'mla', 'gqa', 'mqa'].sort((a, b) => order(b) - order(a)))
    expect(sizes.find(({ own }) => own)?.bytes).toBe(cache?.usedBytes)
    function order(kind: string): number {
      return sizes.find(one => one.kind === kind)?.bytes ?? 0
    }
  })

  plain('costs as much without a cache as reading it anew each time', () => {
    const model = publishedModel('SmolLM2-135M')
    const [first, second] = costsOf(model, [10, 11])
    const whole = plan(model, { context: 11 }).prefill.work
    expect(first?.with).toBe(first?.without)
    expect(second?.without).toBe(whole.linearFlops + whole.attentionFlops)
    expect(second?.with).toBeLessThan((second?.without ?? 0) / 5)
    expect(sameSizes(model, 'bf16', 10).map(({ kind, own }) => `${kind}${own ? ' own' : ''}`)).toEqual([
      ...['mha', 'gqa own', 'mla', 'mqa'],
    ])
    // A window keeps its tokens, however long the text is.
    const rolling = (context: number) => plan(windowed(model, 8), { context }).cache.bytes
    expect(rolling(100)).toBe(rolling(8))
  })
})

describe.skipIf(NO_CHROMIUM)(`the cache on the page${WHY_SKIPPED}`, () => {
  it('holds what the engine holds', { timeout: DEADLINE }, async ({ open }) => {
    const steps = await grown(12)
    const page = await open(`#/cache?${new URLSearchParams({ text: TEXT, steps: '12', window: '8' })}`)
    await page.locator('#written[aria-busy=false]').waitFor()
    expect(await page.locator('#written').textContent()).toBe(steps.flatMap(({ texts }) => texts).join(''))
    const last = steps.at(-1)!.cache
    expect(await page.locator('#held').textContent()).toBe(bytes(last.bytes))
    expect(await page.locator('#used').textContent()).toBe(bytes(last.usedBytes))
    const model = planModelFromJson(await engine.config())
    const costs = costsOf(
      model,
      steps.map(({ cache }) => cache.tokens),
    )
    const sum = (which: 'with' | 'without') => digits(costs.reduce((n, cost) => n + cost[which], 0) / 1e9)
    expect(await page.locator('#work-with').textContent()).toBe(sum('with'))
    expect(await page.locator('#work-without').textContent()).toBe(sum('without'))
    const { cacheType } = engine.info
    const kept = plan(windowed(model, 8), { cacheType, context: last.tokens }).cache.bytes
    expect(await page.locator('#rolling').textContent()).toBe(bytes(kept))
    expect(await page.locator('.window .seen').count()).toBe(8)
  })

  it('writes on with latents of lower rank', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open(`#/latent?${new URLSearchParams({ text: TEXT, rank: '4' })}`)
    const written = async (rank?: number) => {
      const changes = rank === undefined ? [] : [{ kind: 'rank', of: 'latent', rank } as const]
      await using reading = await engine.inspect(TEXT, { changes })
      let text = ''
      for await (const token of reading.write({ maxTokens: 24 })) text += token.text
      return text
    }
    await page.locator('#written-own[aria-busy=false]').waitFor()
    await page.locator('#written-rank[aria-busy=false]').waitFor()
    const [whole, cut] = [await written(), await written(4)]
    expect(cut).not.toBe(whole)
    expect(await page.locator('#written-own').textContent()).toBe(whole)
    expect(await page.locator('#written-rank').textContent()).toBe(cut)
  })

  it('says what a model that writes no texts cannot do', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open('#/cache?steps=2')
    await page.locator('#written[aria-busy=false]').waitFor()
    const files = ['config.json', 'tokenizer.json', 'model.safetensors']
    await page.locator('input[type=file]').setInputFiles(files.map(file => `test/fixtures/embeddings/bert/${file}`))
    await page.getByRole('alert').getByText('writes none').waitFor()
  })

  it.skipIf(!ALL_WANTED)('holds at every width and in both themes', { timeout: 240_000 }, async ({ open }) => {
    for (const { width, colorScheme } of LOOKS) {
      for (const [view, ready] of [
        ['cache', '#written[aria-busy=false]'],
        ['latent?rank=4', '#written-rank[aria-busy=false]'],
      ] as const) {
        const page = await open(`#/${view}`, { viewport: { width, height: 900 }, colorScheme })
        await page.locator(ready).waitFor()
        await shoot(page, `${view.replace(/\?.*/, '')}-${width}-${colorScheme}`)
        expect(await isTooWide(page)).toBe(false)
        expect(await seriousFindings(page)).toEqual([])
        await page.context().close()
      }
    }
  })
})
