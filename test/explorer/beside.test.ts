/** Two texts, two models, one word in two sentences, a head from another text: what is shown is the engine's. */
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { bundledModel, Engine, openTokenizer, type Reading } from '../../src/index.ts'
import { ALL_WANTED, isTooWide, it, LOOKS, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const FLAG = 'The American flag is red white and'
const OTHER = 'The old king had a son and'
const DEADLINE = 90_000
const GPT2 = ['config.json', 'tokenizer.json', 'model.safetensors'].map(
  file => `test/fixtures/checkpoints/gpt2/${file}`,
)

const GGUF = 'test/fixtures/gguf/llama-gqa-q4_1.gguf'

let engine: Engine
beforeAll(async () => {
  if (!NO_CHROMIUM) engine = await Engine.load(bundledModel(), { kernels: 'wasm', inline: true })
}, 60_000)
afterAll(() => engine?.dispose())

function address(view: string, params: Readonly<Record<string, string>>): string {
  return `#/${view}?${new URLSearchParams(params)}`
}

async function lastRow(reading: Reading, layer: number, head: number): Promise<string[]> {
  const last = reading.tokens.length - 1
  for await (const { probabilities } of reading.attention({ layers: [layer], heads: [head], rows: [last, last + 1] }))
    return [...(probabilities ?? [])].map(p => p.toFixed(3))
  return []
}

describe.skipIf(NO_CHROMIUM)(`side by side${WHY_SKIPPED}`, () => {
  it('shows the same head in two texts, each with its own token that looks', { timeout: DEADLINE }, async ({
    open,
  }) => {
    await using first = await engine.inspect(FLAG)
    await using second = await engine.inspect(OTHER)
    const given = { text: FLAG, beside: 'text', text2: OTHER, layer: '4', head: '2' }
    const page = await open(address('patterns', given))
    for (const [side, reading] of [
      [1, first],
      [2, second],
    ] as const) {
      const words = page.locator(`[data-side="${side}"] .word`)
      await words.first().waitFor()
      expect(await words.evaluateAll(all => all.map(word => word.getAttribute('title')))).toEqual(
        await lastRow(reading, 4, 2),
      )
    }
    await page.locator('[data-side="2"] .word').nth(2).click()
    await expect.poll(() => page.url()).toContain('query2=2')
    expect(page.url()).not.toContain('query=')
  })

  it('compares two models, one of them picked, in patterns, next tokens and ranks', { timeout: 180_000 }, async ({
    open,
  }) => {
    // The bundled model beside itself differs by nothing.
    const page = await open(address('next', { text: FLAG, beside: 'model', open2: './tales-mla-8m/' }))
    await page.locator('#moved').waitFor()
    expect(await page.locator('#moved').textContent()).toBe('0.0000')
    await page.goto(
      `${page.url().split('#')[0]}${address('patterns', { text: FLAG, beside: 'model', layer: '1', head: '2' })}`,
    )
    await page.locator('#moved').waitFor()
    expect(await page.locator('#moved').textContent()).toBe('0.0000')

    await using gpt2 = await Engine.load('test/fixtures/checkpoints/gpt2', { kernels: 'wasm', inline: true })
    await using reading = await gpt2.inspect(FLAG)
    await page.locator('[data-slot=beside] input[type=file]').setInputFiles(GPT2)
    const words = page.locator('[data-side="2"] .word')
    await expect
      .poll(() => words.evaluateAll(all => all.map(word => word.getAttribute('title'))), { timeout: 30_000 })
      .toEqual(await lastRow(reading, 1, 2))
    // A latent beside keys and values.
    await page.getByRole('link', { name: 'What a latent keeps' }).click()
    await page.locator('[data-side="1"]').getByText('caches a latent of 128 numbers').waitFor()
    await page.locator('[data-side="2"]').getByText('has no latents').waitFor()
    // A file is asked for again: a page cannot open it by itself.
    await page.reload()
    await page.locator('[data-slot=beside]').getByText('is a file of yours').waitFor()
  })

  it('lets two texts grow side by side, each with its own cache', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open(address('cache', { text: FLAG, beside: 'text', text2: OTHER, steps: '4' }))
    for (const [id, text] of [
      ['written', FLAG],
      ['written2', OTHER],
    ] as const) {
      const { text: more } = await engine.generate(text, { temperature: 0, maxTokens: 3 })
      const written = page.locator(`#${id}[aria-busy=false]`)
      await written.waitFor()
      expect(await written.textContent()).toContain(text + more)
    }
    expect(await page.locator('#used').textContent()).not.toBe(await page.locator('#used2').textContent())
  })

  it('shows how a word parts in two sentences, and other ways to cut a text', { timeout: DEADLINE }, async ({
    open,
  }) => {
    const [river, savings] = ['He sat on the river bank.', 'He put money in the savings bank.']
    await using first = await engine.inspect(river)
    await using second = await engine.inspect(savings)
    const page = await open('#/tokens?cut=bytes')
    const at = (reading: Reading) => reading.tokens.findIndex(({ text }) => text === ' bank')
    const states: Float32Array[] = []
    for await (const { values } of first.hidden({ rows: [at(first), at(first) + 1] })) states.push(values)
    const expected: string[] = []
    for await (const { layer, values } of second.hidden({ rows: [at(second), at(second) + 1] })) {
      const one = states[layer] as Float32Array
      const dot = (a: Float32Array, b: Float32Array) => a.reduce((n, x, i) => n + x * (b[i] ?? 0), 0)
      const [aa, bb, ab] = [dot(one, one), dot(values, values), dot(one, values)]
      const distance = (2 * Math.sqrt(Math.max(aa + bb - 2 * ab, 0))) / (Math.sqrt(aa) + Math.sqrt(bb))
      const name = layer === 0 ? 'embedding' : `layer ${layer - 1}`
      expected.push(`${name} ${distance.toFixed(3)}  (cosine ${(ab / Math.sqrt(aa * bb)).toFixed(3)})`)
    }
    const bars = page.getByRole('img', { name: /^Distance of the two vectors of “bank”: / })
    expect(await bars.getAttribute('aria-label')).toBe(`Distance of the two vectors of “bank”: ${expected.join(', ')}`)
    expect(await page.locator('#token-count').textContent()).toBe(`${first.tokens.length} tokens`)
    expect(await page.locator('#other-count').textContent()).toBe(`${river.length} bytes`)
  })

  it('cuts a text by a second tokenizer, whose model is not needed', { timeout: DEADLINE }, async ({ open }) => {
    const [small, gguf] = ['test/fixtures/tokenizers/small-320/tokenizer.json', GGUF]
    const text = 'naïve café: the American flag 123'
    const page = await open(address('tokens', { text, cut: 'model' }))
    await page.locator('#token-count').waitFor()
    const ids = () => page.locator('#other-count ~ * .id').allTextContents()
    for (const [file, source] of [
      [small, 'test/fixtures/tokenizers/small-320'],
      [gguf, gguf],
    ] as const) {
      await page.locator('[data-slot=tokenizer] input[type=file]').setInputFiles(file)
      const tokenizer = await openTokenizer(source)
      await expect.poll(ids).toEqual(tokenizer.encodePrompt(text).map(String))
    }
    expect(await page.locator('[data-slot=beside]').count()).toBe(0)
    await page
      .locator('[data-slot=tokenizer] input[type=file]')
      .setInputFiles('test/fixtures/checkpoints/gpt2/config.json')
    await page.getByRole('alert').waitFor()
    // The address follows a moment later.
    await page.waitForURL(/[?&]tokenizer=config\.json/)
    await page.reload()
    await page.locator('[data-slot=tokenizer]').getByText('is a file of yours').waitFor()
  })

  it('cuts by a picked tokenizer, and back by that of the model beside', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open(address('tokens', { text: FLAG, cut: 'model', open2: './tales-mla-8m/' }))
    const ids = () => page.locator('#other-count ~ * .id').allTextContents()
    await using reading = await engine.inspect(FLAG)
    const own = reading.tokens.map(({ id }) => String(id))
    await expect.poll(ids, { timeout: 30_000 }).toEqual(own)
    const small = 'test/fixtures/tokenizers/small-320'
    await page.locator('[data-slot=tokenizer] input[type=file]').setInputFiles(`${small}/tokenizer.json`)
    await expect.poll(ids).toEqual((await openTokenizer(small)).encodePrompt(FLAG).map(String))
    await page.getByRole('button', { name: 'That of the model beside' }).click()
    await expect.poll(ids).toEqual(own)
  })

  it('takes what a head found from another text', { timeout: DEADLINE }, async ({ open }) => {
    await using other = await engine.inspect(OTHER)
    await using changed = await engine.inspect(FLAG, {
      changes: [{ kind: 'head', layer: 4, head: 2, from: other, row: -1, fromRow: -1 }],
    })
    const page = await open(address('next', { text: FLAG, way: 'patch', patch: '4.2', other: OTHER }))
    const { top } = await changed.next({ top: 8 })
    const spoken = top.map(({ text, probability }) => `${text.trim()} ${probability.toFixed(4)}`).join(', ')
    const bars = page.getByRole('img', { name: /^Next tokens, changed: / })
    expect(await bars.getAttribute('aria-label')).toBe(`Next tokens, changed: ${spoken}`)
    await page.getByLabel('Where').selectOption('all')
    await page.getByText(`The other text has ${other.tokens.length} tokens`).waitFor()
  })

  it.skipIf(!ALL_WANTED)(
    'holds at every width and in both themes, without serious findings of axe',
    {
      timeout: 600_000,
    },
    async ({ open }) => {
      const views = [
        ['patterns', address('patterns', { text: FLAG, beside: 'text', text2: OTHER }), '#closely2'],
        ['next', address('next', { text: FLAG, beside: 'model', way: 'patch', patch: '4.2' }), '#moved'],
        ['latent', address('latent', { text: FLAG, beside: 'text', text2: OTHER }), '[data-side="2"] .pair'],
        ['tokens', '#/tokens?cut=characters', '#parting .chart'],
        ['tokenizer', '#/tokens?cut=model', '#parting .chart'],
      ] as const
      for (const { width, colorScheme } of LOOKS) {
        for (const [name, hash, ready] of views) {
          const page = await open(hash, { viewport: { width, height: 900 }, colorScheme })
          await page.locator(ready).first().waitFor()
          await shoot(page, `beside-${name}-${width}-${colorScheme}`)
          expect(await isTooWide(page)).toBe(false)
          expect(await seriousFindings(page)).toEqual([])
          await page.context().close()
        }
      }
    },
  )
})
