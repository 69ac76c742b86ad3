/**
 * A real model's perplexity against that of transformers (float64, the same weights dequantised) and of llama.cpp: over
 * two windows, or over all twenty in some minutes:
 *
 *     LATENTKIT_PERPLEXITY_WINDOWS=20 npx vitest run test/evaluation/smollm2
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import { measurePerplexity } from '../../src/tools.ts'

const FOLDER = fileURLToPath(new URL('../../../shared/models/smollm2-135m-instruct/', import.meta.url))
const WIKITEXT = fileURLToPath(new URL('../../../shared/data/wikitext-2.test.raw', import.meta.url))
const here = existsSync(FOLDER) && existsSync(WIKITEXT)
const skip = !here || nativeUnavailable() !== null

const WINDOWS = Number(process.env.LATENTKIT_PERPLEXITY_WINDOWS ?? 2)
const WHOLE = 20

interface Perplexity {
  readonly n_ctx: number
  readonly scored_per_window: number
  readonly transformers: { readonly after_each_window: readonly number[] }
  readonly llama_cpp: { readonly after_each_window: readonly number[] }
}

describe.skipIf(skip)(`SmolLM2-135M-Instruct, ${WINDOWS} windows of WikiText-2`, { timeout: 600_000 }, () => {
  const expected = () =>
    (JSON.parse(readFileSync(`${FOLDER}expected.json`, 'utf8')) as { perplexity: Perplexity }).perplexity
  const measure = (exact: boolean) =>
    measurePerplexity(FOLDER, readFileSync(WIKITEXT, 'utf8'), { windows: WINDOWS, exact, kernels: 'native' })

  it('exact: within 0.05 % of transformers', async () => {
    const { n_ctx, scored_per_window, transformers } = expected()
    const { text, afterEachWindow } = await measure(true)
    expect(text).toMatchObject({ window: n_ctx, step: n_ctx, scored: WINDOWS * scored_per_window })
    for (const [i, perplexity] of afterEachWindow.entries()) {
      const ratio = perplexity / (transformers.after_each_window[i] as number)
      expect(Math.abs(ratio - 1)).toBeLessThan(5e-4)
    }
  })

  it('with 8-bit activations: no worse than llama.cpp over the whole', async () => {
    const { transformers, llama_cpp } = expected()
    const perplexity = (await measure(false)).afterEachWindow[WINDOWS - 1] as number
    const exact = transformers.after_each_window[WINDOWS - 1] as number
    // They are rounded indeed.
    expect(Math.abs(perplexity / exact - 1)).toBeGreaterThan(5e-4)
    // In few windows two roundings differ by chance: in the first, llama.cpp's costs 0.4 % and ours 0.7 %.
    const limit = WINDOWS === WHOLE ? (llama_cpp.after_each_window[WHOLE - 1] as number) : 1.01 * exact
    expect(perplexity).toBeLessThanOrEqual(limit)
  })
})

it.skipIf(here)('SmolLM2-135M-Instruct and WikiText-2 need ../shared, which is not here', () => {})
