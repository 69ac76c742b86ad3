/** Runs: they learn, can be taken up, and what they save is a model. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { bundledModel } from '../../src/checkpoint/find/bundled-model.ts'
import { Engine } from '../../src/index.ts'
import { gradients, type TrainingEvent, type TrainOptions, train } from '../../src/training/index.ts'
import { STORIES, smallModel } from './small-model.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-run-'))
afterAll(() => rmSync(place, { recursive: true }))

const TEXT = join(place, 'text.txt')
writeFileSync(TEXT, STORIES)
const OPTIONS: TrainOptions = {
  ...{ data: [TEXT], validation: [TEXT], steps: 6, batchTokens: 24, contextLength: 12, rate: 0.02, warmup: 1 },
  ...{ saveEvery: 2, validateEvery: 3, kernels: 'reference' },
}

async function events(model: string, run: string, options: TrainOptions = OPTIONS): Promise<TrainingEvent[]> {
  const all: TrainingEvent[] = []
  for await (const event of train(model, run, options)) all.push(event)
  return all
}

const losses = (all: readonly TrainingEvent[]) => all.flatMap(event => (event.type === 'step' ? [event.loss] : []))
const newest = (run: string) =>
  join(
    run,
    readdirSync(run)
      .filter(name => /^step-\d+$/.test(name))
      .sort()
      .at(-1) as string,
  )

describe('gradients', () => {
  it('are there for every tensor, and refuse ids that the model does not have', async () => {
    const options = { kernels: 'wasm' } as const
    const { loss, gradients: found } = await gradients(
      bundledModel(),
      [{ tokens: [1, 2, 3], targets: [2, 3, -1] }],
      options,
    )
    expect(loss).toBeGreaterThan(0)
    expect(found.get('model.layers.0.self_attn.kv_b_proj.weight')).toHaveLength(8 * 64 * 128)
    expect([...found.values()].every(numbers => numbers.every(Number.isFinite))).toBe(true)
    const bad = (tokens: number[], targets: number[]) => gradients(bundledModel(), [{ tokens, targets }], options)
    await expect(bad([1, 4096], [1, 1])).rejects.toThrow('texts[0].tokens[1] is 4096; expected an id below 4096')
    await expect(bad([1, 2], [1, -2])).rejects.toThrow('texts[0].targets[1] is -2')
    await expect(bad([1, 2], [1])).rejects.toThrow('2 tokens and 1 targets')
  })
})

describe('a run', () => {
  it('learns, saves what it has learned, and keeps the newest and the best checkpoints', async () => {
    const run = join(place, 'learns')
    const model = smallModel(join(place, 'model'))
    const drawing = { do_sample: true, temperature: 0.7, bos_token_id: 0, eos_token_id: 0 }
    writeFileSync(join(model, 'generation_config.json'), JSON.stringify(drawing))
    const all = await events(model, run)
    const found = losses(all)
    expect(found).toHaveLength(6)
    expect(found.at(-1)).toBeLessThan((found[0] as number) - 0.2)
    const validations = all.filter(event => event.type === 'validation')
    expect(validations.map(({ step }) => step)).toEqual([3, 6])
    const lines = readFileSync(join(run, 'log.jsonl'), 'utf8').trim().split('\n')
    expect(lines).toHaveLength(8)
    expect(
      readdirSync(run)
        .filter(name => name.startsWith('step-'))
        .sort(),
    ).toEqual(['step-000004', 'step-000006'])

    expect(JSON.parse(readFileSync(join(newest(run), 'generation_config.json'), 'utf8'))).toEqual(drawing)
    const engine = await Engine.load(newest(run), { kernels: 'reference', inline: true })
    const { usage } = await engine.generate('The cat', { maxTokens: 3, temperature: 0, ignoreEos: true })
    expect(usage.completionTokens).toBe(3)
    await engine.dispose()
  })

  it('that was left after any step ends with the same bits', async () => {
    const model = smallModel(join(place, 'again'))
    const [whole, parts] = [join(place, 'whole'), join(place, 'parts')]
    const expected = losses(await events(model, whole))
    const found = new Map<number, number>()
    for (const leave of [1, 3, 5, 7]) {
      for await (const event of train(model, parts, OPTIONS)) {
        if (event.type !== 'step') continue
        found.set(event.step, event.loss)
        if (event.step === leave) break
      }
    }
    expect([...found.values()]).toEqual(expected)
    for (const file of ['model.safetensors', 'training.safetensors']) {
      expect(readFileSync(join(newest(parts), file)).equals(readFileSync(join(newest(whole), file)))).toBe(true)
    }
    expect(readFileSync(join(parts, 'log.jsonl'), 'utf8').split('\n')).toHaveLength(
      readFileSync(join(whole, 'log.jsonl'), 'utf8').split('\n').length,
    )
  })

  it('refuses what it cannot do, in a sentence', async () => {
    const model = smallModel(join(place, 'refused'))
    const run = join(place, 'refused-run')
    await expect(events(model, run, { ...OPTIONS, data: [join(place, 'nowhere')] })).rejects.toThrow(
      'nowhere is not there',
    )
    await expect(events(model, run, { ...OPTIONS, contextLength: 100_000 })).rejects.toThrow('contextLength is 100000')
    await events(model, run, { ...OPTIONS, steps: 1 })
    await expect(events(model, run, { ...OPTIONS, steps: 2 })).rejects.toThrow('holds a run with steps 1, not 2')
    await expect(events(model, place, OPTIONS)).rejects.toThrow('is not empty and holds no run')
    const going = train(model, join(place, 'busy'), OPTIONS)
    await going.next()
    const other = join(place, 'busy', '.writing')
    writeFileSync(other, `${process.ppid} ${hostname()}\n`)
    await expect(events(model, join(place, 'busy'))).rejects.toThrow('Another process trains in')
    await going.return()
    const bad = join(place, 'bad.jsonl')
    writeFileSync(bad, '{"text": "a b"}\n{"words": 1}\n')
    await expect(events(model, join(place, 'other'), { ...OPTIONS, data: [bad] })).rejects.toThrow(
      'bad.jsonl, line 2 has no text',
    )
    await expect(events(model, join(place, 'high'), { ...OPTIONS, rate: 1e30 })).rejects.toThrow(/take a lower rate/)
  })

  it('writes down every setting that decides it, defaults too; one that wrote less goes on as it began', async () => {
    await events(smallModel(join(place, 'settings')), join(place, 'settings-base'), { ...OPTIONS, steps: 1 })
    const model = newest(join(place, 'settings-base'))
    const run = join(place, 'settings-run')
    const file = join(run, 'run.json')
    const options = { ...OPTIONS, dpo: false, loraRank: 2, optimiser: 'muon', steps: 4 } as const
    for await (const event of train(model, run, options)) if (event.type === 'step' && event.step === 3) break
    const written = JSON.parse(readFileSync(file, 'utf8'))
    const defaults = { microTokens: 2048, balanceRate: 0, sequenceBalance: 0, momentum: 0.95 }
    const all = { ...defaults, compute: expect.stringMatching('f32|bf16'), loraAlpha: 4, loraRankStabilised: false }
    expect(written).toMatchObject({ ...all, dpo: false, optimiser: 'muon', rate: 0.02, keep: 2, schedule: 'cosine' })
    expect(Object.keys(written)).not.toContain('beta')

    const { compute: _, microTokens: __, balanceRate: ___, momentum: ____, loraAlpha: _____, ...less } = written
    writeFileSync(file, JSON.stringify(less))
    await expect(events(model, run, { ...options, microTokens: 8 })).rejects.toThrow('with microTokens 2048, not 8')
    expect((await events(model, run, options)).map(event => event.type !== 'texts' && event.step)).toContain(4)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(written)
  })

  it('goes on with the texts, the config and the checkpoint that it left, or says which is another', async () => {
    const model = smallModel(join(place, 'changed'))
    const run = join(place, 'changed-run')
    const data = join(place, 'changed.txt')
    const options = { ...OPTIONS, data: [data], steps: 4 }
    writeFileSync(data, STORIES)
    await events(model, run, options)
    writeFileSync(data, STORIES.replace('cat', 'dog'))
    await expect(events(model, run, options)).rejects.toThrow(/holds a run with texts "6 documents, .*not "6 documents/)
    writeFileSync(data, STORIES)
    await expect(events(model, run, { ...options, data: [data, TEXT] })).rejects.toThrow(/not "12 documents/)
    const config = readFileSync(join(model, 'config.json'), 'utf8')
    writeFileSync(join(model, 'config.json'), config.replace(/"rope_theta":[\d.]+/, '"rope_theta":77'))
    await expect(events(model, run, options)).rejects.toThrow('holds a run with config')
    writeFileSync(join(model, 'config.json'), config)

    const state = join(run, 'step-000004', 'training.safetensors')
    writeFileSync(state, readFileSync(state).subarray(0, -100))
    await expect(events(model, run, options)).rejects.toThrow(/step-000004 cannot be taken up: .*; remove it/)
    rmSync(join(run, 'step-000004', 'training.json'))
    await expect(events(model, run, options)).rejects.toThrow(/step-000004 cannot be taken up/)
    rmSync(join(run, 'step-000004'), { recursive: true })
    expect((await events(model, run, options)).map(event => event.type !== 'texts' && event.step)).toEqual([3, 4, 4, 4])
    writeFileSync(join(run, 'run.json'), '{"version": 1,')
    await expect(events(model, run, options)).rejects.toThrow(/run.json is not JSON.*give a new folder/)
  })

  it('refuses texts of which nothing is learned or measured, and weights that it does not see', async () => {
    const model = smallModel(join(place, 'odd'))
    const [empty, blank] = [join(place, 'empty.txt'), join(place, 'blank.jsonl')]
    writeFileSync(empty, ' \n<|endoftext|>\n')
    writeFileSync(blank, '\n{"text": "  "}\n')
    const run = (name: string) => join(place, `odd-${name}`)
    await expect(events(model, run('empty'), { ...OPTIONS, data: [empty, blank] })).rejects.toThrow(
      'There is no text in',
    )
    await expect(events(model, run('held'), { ...OPTIONS, validation: [empty] })).rejects.toThrow('There is no text in')
    await expect(events(model, run('beta'), { ...OPTIONS, beta1: 1 })).rejects.toThrow('beta1 is 1')
    writeFileSync(join(model, 'pytorch_model.bin'), '')
    await expect(events(model, run('torch'))).rejects.toThrow('in the form of PyTorch')
    rmSync(join(model, 'pytorch_model.bin'))
    writeFileSync(
      join(model, 'model.safetensors.index.json'),
      '{"weight_map": {"a": "model-00001-of-00001.safetensors"}}',
    )
    await expect(events(model, run('shards'))).rejects.toThrow('has no model-00001-of-00001.safetensors')
  })

  it('without steps reads every text once, also where a text is longer than a step', async () => {
    const { steps: _, ...options } = OPTIONS
    const model = smallModel(join(place, 'once'))
    const all = await events(model, join(place, 'once-run'), { ...options, batchTokens: 1, microTokens: 1 })
    const steps = all.filter(event => event.type === 'step')
    const [begin] = all
    expect(steps.reduce((n, { tokens }) => n + tokens, 0)).toBe(begin?.type === 'begin' && begin.tokens)
    expect(steps.every(({ epoch }) => epoch === 1)).toBe(true)
  })
})
