/**
 * What must not matter, over random models of odd shapes: how a prompt is cut, what stands beside it in a batch, how
 * many threads compute it: bit for bit. Which path MLA takes, and whether rows are cached or computed again: to rounding.
 */
import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Model } from '../../src/model/model.ts'
import type { AttentionPath } from '../../src/nn/attention/path.ts'
import type { StepInput } from '../../src/nn/step.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import {
  randomConvolutionConfig,
  randomGroupedConfig,
  randomLatentConfig,
  randomModel,
} from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'

const CASES = 6
const CONFIGS = {
  latent: randomLatentConfig,
  grouped: randomGroupedConfig,
  convolution: randomConvolutionConfig,
}

for (const set of KERNEL_SETS) {
  describe.skipIf(set.missing !== null)(`${set.name}${set.missing ? ` (${set.missing})` : ''}`, () => {
    // Long enough for whole cells of the path grid and blocks; the reference is slow, so its prompts are shorter.
    const long = set.name === 'reference' ? 140 : 300

    for (let seed = 0; seed < CASES; seed++) {
      const rng = new Rng(`identities ${seed}`)
      const kind = (['latent', 'grouped', 'latent', 'grouped', 'convolution', 'convolution'] as const)[seed]!
      const config = CONFIGS[kind](rng)
      const tokens = Array.from({ length: long }, () => rng.below(config.vocab_size as number))
      const options = { cacheType: (['f32', 'bf16', 'f16'] as const)[seed % 3]!, blockTokens: 1 + rng.below(40) }
      const title = `${kind} ${seed}: ${JSON.stringify({ ...config, ...options })}`

      const withModel = async (run: (model: Model) => Promise<void>, threads?: number) => {
        const kernels = await set.make(threads ? { threads } : {})
        try {
          const model = await randomModel(kernels, config, seed, options)
          await run(model)
          model.dispose()
        } finally {
          kernels.dispose()
        }
      }

      describe(title, () => {
        it('chunked = whole = token by token at the end', () =>
          withModel(async model => {
            const whole = await prefill(model, tokens, [tokens.length])
            const cuts: number[] = []
            for (let left = tokens.length; left > 0; left -= cuts.at(-1)!) cuts.push(Math.min(left, 1 + rng.below(90)))
            expect(await prefill(model, tokens, cuts)).toEqual(whole)
            expect(await prefill(model, tokens, [tokens.length - 9, ...Array(9).fill(1)])).toEqual(whole)
          }))

        it('together = alone', () =>
          withModel(async model => {
            const other = tokens.map(t => (t + 1) % (config.vocab_size as number)).slice(0, 61)
            const alone = [await prefill(model, tokens, [tokens.length]), await prefill(model, other, [other.length])]
            const caches = [model.sequence(400), model.sequence(400), model.sequence(400)]
            const whole = (list: number[], i: number): StepInput => {
              return { tokens: list, cache: caches[i]!, prompt: { start: 0, end: list.length }, logits: 'last' }
            }
            const logits = await read(model, [whole(tokens, 0), whole(other, 1)])
            expect(logits).toEqual([...alone[0]!, ...alone[1]!])
            // One generated token each, beside the other's prompt or alone.
            const next = (i: number): StepInput => ({ tokens: [3], cache: caches[i]!, prompt: null, logits: 'last' })
            const mixed = await read(model, [next(0), whole(other, 2), next(1)])
            const again = model.sequence(400)
            await read(model, [{ ...whole(tokens, 0), cache: again }])
            const single = await read(model, [{ ...next(0), cache: again }])
            expect(mixed.slice(0, single.length)).toEqual(single)
            for (const c of [...caches, again]) c.dispose()
          }))

        it('cached = computed again', () =>
          withModel(async model => {
            const head = tokens.slice(0, -5)
            const cache = model.sequence(400)
            await read(model, [{ tokens: head, cache, prompt: { start: 0, end: head.length }, logits: 'none' }])
            const generated = await read(
              model,
              tokens.slice(-5).map(t => [t]),
              cache,
            )
            const again = await prefill(model, tokens, [tokens.length])
            cache.dispose()
            expectClose(generated, again, 2e-3)
          }))

        if (kind === 'latent') {
          it('absorbed = expanded', () =>
            withModel(async model => {
              const [a, b] = [
                await prefill(model, tokens, [tokens.length], 'absorbed'),
                await prefill(model, tokens, [tokens.length], 'expanded'),
              ]
              expectClose(a, b, options.cacheType === 'f32' ? 2e-4 : 2e-3)
            }))
        }

        if (set.name !== 'reference') {
          it('any number of threads', async () => {
            const results: number[][] = []
            for (const threads of [1, 2, 3]) {
              await withModel(async model => void results.push(await prefill(model, tokens, [100, 150, 50])), threads)
            }
            expect(results[1]).toEqual(results[0])
            expect(results[2]).toEqual(results[0])
          })
        }
      })
    }
  })
}

/** Logits after the last token, the prompt cut as told. */
async function prefill(model: Model, tokens: number[], cuts: number[], path?: AttentionPath): Promise<number[]> {
  const cache = model.sequence(400)
  let at = 0
  let last: number[] = []
  for (const n of cuts) {
    const chunk = tokens.slice(at, at + n)
    const prompt = { start: 0, end: tokens.length }
    last = await read(model, [{ tokens: chunk, cache, prompt, logits: 'last', ...(path && { path }) }])
    at += n
  }
  cache.dispose()
  return last
}

/** Logits of one step; or of several steps of generated tokens in one cache, the last ones. */
async function read(
  model: Model,
  steps: readonly StepInput[] | readonly number[][],
  cache?: StepInput['cache'],
): Promise<number[]> {
  const kernels: Kernels = model.kernels
  if (!cache) return Array.from((await kernels.memory.read(await model.forward(steps as StepInput[]))) as Float32Array)
  let last: number[] = []
  for (const tokens of steps as number[][]) {
    last = await read(model, [{ tokens, cache, prompt: null, logits: 'last' }])
  }
  return last
}

function expectClose(got: readonly number[], want: readonly number[], tolerance: number): void {
  const worst = Math.max(...got.map((g, i) => Math.abs(g - want[i]!) / (1 + Math.abs(want[i]!))))
  expect(worst).toBeLessThanOrEqual(tolerance)
}
