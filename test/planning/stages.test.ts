/** A pipeline of whole layers: what each stage holds, and how few stages do. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plan } from '../../src/planning/plan.ts'
import { publishedModel } from '../../src/planning/published/index.ts'
import { planModelFromJson } from '../../src/planning/read/json.ts'
import { smallestPipeline } from '../../src/planning/smallest-ranks.ts'
import { balancedStages, fewestStages, type StageCosts } from '../../src/planning/stages.ts'
import { latentkit } from '../cli/run.ts'

/** Costs that one may choose freely. */
const costs: fc.Arbitrary<StageCosts> = fc
  .record({
    layers: fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { minLength: 1, maxLength: 8 }),
    first: fc.nat(60),
    last: fc.nat(60),
    tied: fc.nat(30),
    lastCache: fc.nat(20),
  })
  .map(({ layers, first, last, tied, lastCache }) => ({
    weights: layers.map(([w]) => w + 1),
    first,
    last: { same: last, apart: last + tied },
    cache: (context, batch) => ({ layers: layers.map(([, c]) => c * context * batch), last: lastCache }),
  }))

/** By trying every way to cut. */
function bruteForce(c: StageCosts, count: number, context: number, batch: number): number {
  const { layers, last } = c.cache(context, batch)
  const n = layers.length
  let best = Number.POSITIVE_INFINITY
  const cut = (from: number, left: number, most: number): void => {
    for (let to = left === 1 ? n : from + 1; to <= n - left + 1; to++) {
      let bytes = from === 0 ? c.first : 0
      for (let i = from; i < to; i++) bytes += (c.weights[i] as number) + (layers[i] as number)
      if (to === n) bytes += last + c.last[count === 1 ? 'same' : 'apart']
      const now = Math.max(most, bytes)
      if (left === 1) best = Math.min(best, now)
      else cut(to, left - 1, now)
    }
  }
  cut(0, count, 0)
  return best
}

describe('a division into stages', () => {
  it('has the emptiest fullest stage, and every layer once', () => {
    fc.assert(
      fc.property(costs, fc.nat(7), fc.integer({ min: 1, max: 3 }), (c, more, batch) => {
        const count = 1 + (more % c.weights.length)
        const stages = balancedStages(c, count, 2, batch)
        expect(stages).toHaveLength(count)
        expect(Math.max(...stages.map(s => s.bytes))).toBe(bruteForce(c, count, 2, batch))
        let at = 0
        for (const s of stages) {
          expect([s.firstLayer, s.layers > 0, s.bytes]).toEqual([at, true, s.weightBytes + s.cacheBytes])
          at += s.layers
        }
        expect(at).toBe(c.weights.length)
      }),
    )
  })

  it('with the fewest stages that hold it: one fewer does not', () => {
    fc.assert(
      fc.property(costs, fc.integer({ min: 1, max: 400 }), (c, memory) => {
        const stages = fewestStages(c, 1, 1, memory)
        const holds = (n: number) => bruteForce(c, n, 1, 1) <= memory
        const counts = c.weights.map((_, i) => i + 1)
        expect(stages?.length ?? null).toBe(counts.find(holds) ?? null)
      }),
    )
  })
})

