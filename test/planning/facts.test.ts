/** The vectors of the project's collected facts: derived by hand there, counted here. */
import { describe, expect, it } from 'vitest'
import { machineNamed } from '../../src/planning/machines.ts'
import type { PlanOptions } from '../../src/planning/options.ts'
import { type Plan, plan } from '../../src/planning/plan.ts'
import { publishedModel } from '../../src/planning/published/index.ts'
import { stepsPerSecond } from '../../src/planning/roofline.ts'
import { whatIf } from '../../src/planning/what-if.ts'

const GB = 1e9
const MIB = 2 ** 20
const GIB = 2 ** 30

function ask(name: string, options: PlanOptions = {}): Plan {
  return plan(publishedModel(name), options)
}

function instead(name: string, other: string, options: PlanOptions = {}): Plan {
  return plan(whatIf(publishedModel(name), other).model, options)
}

describe('bytes per token at 16 bits', () => {
  it.each([
    ['DeepSeek-V2', 69_120],
    ['DeepSeek-V2.5', 69_120],
    ['DeepSeek-Coder-V2-Instruct', 69_120],
    ['DeepSeek-V2-Lite', 31_104],
    ['DeepSeek-Coder-V2-Lite-Instruct', 31_104],
    ['DeepSeek-V3', 70_272],
    ['DeepSeek-R1', 70_272],
    ['DeepSeek-V3.1', 70_272],
    ['Kimi-K2', 70_272],
    ['Moonlight-16B-A3B', 31_104],
    ['MiniCPM3-4B', 35_712],
    ['GLM-4.7-Flash', 54_144],
    ['Youtu-LLM-2B', 36_864],
    ['PLM-1.8B', 36_864],
    ['DeepSeek-V3.2', 85_888],
    ['GLM-5', 109_824],
    ['gpt2', 36_864],
    ['Llama-2-7B', 524_288],
    ['Llama-3-8B', 131_072],
    ['Mistral-7B', 131_072],
    ['Llama-3-70B', 327_680],
    ['Qwen2.5-0.5B', 12_288],
    ['Qwen3-0.6B', 114_688],
    ['SmolLM2-135M', 23_040],
    ['Falcon-7B', 8_192],
    ['Gemma-3-270M', 18_432],
  ])('%s: %d', (name, bytes) => {
    expect(ask(name).cache.bytesPerToken).toBe(bytes)
    expect(ask(name, { dtype: 'f16' }).cache.bytesPerToken).toBe(bytes)
    expect(ask(name, { dtype: 'f32' }).cache.bytesPerToken).toBe(2 * bytes)
  })

  it('Gemma-3-270M grows by 3,072 a token beyond its windows of 512', () => {
    const at = (context: number) => ask('gemma-3-270m', { context }).cache.bytes
    expect(ask('gemma-3-270m').cache.bytesPerTokenBeyondWindows).toBe(3072)
    expect(at(512)).toBe(512 * 18_432)
    expect(at(513) - at(512)).toBe(3072)
    expect(at(32_768)).toBe(3 * 32_768 * 1024 + 15 * 512 * 1024)
  })
})

describe('DeepSeek-V3 and R1', () => {
  it('MLA: 61 x 576', () => {
    expect(ask('R1').cache.elementsPerLayer).toBe(576)
    const { bytes } = ask('R1', { context: 100_000 }).cache
    expect([(bytes / GB).toFixed(3), (bytes / GIB).toFixed(3)]).toEqual(['7.027', '6.545'])
    expect((ask('R1', { context: 128 * 1024 }).cache.bytes / GIB).toFixed(3)).toBe('8.578')
    expect(ask('R1', { context: 1024 * 1024 }).cache.bytes / GIB).toBe(68.625)
  })

  it('as MHA: 57 times as much', () => {
    const [mha] = ask('R1', { context: 100_000, compare: ['mha'] }).compare
    expect(mha?.bytesPerToken).toBe(3_997_696)
    expect(((mha?.bytes ?? 0) / GB).toFixed(2)).toBe('399.77')
    expect(((mha?.bytes ?? 0) / GIB).toFixed(2)).toBe('372.31')
    expect(mha?.ratio).toBe(32_768 / 576)
    expect(mha?.ratio.toFixed(2)).toBe('56.89')
  })

  it('expanded, GQA-8, MQA', () => {
    const [expanded, gqa, mqa] = ask('V3', { compare: ['expanded', 'gqa8', 'MQA'] }).compare
    expect(expanded?.bytesPerToken).toBe(4_997_120)
    expect(expanded?.ratio.toFixed(2)).toBe('71.11')
    expect(gqa?.bytesPerToken).toBe(249_856)
    expect(mqa?.bytesPerToken).toBe(31_232)
    expect(mqa?.ratio).toBeLessThan(1)
  })

  it('in blocks and in FP8', () => {
    const q8 = ask('V3', { dtype: 'q8_0', context: 32_768 }).cache
    expect(q8.bytesPerToken).toBe(37_332)
    expect(q8.bytes / MIB).toBe(1166.625)
    expect(ask('V3', { dtype: 'fp8_ds_mla' }).cache.bytesPerToken).toBe(40_016)
    expect(ask('V3', { dtype: 'fp8_ds_mla' }).cache.kinds[0]?.rowBytes).toBe(656)
    expect(ask('V3', { dtype: 'int8' }).cache.kinds[0]?.rowBytes).toBe(644)
    expect(ask('V3', { dtype: 'q8_0' }).cache.kinds[0]?.rowBytes).toBe(612)
    expect(ask('V3', { dtype: 'fp8' }).cache.kinds[0]?.rowBytes).toBe(576)
  })

  it('with its layer for multi-token prediction', () => {
    const { cache } = ask('V3', { draft: true })
    expect([cache.layers, cache.bytesPerToken]).toEqual([62, 71_424])
  })
})

