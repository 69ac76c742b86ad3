/** What a step reads and computes, by hand. */
import { describe, expect, it } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { type Machine, machineNamed, machines } from '../../src/planning/machines.ts'
import type { PlanOptions } from '../../src/planning/options.ts'
import { plan } from '../../src/planning/plan.ts'
import { publishedModel } from '../../src/planning/published/index.ts'
import { smallestRanks } from '../../src/planning/smallest-ranks.ts'

const ask = (name: string, options: PlanOptions = {}) => plan(publishedModel(name), options)
/** One byte and one FLOP a second: times are amounts. */
const UNIT: Machine = { name: 'unit', title: 'unit', memoryBytes: null, bandwidth: 1, flops: 1, source: 'made up' }

describe('a decoding step', () => {
  it('of a dense model reads all but the embedding’s other rows, and multiplies twice per weight', () => {
    const { decode, weights } = ask('Llama-2-7B', { context: 1000 })
    const table = 32_000 * 4096
    const norms = 65 * 4096
    expect(weights.activeParameters).toBe(6_738_415_616 - table + 4096)
    expect(decode.work.weightBytes).toBe(2 * weights.activeParameters)
    expect(decode.work.linearFlops).toBe(2 * (6_738_415_616 - table - norms))
    expect(decode.work.attentionFlops).toBe(2 * 32 * 32 * 256 * 1000)
    expect(decode.work.cacheBytes).toBe(1000 * 524_288)
  })

  it('takes as long as reading or multiplying, whichever is longer', () => {
    const { work, time } = ask('Llama-2-7B', { context: 1000, machine: UNIT }).decode
    expect(time?.memorySeconds).toBe(work.weightBytes + work.cacheBytes)
    expect(time?.computeSeconds).toBe(work.linearFlops + work.attentionFlops)
    expect([time?.limit, time?.seconds]).toEqual(['memory', work.weightBytes + work.cacheBytes])
    const slow = ask('Llama-2-7B', { context: 1000, machine: { ...UNIT, flops: 0.5 } }).decode.time
    expect([slow?.limit, slow?.seconds]).toEqual(['compute', 2 * (work.linearFlops + work.attentionFlops)])
    const unknown = ask('Llama-2-7B', { context: 1000, machine: { ...UNIT, flops: null } }).decode.time
    expect([unknown?.computeSeconds, unknown?.limit]).toEqual([null, 'memory'])
  })

  it('of several users reads weights once and caches for each', () => {
    const [one, many] = [1, 16].map(batch => ask('Llama-3-8B', { context: 500, batch }).decode.work)
    expect(many?.cacheBytes).toBe(16 * (one?.cacheBytes ?? 0))
    // Fifteen more rows of the embedding.
    expect((many?.weightBytes ?? 0) - (one?.weightBytes ?? 0)).toBe(15 * 4096 * 2)
    expect(many?.linearFlops).toBe(16 * (one?.linearFlops ?? 0))
  })

  it('of experts reads more of them the more tokens choose, at most all', () => {
    const reads = (batch: number) => ask('Mixtral-8x7B', { batch, context: 100 }).decode.work
    const all = ask('Mixtral-8x7B').weights.bytes
    expect(reads(1).weightBytes).toBe(ask('Mixtral-8x7B').weights.activeBytes)
    for (const batch of [2, 4, 16]) {
      const { weightBytes, leastWeightBytes } = reads(batch)
      expect(weightBytes).toBeGreaterThan(leastWeightBytes)
      expect(leastWeightBytes).toBe(reads(1).weightBytes)
      expect(weightBytes).toBeLessThan(all)
    }
    // Two of eight chosen by 2 tokens: 8 (1 - (6/8)^2) = 3.5 experts.
    const expert = 3 * 4096 * 14_336 * 2 * 32
    expect(reads(2).weightBytes - reads(1).weightBytes).toBe(1.5 * expert + 4096 * 2)
  })

  it('of a sparse model reads all small keys but only the chosen rows', () => {
    const { cacheBytes, attentionFlops } = ask('V3.2', { context: 100_000 }).decode.work
    expect(cacheBytes).toBe(61 * (100_000 * 256 + 2048 * 1152))
    const absorbed = 128 * (2048 * (512 + 64 + 512) + 256 * 512)
    expect(attentionFlops).toBe(61 * 2 * (absorbed + 64 * 128 * 100_000))
    expect(ask('V3.2', { context: 1000 }).decode.work.cacheBytes).toBe(61 * 1000 * 1408)
  })

  it('behind a window reads no more than the window', () => {
    const reads = (context: number) => ask('Mistral-7B-v0.1', { context }).decode.work.cacheBytes
    expect(reads(4096)).toBe(4096 * 131_072)
    expect(reads(30_000)).toBe(4096 * 131_072)
    const p = ask('Mistral-7B-v0.1', { memoryBytes: 20e9 })
    expect([p.crossover.read, p.memory?.largestContextAlone]).toEqual([null, Number.POSITIVE_INFINITY])
  })

  it('8-bit weights multiply at the 8-bit rate, attention does not', () => {
    const machine: Machine = { ...UNIT, bandwidth: 1e15, flops: 1, flops8: 2 }
    const [fp8, bf16] = ['fp8', 'bf16'].map(weights => ask('V3', { machine, weights, context: 100 }).decode)
    expect(fp8?.time?.computeSeconds).toBe((fp8?.work.linearFlops ?? 0) / 2 + (fp8?.work.attentionFlops ?? 0))
    expect(bf16?.time?.computeSeconds).toBe((bf16?.work.linearFlops ?? 0) + (bf16?.work.attentionFlops ?? 0))
  })
})