describe('a model in stages', () => {
  const R1 = publishedModel('R1')

  it('holds in all what it holds alone', () => {
    const context = 10_000
    const alone = plan(R1, { context, batch: 3 })
    const { stages, ranks, perRank } = plan(R1, { context, batch: 3, pipelineParallel: 7 })
    const sum = (of: 'weightBytes' | 'cacheBytes' | 'layers') => (stages ?? []).reduce((n, s) => n + s[of], 0)
    expect([sum('weightBytes'), sum('cacheBytes'), sum('layers')]).toEqual([alone.weights.bytes, alone.cache.bytes, 61])
    expect(ranks.total).toBe(7)
    expect(perRank.bytes).toBe(Math.max(...(stages ?? []).map(s => s.bytes)))
  })

  it('has a tied embedding at both ends', () => {
    const model = publishedModel('Llama-3.2-1B')
    const { stages } = plan(model, { context: 100, pipelineParallel: 2 })
    const weights = (stages ?? []).reduce((n, s) => n + s.weightBytes, 0)
    expect(weights).toBe(plan(model, { context: 100 }).weights.bytes + 128_256 * 2048 * 2)
  })

  it('keeps layers in their order: windows where the model has them', () => {
    const model = planModelFromJson({
      model_type: 'gemma3_text',
      ...{ hidden_size: 64, num_hidden_layers: 4, num_attention_heads: 4, num_key_value_heads: 1, head_dim: 16 },
      ...{ intermediate_size: 64, vocab_size: 100, sliding_window: 10, max_position_embeddings: 4096 },
      layer_types: ['sliding_attention', 'full_attention', 'sliding_attention', 'full_attention'],
    })
    const { stages } = plan(model, { context: 1000, pipelineParallel: 4 })
    const row = 2 * 16 * 2
    expect(stages?.map(s => s.cacheBytes)).toEqual([10 * row, 1000 * row, 10 * row, 1000 * row])
  })

  it('is divided further by heads in each stage', () => {
    const [one, two] = [1, 2].map(tensorParallel => plan(R1, { context: 1000, pipelineParallel: 4, tensorParallel }))
    expect(two?.ranks.total).toBe(8)
    expect(two?.perRank.weightBytes).toBeLessThan(0.6 * (one?.perRank.weightBytes as number))
    expect(two?.perRank.cacheBytes).toBe(one?.perRank.cacheBytes)
  })

  it('needs fewer cards than heads shared out, and what is advised fits', () => {
    const options = { context: 32_768, memoryBytes: 24e9 }
    const found = smallestPipeline(R1, options)
    expect(found).not.toBeNull()
    const { stages = 0, bytesPerStage = 0 } = found ?? {}
    const memory = (pipelineParallel: number) => plan(R1, { ...options, pipelineParallel }).memory
    expect(memory(stages)?.fits).toBe(true)
    expect(memory(stages - 1)?.fits).toBe(false)
    expect(bytesPerStage).toBeLessThanOrEqual(24e9)
    // No card may hold less than its share.
    expect(stages).toBeGreaterThanOrEqual(Math.ceil(plan(R1, options).weights.bytes / 24e9))
    expect(smallestPipeline(R1, { ...options, memoryBytes: 1e9 })).toBeNull()
    expect(smallestPipeline(R1, { context: 1 })).toBeNull()
  })

  it('the longest context and the most users are the last that fit', () => {
    const options = { memoryBytes: 24e9, pipelineParallel: 31 }
    const { largestContext: context = 0, largestBatch: batch = 0 } =
      plan(R1, { ...options, context: 32_768 }).memory ?? {}
    const fits = (o: object) => plan(R1, { ...options, context: 32_768, ...o }).memory?.fits
    expect([fits({ context }), fits({ context: context + 1 })]).toEqual([true, false])
    expect([fits({ batch }), fits({ batch: batch + 1 })]).toEqual([true, false])
  })

  it('on the command line: advice, a row for each stage, a sentence for too many', async () => {
    const ask = async (...args: string[]) => (await latentkit(['plan', 'R1', ...args])).stdout.replace(/\s+/g, ' ')
    const advice = await ask('--machine', 'rtx4090', '--context', '32k')
    const [, stages] = /as a pipeline \d+ \(--pp (\d+)\), layers whole, with at most/.exec(advice) ?? []
    const text = await ask('--machine', 'rtx4090', '--context', '32k', '--pp', stages as string)
    expect(text).toMatch(
      new RegExp(`Divided over ${stages} stages, .* on the fullest, every share fits into one NVIDIA GeForce`),
    )
    expect(text).toMatch(/Stage Layers Weights Cache Together 1 1–\d+ .* GB/)
    const { code, stderr } = await latentkit(['plan', 'R1', '--pp', '62'])
    expect(stderr).toMatch(/--pp is 62; expected at most a stage for each of the 61 layers/)
    expect(code).toBe(2)
  })
})
