/** Options of training together: each combination learns, is left and taken up with the same bits, or is refused by name. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { type TrainOptions, train } from '../../src/training/index.ts'
import { checkLearned } from '../../src/training/run/learned.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { readSafetensors } from '../support/safetensors.ts'
import { EXPERTS, STORIES, smallModel } from './small-model.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-combinations-'))
afterAll(() => rmSync(place, { recursive: true }))
const TEXT = join(place, 'text.txt')
writeFileSync(TEXT, STORIES)
const PAIRS = join(place, 'pairs.jsonl')
const pair = { chosen: ' sat on the mat.', rejected: ' ate a stone.' }
writeFileSync(PAIRS, ['The cat', 'The dog'].map(prompt => JSON.stringify({ prompt, ...pair })).join('\n'))

const OPTIONS: TrainOptions = {
  ...{ data: [TEXT], steps: 4, batchTokens: 48, contextLength: 24, rate: 0.01, warmup: 1, saveEvery: 2, threads: 1 },
  ...{ kernels: 'wasm' },
}
/** With experts, and a module of multi-token prediction. */
const BASE = join(place, 'base')

async function run(name: string, options: TrainOptions, leave = 0): Promise<void> {
  for await (const event of train(BASE, join(place, name), options)) {
    if (event.type === 'step' && event.step === leave) break
  }
}

async function learned(name: string, seed: number): Promise<string> {
  const model = smallModel(join(place, `${name}-config`), { ...EXPERTS, num_nextn_predict_layers: 1 })
  const folder = join(place, `${name}-run`)
  for await (const _ of train(model, folder, { ...OPTIONS, steps: 1, seed }));
  return join(folder, 'step-000001')
}

beforeAll(async () => cpSync(await learned('base', 0), BASE, { recursive: true }), 60_000)

describe('learn, and end with the same bits when they were left', () => {
  const saving = { compute: 'bf16', recompute: 9, microTokens: 20, optimiser: 'muon' } as const
  it.each([
    ['an adapter, Muon, bf16, recomputed layers, balanced experts', { loraRank: 2, sequenceBalance: 0.01 }],
    ['preferences of an adapter', { dpo: true, loraRank: 2, data: [PAIRS] }],
    ['preferences', { dpo: true, data: [PAIRS] }],
    ['what is not frozen', { freeze: ['embed_tokens', 'norm'], balanceRate: 0.01, sequenceBalance: 0.01 }],
  ] as [string, Partial<TrainOptions>][])('%s', async (name, given) => {
    const options = { ...OPTIONS, ...saving, ...given }
    await run(name, options)
    await run(`${name}, left`, options, 3)
    await run(`${name}, left`, options)
    const state = (of: string) => readFileSync(join(place, of, 'step-000004', 'training.safetensors'))
    expect(state(`${name}, left`).equals(state(name))).toBe(true)
    expect(state(name).equals(readFileSync(join(place, name, 'step-000002', 'training.safetensors')))).toBe(false)
  })

  it('and preferences leave modules of multi-token prediction as they are', () => {
    const tensors = (folder: string) => readSafetensors(join(folder, 'model.safetensors'))
    const [before, after] = [tensors(BASE), tensors(join(place, 'preferences', 'step-000004'))]
    const same = (name: string) => expect(after.get(name)?.data, name)
    same('model.layers.2.eh_proj.weight').toEqual(before.get('model.layers.2.eh_proj.weight')?.data)
    same('model.layers.1.self_attn.o_proj.weight').not.toEqual(
      before.get('model.layers.1.self_attn.o_proj.weight')?.data,
    )
    same('model.layers.2.embed_tokens.weight').toEqual(after.get('model.embed_tokens.weight')?.data)
  })
})

it('that would decide nothing are refused by name', () => {
  const check = (options: Partial<TrainOptions>) => () => checkLearned({ data: [], ...options })
  expect(check({ loraRank: 2, balanceRate: 0.1 })).toThrow('balanceRate and loraRank were given')
  expect(check({ loraRank: 2, predictionWeight: 0.1 })).toThrow('predictionWeight and loraRank were given')
  expect(check({ dpo: true, balanceRate: 0.1 })).toThrow('balanceRate and dpo were given')
  expect(check({ dpo: true, sequenceBalance: 0.1 })).toThrow('sequenceBalance and dpo were given')
  expect(check({ dpo: true, smoothing: 0.1 })).toThrow('smoothing and dpo were given')
  expect(check({ momentum: 0.9 })).toThrow('momentum was given without optimiser muon')
  expect(check({ samplePrompts: ['a'] })).toThrow('samplePrompts was given without sampleEvery')
  expect(check({ evaluateLimit: 3 })).toThrow('evaluateLimit was given without evaluate')
  expect(check({ dpo: true, smoothing: 0, loraRank: 2, optimiser: 'muon', momentum: 0 })).not.toThrow()
})

it('a run of an adapter does not go on with other weights, and one with modules says what it weighs them with', async () => {
  const model = join(place, 'replaced')
  cpSync(BASE, model, { recursive: true })
  const step = async () => {
    for await (const _ of train(model, join(place, 'replaced-run'), { ...OPTIONS, loraRank: 2, steps: 1 }));
  }
  await step()
  cpSync(join(await learned('other', 1), 'model.safetensors'), join(model, 'model.safetensors'))
  await expect(step()).rejects.toThrow('holds a run with weights')
  const settings = JSON.parse(readFileSync(join(place, 'base-run', 'run.json'), 'utf8'))
  expect(settings).toMatchObject({ predictionWeight: 0.3 })
})

it('experts of a layer are frozen together', async () => {
  const load = async (freeze: string) =>
    Trainer.load(await openModel(BASE), createReferenceKernels(), { freeze: [freeze] })
  await expect(load('layers.1.mlp.experts.0.')).rejects.toThrow('experts of a layer are frozen together or not at all')
  await expect(load('layers.1.mlp.experts.3.')).rejects.toThrow('experts of a layer are frozen together or not at all')
  const { parameters } = await load('layers.1.mlp.experts.')
  expect(parameters.all.some(({ sources }) => sources.length > 1 && sources[0]?.name.includes('layers.1.'))).toBe(false)
})
