/** Tokens, one number, ranks and next tokens on the page are the engine's. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { drawn } from '../../apps/explorer/view/next/drawing-rule.ts'
import { bundledModel, Engine } from '../../src/index.ts'
import { Sampler } from '../../src/sampling/sampler.ts'
import { ALL_WANTED, isTooWide, it, LOOKS, NO_CHROMIUM, seriousFindings, shoot, WHY_SKIPPED } from './in-browser.ts'

const FLAG = 'The American flag is red white and'
const DEADLINE = 90_000

/** Node's engine with the page's kernels: the bits are those of the page. */
let engine: Engine
beforeAll(async () => {
  if (!NO_CHROMIUM) engine = await Engine.load(bundledModel(), { kernels: 'wasm', inline: true })
}, 60_000)
afterAll(() => engine?.dispose())

describe.skipIf(NO_CHROMIUM)(`numbers${WHY_SKIPPED}`, () => {
  it('works one number by both paths, as the engine does', { timeout: DEADLINE }, async ({ open }) => {
    await using reading = await engine.inspect(FLAG)
    const cell = await reading.cell({ layer: 4, head: 2, query: 11, key: 10 })
    const page = await open('#/number?layer=4&head=2&query=11&key=10')
    await page.locator('#difference').waitFor()
    expect(await page.locator('#share').textContent()).toBe(cell.probability.toFixed(4))
    expect(cell.paths.length).toBe(2)
    for (const path of cell.paths) {
      const shown = await page.locator(`[data-path=${path.path}] dd`).allTextContents()
      const numbers = [path.plainDot, path.ropeDot, path.dot, path.worked, path.score]
      expect(shown).toEqual(numbers.map(n => n.toFixed(5)))
    }
    expect(Number(await page.locator('#difference').textContent())).toBeLessThan(1e-5)
  })

  it('saves several strips as one picture, with their names', { timeout: DEADLINE }, async ({ open }) => {
    await using reading = await engine.inspect(FLAG)
    const { input, latent } = await reading.cell({ layer: 4, head: 2, query: 11, key: 10 })
    const page = await open('#/number?layer=4&head=2&query=11&key=10')
    const saved = async (kind: string) => {
      const download = page.waitForEvent('download')
      await page.getByRole('button', { name: `Save “From x to what is cached” as ${kind}` }).click()
      return readFileSync(await (await download).path())
    }
    const svg = (await saved('SVG')).toString()
    expect(svg.match(/<image /g)?.length).toBe(3)
    const texts = [...svg.matchAll(/<text [^>]*>([^<]*)</g)].map(([, text]) => text)
    expect(texts.filter((_, i) => i % 2 === 0)).toEqual([
      'x, what enters the layer',
      'latent = W_DKV x',
      'rope key, one for all heads',
    ])
    const lengths = [input, latent?.latent, latent?.ropeKey].map(values => `${values?.length} numbers`)
    for (const [i, length] of lengths.entries()) expect(texts[2 * i + 1]).toContain(length)
    const png = await saved('PNG')
    expect(png.subarray(1, 4).toString()).toBe('PNG')
  })

  it('shows the next tokens, and what they become without a head', { timeout: DEADLINE }, async ({ open }) => {
    await using reading = await engine.inspect(FLAG)
    await using changed = await engine.inspect(FLAG, { changes: [{ kind: 'off', layer: 4, head: 2 }] })
    const page = await open('#/next?off=4.2&temperature=0.5&topk=5')
    const bars = (name: string) => page.getByRole('img', { name: new RegExp(`^${name}: `) })
    for (const [name, one] of [
      ['Next tokens as it is', reading],
      ['Next tokens, changed', changed],
    ] as const) {
      const { top } = await one.next({ top: 8 })
      const spoken = top.map(({ text, probability }) => `${text.trim()} ${probability.toFixed(4)}`).join(', ')
      expect(await bars(name).getAttribute('aria-label')).toBe(`${name}: ${spoken}`)
    }
    const { top, logits = new Float32Array() } = await reading.next({ top: 12, logits: true })
    const { ids, probabilities } = new Sampler({ temperature: 0.5, topK: 5, topP: 1 }).distribution(logits)
    const chances = new Map(Array.from(ids, (id, i) => [id, probabilities[i] ?? 0]))
    const cut = top.map(({ id, text, probability }) => {
      const chance = chances.get(id) ?? 0
      const was = Math.abs(chance - probability) > 5e-5 ? `  (was ${probability.toFixed(4)})` : ''
      return `${text.trim()} ${chance.toFixed(4)}${was}`
    })
    expect(await bars('Probability of each token').getAttribute('aria-label')).toContain(`: ${cut.join(', ')}`)
    const lens: (string | undefined)[] = []
    for await (const layer of reading.lens({ top: 1 })) lens.push(layer.top[0]?.probability.toFixed(3))
    const cells = page.locator('.lens tbody tr td:nth-child(2) .hint')
    await expect.poll(() => cells.allTextContents()).toEqual(lens)
  })

  it('says what a model cannot be asked', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open('#/next')
    await page.locator('.lens td').first().waitFor()
    const files = ['config.json', 'tokenizer.json', 'model.safetensors']
    await page.locator('input[type=file]').setInputFiles(files.map(file => `test/fixtures/embeddings/bert/${file}`))
    await page.getByText('is an encoder').waitFor()
    await page.goto(`${page.url().split('#')[0]}#/patterns`)
    await page.locator('.word').first().waitFor()
    expect(await page.locator('.word.later').count()).toBe(0)
  })

  it('opens a model by its folder, under its name', { timeout: DEADLINE }, async ({ open }) => {
    const page = await open('#/tokens')
    const chooser = page.waitForEvent('filechooser')
    await page.getByRole('button', { name: 'Open a folder …' }).click()
    await (await chooser).setFiles('test/fixtures/checkpoints/gpt2')
    await page.locator('.model-bar strong', { hasText: /^gpt2$/ }).waitFor()
    await page.waitForURL(/[?&]open=file%3Agpt2(?:&|$)/)
  })

  it('goes on comparing however many heads were switched', { timeout: DEADLINE }, async ({ open }) => {
    const heads = ['4.0', '4.1', '4.2', '4.3', '4.4', '4.5']
    await using changed = await engine.inspect(FLAG, {
      changes: heads.map(name => ({ kind: 'off', layer: 4, head: Number(name.slice(2)) })),
    })
    const [best] = (await changed.next({ top: 1 })).top
    const page = await open('#/next')
    const shown = page.getByRole('img', { name: /^Next tokens, changed: / })
    for (const name of heads) {
      const before = (await shown.count()) > 0 ? await shown.getAttribute('aria-label') : ''
      await page.getByRole('button', { name, exact: true }).click()
      await expect.poll(async () => shown.getAttribute('aria-label'), { timeout: 60_000 }).not.toBe(before)
    }
    expect(await shown.getAttribute('aria-label')).toContain(
      `changed: ${best?.text.trim()} ${best?.probability.toFixed(4)}`,
    )
  })

  it('shows tokens with their numbers, and what a smaller rank loses', { timeout: DEADLINE }, async ({ open }) => {
    await using reading = await engine.inspect(FLAG)
    const page = await open(`#/tokens?${new URLSearchParams({ text: FLAG })}`)
    await page.locator('.token').first().waitFor()
    expect(await page.locator('.token .id').allTextContents()).toEqual(reading.tokens.map(({ id }) => String(id)))
    // The vector of the token that is chosen at first.
    for await (const { values } of reading.hidden({ layers: [0], rows: [1, 2] })) {
      const strip = page.getByRole('img', { name: /^as it enters the first layer: / })
      const first = [...values.subarray(0, 4)].map(value => value.toPrecision(3)).join(', ')
      expect(await strip.getAttribute('aria-label')).toContain(`: ${first} … ${values.length} numbers`)
    }
    await page.goto(`${page.url().split('#')[0]}#/latent?${new URLSearchParams({ text: FLAG, rank: '4' })}`)
    const losses: string[] = []
    let sum = 0
    for await (const { layer, errors } of reading.spectra()) {
      losses.push(`layer ${layer} ${(errors[4] ?? 0).toFixed(4)}`)
      sum += errors[4] ?? 0
    }
    const curve = page.getByRole('img', { name: /^Loss by rank, mean of the layers: 0 1\.0000, / })
    expect(await curve.getAttribute('aria-label')).toContain(`, 4 ${(sum / losses.length).toFixed(4)}, `)
    const label = page.getByRole('img', { name: /^Loss at rank 4/ })
    expect(await label.getAttribute('aria-label')).toBe(`Loss at rank 4: ${losses.join(', ')}`)
  })

  // A minute and a half: for the nightly run.
  it.skipIf(!ALL_WANTED)(
    'hold at every width and in both themes, without serious findings of axe',
    { timeout: 240_000 },
    async ({ open }) => {
      for (const { width, colorScheme } of LOOKS) {
        for (const [view, ready] of [
          ['number', '#share'],
          ['next?off=4.2', '.lens td'],
          ['tokens', '.token'],
          ['latent', 'main figure'],
        ] as const) {
          const page = await open(`#/${view}`, { viewport: { width, height: 900 }, colorScheme })
          await page.locator(ready).first().waitFor()
          await shoot(page, `${view.replace(/\?.*/, '')}-${width}-${colorScheme}`)
          expect(await isTooWide(page)).toBe(false)
          expect(await seriousFindings(page)).toEqual([])
          await page.context().close()
        }
      }
    },
  )
})

describe('what drawing does to probabilities', () => {
  it('is what the engine would draw from', () => {
    const logits = Float32Array.from({ length: 200 }, (_, i) => Math.sin(i * 7.3) * 4)
    for (const rule of [
      { temperature: 1, topK: 0, topP: 1 },
      { temperature: 0.6, topK: 20, topP: 1 },
      { temperature: 1.7, topK: 0, topP: 0.8 },
      { temperature: 0.8, topK: 50, topP: 0.5 },
    ]) {
      const { ids, probabilities } = new Sampler(rule).distribution(logits)
      const expected = new Float64Array(logits.length)
      for (const [i, id] of ids.entries()) expected[id] = probabilities[i] ?? 0
      const found = drawn(logits, rule)
      for (const [i, p] of expected.entries()) expect(found[i]).toBeCloseTo(p, 9)
    }
  })
})
