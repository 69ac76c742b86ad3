/**
 * The options of drawing against the other sides themselves: llama.cpp's samplers, from the library that comes with
 * `node bench/rival/install.mjs`, and transformers' logits processors (PyPI torch and transformers). LATENTKIT_PYTHON or python3.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Dry } from '../../src/sampling/dry.ts'
import type { SamplingOptions } from '../../src/sampling/options.ts'
import { TokenHistory } from '../../src/sampling/penalties.ts'
import { Sampler } from '../../src/sampling/sampler.ts'
import { tableOf } from '../sampling/tokens.ts'
import { Rng } from '../support/rng.ts'

const PYTHON = process.env.LATENTKIT_PYTHON ?? 'python3'
const runs = (code: string) => spawnSync(PYTHON, ['-c', code], { stdio: 'ignore' }).status === 0
const BINS = join(import.meta.dirname, '../../bench/rival/node_modules/@node-llama-cpp/linux-x64/bins/linux-x64')
const library = existsSync(BINS) ? readdirSync(BINS).find(name => /^libllama\.(v.*\.)?so/.test(name)) : undefined
const llamaHere = library !== undefined && runs('import ctypes')
const transformersHere = runs('import torch, transformers')

const VOCAB = 400
/** None has a breaker. */
const TABLE = tableOf(Array.from({ length: VOCAB }, (_, id) => `t${id} `))

type Step = readonly [name: string, ...values: unknown[]]
interface Case {
  readonly options: SamplingOptions
  readonly steps: readonly Step[]
}

interface Drawn extends Case {
  readonly logits: Float32Array
  readonly history: readonly number[]
}

/** Rows as models give them, and texts that repeat themselves. */
function drawnOf(cases: readonly Case[], each: number): Drawn[] {
  const rng = new Rng(20_261_129)
  const unit = () => rng.below(1 << 20) / (1 << 20)
  return cases.flatMap(one =>
    Array.from({ length: each }, () => {
      const logits = Float32Array.from({ length: VOCAB }, () => 14 * (unit() + unit() + unit() - 1.5))
      return { ...one, logits, history: Array.from({ length: 40 }, () => rng.below(4)) }
    }),
  )
}

function ask(command: readonly string[], drawn: readonly Drawn[]): number[][] {
  const input = drawn
    .map(({ logits, history, steps }) => JSON.stringify({ logits: [...logits], history, steps }))
    .join('\n')
  const { stdout, stderr } = spawnSync(PYTHON, command, { input, encoding: 'utf8', maxBuffer: 1 << 28 })
  const lines = stdout.split('\n').filter(line => line !== '')
  expect(lines.length, stderr).toBe(drawn.length)
  return lines.map(line => JSON.parse(line) as number[])
}

function ours({ options, logits, history }: Drawn): number[] {
  const text = new TokenHistory()
  text.answer.push(...history)
  const rules = options.dry
    ? [new Dry({ sequenceBreakers: ['\n'], ...options.dry }, () => history, history, TABLE)]
    : []
  const { ids, probabilities } = new Sampler(options).distribution(logits, text, rules)
  const all = new Array<number>(logits.length).fill(0)
  for (const [i, id] of ids.entries()) all[id] = probabilities[i]!
  return all
}

/** Their sums are in f32, so that a token at the very edge may fall on the other side. */
function expectSame(drawn: readonly Drawn[], theirs: readonly number[][]): void {
  for (const [i, one] of drawn.entries()) {
    const got = ours(one)
    const worst = Math.max(...got.map((p, id) => Math.abs(p - theirs[i]![id]!)))
    expect({ options: one.options, equal: worst < 2e-4, worst }).toMatchObject({ equal: true })
    expect(got.filter(p => p > 0).length).toBe(theirs[i]!.filter(p => p > 0).length)
  }
}

const last = { temperatureLast: true } as const