describe('a prompt', () => {
  it('of an MLA is expanded when it is long, absorbed when it is short', () => {
    expect(ask('V3', { context: 4096 }).prefill.path).toBe('expanded')
    // The break-even is for long contexts; a prompt sees itself only.
    expect(ask('V3', { context: 1 }).prefill.path).toBe('expanded')
    const { work } = ask('Llama-2-7B', { context: 100 }).prefill
    expect(work.attentionFlops).toBe((2 * 32 * 32 * 256 * 100 * 101) / 2)
    const perToken = 32 * (4 * 4096 * 4096 + 3 * 4096 * 11_008)
    expect(work.linearFlops).toBe(2 * (100 * perToken + 32_000 * 4096))
  })
})

describe('devices', () => {
  it('are described with their sources', () => {
    for (const m of machines()) {
      expect(m.source.length).toBeGreaterThan(10)
      expect(m.bandwidth).toBeGreaterThan(1e10)
      expect(machineNamed(m.name.toUpperCase())).toEqual(m)
    }
    expect(machineNamed('H100')).toMatchObject({ memoryBytes: 80e9, bandwidth: 3.35e12 })
    expect(() => machineNamed('abacus')).toThrow(/there are h100, .* and measured/)
  })

  it('the fewest that hold a model', () => {
    expect(smallestRanks(publishedModel('Llama-3-8B'), { memoryBytes: 80e9, context: 8192 })?.total).toBe(1)
    const llama = smallestRanks(publishedModel('Llama-3.1-405B'), { memoryBytes: 80e9, context: 8192 })
    expect(llama).toMatchObject({ total: 16, tensorParallel: 16, dataParallel: 1 })
    const r1 = smallestRanks(publishedModel('R1'), { memoryBytes: 80e9, context: 131_072, batch: 32 })
    expect(r1).toMatchObject({ total: 16, dataParallel: 16, expertParallel: true })
    const fits = plan(publishedModel('R1'), {
      memoryBytes: 80e9,
      context: 131_072,
      batch: 32,
      dataParallel: 16,
      expertParallel: true,
    })
    expect([fits.memory?.fits, fits.perRank.bytes]).toEqual([true, r1?.bytesPerRank])
    expect(smallestRanks(publishedModel('R1'), { memoryBytes: 1e6 })).toBeNull()
    expect(() => smallestRanks(publishedModel('R1'), { memoryBytes: 1e12, dtype: 'q9' })).toThrow(OptionError)
  })

  it('tensor parallel shares of weights: heads, MLP, vocabulary divided; norms and latents repeated', () => {
    const { perRank, weights } = ask('Llama-3-8B', { tensorParallel: 4 })
    const norms = 65 * 4096 * 2
    expect(perRank.weightBytes).toBe((weights.bytes - norms) / 4 + norms)
    const v3 = ask('V3', { tensorParallel: 8, weights: 'bf16' })
    const repeated = 61 * (7168 * (1536 + 576) + 1536 + 512 + 2 * 7168) + 7168 + 58 * (256 * 7168 + 256)
    expect(v3.perRank.weightBytes).toBe((v3.weights.bytes - 2 * repeated) / 8 + 2 * repeated)
  })
})

describe('options', () => {
  it.each<[string, PlanOptions, RegExp]>([
    ['a negative context', { context: -1 }, /context is -1; expected a whole number of tokens from 1/],
    ['half a user', { batch: 1.5 }, /batch is 1\.5/],
    ['no number', { context: Number.NaN }, /context is NaN/],
    ['endless', { context: Number.POSITIVE_INFINITY }, /context is ∞/],
    ['an absurd batch', { batch: 2 ** 31 }, /batch is 2,147,483,648/],
    ['more than exact numbers hold', { context: 2 ** 40, batch: 2 ** 20 }, /PB of cache; ask for a smaller context/],
    ['no memory', { memoryBytes: 0 }, /memoryBytes is 0; expected a number of bytes above 0/],
    ['no ranks', { tensorParallel: 0 }, /tensorParallel is 0/],
    ['a text', { batch: '32' as never }, /batch is "32"/],
    ['a machine without bandwidth', { machine: { ...UNIT, bandwidth: 0 } }, /machine\.bandwidth is 0/],
    ['too many ranks', { tensorParallel: 256 }, /128 heads, which 256 tensor-parallel ranks cannot divide evenly/],
  ])('%s', (_, options, message) => {
    expect(() => ask('V3', options)).toThrow(OptionError)
    expect(() => ask('V3', options)).toThrow(message)
  })

  it('key-value heads that ranks cannot share', () => {
    expect(() => ask('Qwen2.5-0.5B', { tensorParallel: 7 })).toThrow(/2 key-value heads/)
    expect(ask('Qwen2.5-0.5B', { tensorParallel: 14 }).perRank.cacheBytes).toBe(ask('Qwen2.5-0.5B').cache.bytes / 2)
  })
})
