import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Engine, OptionError, type PromptOptions } from '../../src/index.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import type { Model } from '../../src/model/model.ts'
import type { Proposer } from '../../src/speculation/proposer.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { MODEL_KINDS, randomModelOf } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'
import { Lab, type Run, sameBits } from './lab.ts'
import { loadTales, TALES } from './tales.ts'

/** Knows the text and is wrong now and then; `after` a prompt of so many tokens. */
function oracle(text: readonly number[], after: number, rng: Rng, right = 0.8): Proposer {
  return {
    most: 15,
    propose: async (tokens, count) =>
      text
        .slice(tokens.length - after, tokens.length - after + count)
        .map(id => (rng.below(100) < right * 100 ? id : (id + 1) % 30)),
  }
}

for (const { name, make, missing } of KERNEL_SETS) {
  describe.skipIf(missing)(`guessing ahead on ${name} kernels`, () => {
    for (const kind of name === 'reference' ? MODEL_KINDS.slice(0, 1) : MODEL_KINDS) {
      describe(`${kind} attention`, () => {
        let kernels: Kernels
        let model: Model
        const tokens = name === 'reference' ? 30 : 100

        beforeAll(async () => {
          kernels = await make({ threads: 1 })
          model = await randomModelOf(kernels, kind)
        })
        afterAll(() => {
          model.dispose()
          kernels.dispose()
        })

        const ids = (n: number, seed: number) => {
          const draw = new Rng(seed)
          return Array.from({ length: n }, () => draw.below(model.config.vocabSize))
        }

        // The last token that was drawn has no row where a state could not go back to before it.
        const left = kind === 'convolution' ? 1 : 0

        it('samples from the same bits as without, alone and among others, and leaves the same rows', async () => {
          const lab = new Lab(model, kernels)
          const prompts = [ids(40, 1), ids(133, 2), ids(7, 3)]
          const plain: Run[] = []
          for (const p of prompts) plain.push(await lab.run(lab.timeline(), p, { maxTokens: tokens }))
          const runs = await Promise.all(
            prompts.map(async (prompt, i) => {
              const expected = plain[i] as Run
              const proposer = oracle(expected.tokenIds, prompt.length, new Rng(i))
              const timeline = lab.timeline()
              const run = await lab.run(timeline, prompt, { maxTokens: tokens, proposer })
              expect(timeline.cache.length).toBe(prompt.length + tokens - left)
              const more = await lab.run(timeline, timeline.tokens, { maxTokens: 5 })
              const cold = await lab.run(lab.timeline(), prompt, { maxTokens: tokens + 5 })
              expect(more.rows.at(-1)).toEqual(cold.rows.at(-1))
              return run
            }),
          )
          for (const [i, run] of runs.entries()) {
            expect(sameBits(run, plain[i] as Run), `sequence ${i}`).toBe(true)
            expect(run.usage.acceptedTokens).toBeGreaterThan(tokens / 3)
            expect(run.usage.draftTokens).toBeGreaterThan(run.usage.acceptedTokens)
          }
          expect(lab.steps.flat().some(count => count > 4)).toBe(true)
        })

        it('ends where it must in the middle of a draft: tokens, context, abort', async () => {
          const lab = new Lab(model, kernels)
          const prompt = ids(20, 4)
          const whole = await lab.run(lab.timeline(), prompt, { maxTokens: tokens })
          const proposer = () => oracle(whole.tokenIds, prompt.length, new Rng(9), 1)
          for (const maxTokens of [1, 2, 3, 9, 10, 17]) {
            const timeline = lab.timeline()
            const run = await lab.run(timeline, prompt, { maxTokens, proposer: proposer() })
            expect(run.tokenIds).toEqual(whole.tokenIds.slice(0, maxTokens))
            expect([run.finishReason, timeline.cache.length]).toEqual(['length', 20 + maxTokens - left])
          }
          for (const context of [21, 22, 25, 32, 33]) {
            const timeline = lab.timeline(context)
            const run = await lab.run(timeline, prompt, { maxTokens: 99, proposer: proposer() })
            expect(run.tokenIds).toEqual(whole.tokenIds.slice(0, context - 20))
            expect([run.finishReason, timeline.cache.length]).toEqual(['context', context - left])
          }
          const timeline = lab.timeline()
          const first = await lab.run(timeline, prompt, {
            maxTokens: tokens,
            proposer: proposer(),
            onToken: (count, sequence) => count === 12 && sequence.abort(),
          })
          expect(first).toMatchObject({ finishReason: 'aborted', tokenIds: whole.tokenIds.slice(0, 12) })
          const rest = await lab.run(timeline, timeline.tokens, { maxTokens: tokens - 12, proposer: proposer() })
          expect(sameBits({ ...whole, rows: [...first.rows, ...rest.rows] }, whole)).toBe(true)
        })

        it('shares only rows that were checked: what others find is what was written', async () => {
          const lab = new Lab(model, kernels)
          const prompt = ids(30, 5)
          const whole = await lab.run(lab.timeline(), prompt, { maxTokens: tokens })
          const timeline = lab.sharing()
          await lab.run(timeline, prompt, {
            maxTokens: tokens,
            proposer: oracle(whole.tokenIds, 30, new Rng(3), 0.6),
          })
          const long = [...timeline.tokens, ...ids(9, 6)]
          const strict = await lab.run(lab.sharing(), long, { strict: true })
          expect(sameBits(strict, await lab.run(lab.timeline(), long))).toBe(true)
          const near = await lab.run(lab.sharing(), long)
          expect(near.usage.cachedTokens).toBeGreaterThanOrEqual(kind === 'windowed' ? 0 : tokens)
          timeline.dispose()
          model.pool.evictAll()
        })

        it.skipIf(kind === 'windowed')('rolls over a full context as without', async () => {
          const lab = new Lab(model, kernels)
          const prompt = ids(20, 7)
          const rolling = { keep: 4, count: 12, shift: model.shift.bind(model) }
          const roll = (proposer?: Proposer) =>
            lab.run(lab.timeline(40), prompt, { maxTokens: 70, rolling, ...(proposer && { proposer }) })
          const whole = await roll()
          // What has rolled out is no longer in the tokens that the proposer sees.
          const guesses: Proposer = {
            most: 15,
            propose: async (seen, count) => {
              const last = seen.slice(-6).join()
              const at = whole.tokenIds.findIndex((_, i) => whole.tokenIds.slice(i - 5, i + 1).join() === last)
              return at < 0 ? seen.slice(0, count) : whole.tokenIds.slice(at + 1, at + 1 + count)
            },
          }
          const run = await roll(guesses)
          expect(run.tokenIds).toHaveLength(70)
          expect(run.usage.acceptedTokens).toBeGreaterThan(10)
          expect(sameBits(run, whole)).toBe(true)
        })
      })
    }
  })
}