describe.skipIf(!llamaHere)('llama.cpp, needs node bench/rival/install.mjs and Python', () => {
  const cases: readonly Case[] = [
    { options: { topNSigma: 1.1 }, steps: [['top_n_sigma', 1.1]] },
    { options: { typicalP: 0.7 }, steps: [['typical', 0.7, 1]] },
    {
      options: { minP: 0.03, temperature: 1.4, ...last },
      steps: [
        ['min_p', 0.03, 1],
        ['temp', 1.4],
      ],
    },
    { options: { xtc: { probability: 1, threshold: 0.04 } }, steps: [['xtc', 1, 0.04, 1, 5]] },
    {
      options: { temperature: 1, dynamicTemperature: { range: 0.7, exponent: 1.3 } },
      steps: [['temp_ext', 1, 0.7, 1.3]],
    },
    {
      options: { mirostat: { tau: 1.7 }, temperature: 0.8 },
      steps: [
        ['temp', 0.8],
        ['mirostat_v2', 5, 1.7, 0.1],
      ],
    },
    {
      options: { repetitionPenalty: 1.3, presencePenalty: 0.4, frequencyPenalty: 0.2 },
      steps: [['penalties', VOCAB, 64, 1.3, 0.2, 0.4]],
    },
    {
      options: { dry: { multiplier: 0.8, base: 1.4, allowedLength: 1 } },
      steps: [['dry', null, 0.8, 1.4, 1, 64, null, 0]],
    },
    {
      options: { dry: { multiplier: 1.1, allowedLength: 2, lastN: 20 } },
      steps: [['dry', null, 1.1, 1.75, 2, 20, null, 0]],
    },
    // The whole chain, in llama.cpp's default order.
    {
      options: {
        repetitionPenalty: 1.1,
        dry: { multiplier: 0.5 },
        topNSigma: 2.2,
        topK: 60,
        typicalP: 0.95,
        topP: 0.9,
        minP: 0.02,
        xtc: { probability: 1, threshold: 0.1 },
        temperature: 1.2,
        dynamicTemperature: { range: 0.4 },
        ...last,
      },
      steps: [
        ['penalties', VOCAB, 64, 1.1, 0, 0],
        ['dry', null, 0.5, 1.75, 2, 64, null, 0],
        ['top_n_sigma', 2.2],
        ['top_k', 60],
        ['typical', 0.95, 1],
        ['top_p', 0.9, 1],
        ['min_p', 0.02, 1],
        ['xtc', 1, 0.1, 1, 5],
        ['temp_ext', 1.2, 0.4, 1],
      ],
    },
  ]

  it.each(cases)('$options', one => {
    const drawn = drawnOf([one], 40)
    expectSame(drawn, ask([join(import.meta.dirname, 'draw_llama.py'), join(BINS, library as string)], drawn))
  })
})

describe.skipIf(!transformersHere)(`transformers, needs ${PYTHON} with torch and transformers`, () => {
  const cases: readonly Case[] = [
    { options: { typicalP: 0.3 }, steps: [['typicalP', 0.3]] },
    {
      options: { typicalP: 0.95, temperature: 1.7 },
      steps: [
        ['temperature', 1.7],
        ['typicalP', 0.95],
      ],
    },
    {
      options: { minP: 0.05, temperature: 0.7 },
      steps: [
        ['temperature', 0.7],
        ['minP', 0.05],
      ],
    },
    { options: { logitBias: { 5: 3.5, 7: -2.5 } }, steps: [['logitBias', { 5: 3.5, 7: -2.5 }]] },
    {
      options: { repetitionPenalty: 1.2, temperature: 1.3, topK: 50, typicalP: 0.9, topP: 0.8, minP: 0.01 },
      steps: [
        ['repetitionPenalty', 1.2],
        ['temperature', 1.3],
        ['topK', 50],
        ['typicalP', 0.9],
        ['topP', 0.8],
        ['minP', 0.01],
      ],
    },
  ]

  it('every case', { timeout: 120_000 }, () => {
    const drawn = drawnOf(cases, 40)
    expectSame(drawn, ask([join(import.meta.dirname, 'draw_transformers.py')], drawn))
  })
})