describe('other models and well-known examples', () => {
  it('Kimi-K2 as MHA has 64 heads', () => {
    const [mha] = ask('Kimi-K2', { compare: ['mha'] }).compare
    expect(mha?.bytesPerToken).toBe(1_998_848)
    expect(mha?.ratio.toFixed(2)).toBe('28.44')
  })

  it('MiniCPM3 as MHA has heads of 64', () => {
    const [mha] = ask('MiniCPM3-4B', { compare: ['mha'] }).compare
    expect(mha?.bytesPerToken).toBe(634_880)
    expect(mha?.ratio.toFixed(1)).toBe('17.8')
  })

  it('2 x 32 layers x 32 heads x 128 x 8,192 tokens are 4.29 GB; 134 MB are one layer’s share', () => {
    const { bytes, kinds } = ask('Llama-2-7B', { context: 8192 }).cache
    expect(bytes).toBe(4_294_967_296)
    expect(Math.floor((8192 * (kinds[0]?.rowBytes ?? 0)) / 1e6)).toBe(134)
  })

  it.each([
    ['gpt2', 1024, 36 * MIB],
    ['Llama-2-7B', 4096, 2 * GIB],
    ['Llama-3-70B', 8192, 2.5 * GIB],
    ['Llama-3-70B', 128 * 1024, 40 * GIB],
  ])('%s at %d tokens: %d bytes', (name, context, bytes) => {
    expect(ask(name, { context }).cache.bytes).toBe(bytes)
  })

  it('what fits into 10 GiB', () => {
    const alone = (p: Plan) => p.memory?.largestContextAlone
    const memoryBytes = 10 * GIB
    expect(alone(ask('V3', { memoryBytes }))).toBe(152_797)
    expect(alone(ask('V3', { memoryBytes, blockTokens: 64 }))).toBe(152_768)
    expect(alone(instead('V3', 'mha', { memoryBytes }))).toBe(2_685)
    expect(alone(ask('Llama-3-70B', { memoryBytes }))).toBe(32_768)
    expect(ask('V3', { memoryBytes, compare: ['mha'] }).compare[0]?.largestContextAlone).toBe(2_685)
  })

  it('attention patterns', () => {
    const patterns = ['gpt2', 'R1', 'V2-Lite', 'MiniCPM3-4B'].map(name => ask(name).attentionPatterns)
    expect(patterns).toEqual([144, 7_808, 432, 2_480])
  })

  it('V2 against a GQA-8 of the same size and precision: 82 % less, not 93.3 %', () => {
    // DeepSeek 67B, of which the paper's figure speaks: 95 layers, 8 key-value heads of 128.
    const gqa = 95 * 2 * 8 * 128 * 2
    expect((100 * (1 - ask('V2').cache.bytesPerToken / gqa)).toFixed(0)).toBe('82')
  })
})

describe('the decode bound: bandwidth / (active weights + batch x context x bytes per token)', () => {
  const h100 = { machine: machineNamed('h100'), activeWeightBytes: 37e9 }
  const tokensPerSecond = (p: Plan) => 1 / (p.decode.time?.seconds ?? 0)

  it('90.5 without a context, 72.5 and 5.97 behind 128 Ki tokens', () => {
    expect(stepsPerSecond(3.35e12, 37e9, 0).toFixed(1)).toBe('90.5')
    const p = ask('R1', { ...h100, context: 131_072, compare: ['mha'] })
    expect(tokensPerSecond(p).toFixed(1)).toBe('72.5')
    expect((1 / (p.compare[0]?.decodeTime?.seconds ?? 0)).toFixed(2)).toBe('5.97')
    expect(tokensPerSecond(ask('R1', { ...h100, context: 1 })).toFixed(1)).toBe('90.5')
  })

  it('the cache crosses the weights at 526,525 tokens, as MHA at 9,255', () => {
    expect(ask('R1', h100).crossover.read).toBe(526_525)
    expect(instead('R1', 'mha', h100).crossover.read).toBe(9_255)
  })
})

describe('tensor parallel: a latent is on every rank, key-value heads are shared out until each has one', () => {
  it.each([1, 2, 4, 8, 16, 32])('%d ranks', tensorParallel => {
    const perRank = (name: string) => {
      const p = ask(name, { tensorParallel, context: 4096 })
      return p.perRank.cacheBytes / p.cache.bytes
    }
    expect(perRank('R1')).toBe(1)
    expect(perRank('Llama-3-70B')).toBe(Math.max(1, 8 / tensorParallel) / 8)
    expect(perRank('Llama-2-7B')).toBe(Math.max(1, 32 / tensorParallel) / 32)
  })

  it('data parallel shares out the sequences', () => {
    const p = ask('R1', { dataParallel: 8, batch: 32, context: 4096 })
    expect(p.perRank.cacheBytes).toBe(p.cache.bytes / 8)
  })
})

describe('break-even between absorbed and expanded', () => {
  it('about 171 queries for DeepSeek’s sizes', () => {
    expect(Math.round(ask('V3').paths?.breakEvenQueries ?? 0)).toBe(171)
    expect(ask('V3').paths?.breakEvenQueries).toBeCloseTo((256 * 512) / (1088 - 320), 10)
    expect(ask('Llama-3-8B').paths).toBeNull()
  })
})
