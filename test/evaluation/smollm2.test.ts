/**
 * A real model's perplexity against that of transformers (float64, the same weights dequantised) and of llama.cpp. Here
 * the first two windows; `latentkit perplexity` with `--windows 20` takes a minute and is in docs/quality.md.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { measurePerplexity } from '../../src/index.ts'
import { nativeUnavailable } from '../../src/kernels/native/addon.ts'

const FOLDER = fileURLToPath(new URL('../../../shared/models/smollm2-135m-instruct/', import.meta.url))
const WIKITEXT = fileURLToPath(new URL('../../../shared/data/wikitext-2.test.raw', import.meta.url))
const here = existsSync(FOLDER) && existsSync(WIKITEXT)
const WINDOWS = 2

interface Perplexity {
  readonly n_ctx: number
  readonly scored_per_window: number
  readonly transformers: { readonly after_each_window: readonly number[] }
  readonly llama_cpp: { readonly after_each_window: readonly number[] }
}

describe.skipIf(!here || nativeUnavailable() !== null)(
  'SmolLM2-135M-Instruct on WikiText-2',
  { timeout: 120_000 },
  () => {
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

    it('with 8-bit activations: no worse than llama.cpp', async () => {
      const { llama_cpp } = expected()
      const { afterEachWindow } = await measure(false)
      for (const [i, perplexity] of afterEachWindow.entries()) {
        expect(perplexity).toBeLessThanOrEqual(llama_cpp.after_each_window[i] as number)
      }
    })
  },
)

it.skipIf(here)('SmolLM2-135M-Instruct and WikiText-2 need ../shared, which is not here', () => {})