describe('guessing ahead with the bundled model', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await loadTales({ draft: TALES })
  })
  afterAll(() => engine.dispose())

  const REPEATING = 'The cat sat on the red mat. The dog sat on the red mat. The cat sat on the'

  const CASES: Record<string, PromptOptions> = {
    greedy: { temperature: 0 },
    sampled: { temperature: 0.8, topP: 0.9, seed: 11 },
    penalised: { temperature: 0.7, seed: 5, repetitionPenalty: 1.2, presencePenalty: 0.3, frequencyPenalty: 0.2 },
    'ended by a stop sequence': { temperature: 0, stopSequences: ['and the', 'mat. '], maxTokens: 200 },
    'on the expanded path': { temperature: 0, attentionPath: 'expanded' },
  }

  it.each(Object.entries(CASES))('writes the same text and the same ids: %s', async (_, options) => {
    for (const prompt of [REPEATING, 'Once upon a time']) {
      const ask = async (speculation: 'off' | 'ngram' | 'draft') => {
        const session = engine.session()
        const completion = await session.prompt(prompt, { maxTokens: 120, ...options, speculation })
        const { tokens, cache } = session
        await session.dispose()
        return { completion, tokens: [...tokens], cached: cache.tokens }
      }
      const off = await ask('off')
      expect(off.completion.usage).toMatchObject({ draftTokens: 0, acceptedTokens: 0 })
      for (const kind of ['ngram', 'draft'] as const) {
        const on = await ask(kind)
        expect(on.completion.text, kind).toBe(off.completion.text)
        expect(on.completion.tokenIds).toEqual(off.completion.tokenIds)
        expect(on.completion.finishReason).toBe(off.completion.finishReason)
        expect(on.tokens).toEqual(off.tokens)
        expect(on.cached).toBe(off.cached)
        if (kind === 'draft') expect(on.completion.usage.acceptedTokens).toBeGreaterThan(0)
      }
    }
  })

  it('takes nearly all that the model itself would guess, over several prompts of a session', async () => {
    const session = engine.session()
    for (const prompt of ['Once upon a time', ' Then', ' At last']) {
      const { usage, tokenIds } = await session.prompt(prompt, { temperature: 0, maxTokens: 60, ignoreEos: true })
      expect(tokenIds).toHaveLength(60)
      // How many it asks for depends on what its drafts cost: as much as the text itself, here.
      expect(usage.draftTokens).toBeGreaterThan(0)
      // The draft model computes its first piece as a prompt, which is equal to rounding.
      expect(usage.acceptedTokens / usage.draftTokens).toBeGreaterThan(0.8)
    }
    await session.dispose()
  })

  it('counts what the draft model has allocated', async () => {
    const session = engine.session()
    await session.prompt(REPEATING, { temperature: 0, maxTokens: 20 })
    const { draftBytes } = await engine.cacheStats()
    // The same model with the same layout: as many blocks as the session has at least.
    expect(draftBytes).toBeGreaterThanOrEqual(session.cache.bytes)
    expect(draftBytes % (64 * engine.info.cacheBytesPerToken)).toBe(0)
    await session.dispose()
    const plain = await loadTales()
    await plain.generate('A', { maxTokens: 2 })
    expect((await plain.cacheStats()).draftBytes).toBe(0)
    await plain.dispose()
  })

  it('says which draft model is wrong, and that one is missing', async () => {
    expect(engine.info.draft).toBe('tales-mla-8m')
    const plain = await loadTales()
    await expect(plain.generate('A', { speculation: 'draft' })).rejects.toThrow(/no draft model: give Engine.load/)
    await expect(plain.generate('A', { speculation: 'magic' as 'off' })).rejects.toThrow(/expected off, ngram, draft/)
    await plain.dispose()
    const wrong = Engine.load(TALES, { inline: true, draft: 'test/fixtures/checkpoints/gpt2' })
    await expect(wrong).rejects.toThrow(OptionError)
  })
})
