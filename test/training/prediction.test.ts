/**
 * Multi-token prediction: the numbers of transformers in float64 (`mtp` of LATENTKIT_FIXTURES, or of the fixtures beside the project), gradients as
 * differences give them, and runs whose checkpoints have DeepSeek-V3's layout.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { Loader } from '../../src/model/load/loader.ts'
import { loadPredictionWeights, loadWeights } from '../../src/model/load/weights.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { predictionIndices } from '../../src/model/prediction.ts'
import { Arena } from '../../src/nn/arena.ts'
import { contiguousKeys } from '../../src/nn/attention/keys.ts'
import { decoderOf, finalRows, stream } from '../../src/nn/decoder.ts'
import { linear } from '../../src/nn/layers.ts'
import { predictionConfig, predictionRows, predictionWeights } from '../../src/nn/prediction.ts'
import { NO_PAST, prepareStep } from '../../src/nn/step.ts'
import { freshModel } from '../../src/training/fresh.ts'
import { type TrainOptions, train } from '../../src/training/index.ts'
import { Trainer } from '../../src/training/trainer.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { readSafetensors } from '../support/safetensors.ts'
import { EXPERTS, STORIES, smallModel } from './small-model.ts'

const ROOT = process.env.LATENTKIT_FIXTURES ?? fileURLToPath(new URL('../../../shared/fixtures', import.meta.url))
const FIXTURE = [join(ROOT, 'mtp'), ROOT].find(folder => existsSync(join(folder, 'expected.safetensors')))

const place = mkdtempSync(join(tmpdir(), 'latentkit-prediction-'))
afterAll(() => rmSync(place, { recursive: true }))

describe.skipIf(!FIXTURE).each(KERNEL_SETS.filter(({ missing }) => !missing))('$name', ({ make }) => {
  it('predicts the token after the next as transformers does', async () => {
    const folder = FIXTURE as string
    const expected = readSafetensors(join(folder, 'expected.safetensors'))
    const { checks } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
    const model = await openModel(folder)
    const { config, checkpoint, family } = model
    const kernels = await make({})
    const loader = new Loader(checkpoint, kernels, config, family.names, () => {})
    const weights = await loadWeights(loader)
    const [index = -1] = predictionIndices(model)
    const module = decoderOf(
      predictionConfig(config),
      predictionWeights(weights, await loadPredictionWeights(loader, index)),
    )
    const ids = Array.from(expected.get('input_ids')?.data as ArrayLike<number | bigint>, Number)
    const scratch = new Arena(kernels.memory)
    const decoder = decoderOf(config, weights)
    const input = (tokens: readonly number[]) =>
      ({ tokens, cache: NO_PAST, prompt: { start: 0, end: tokens.length }, logits: 'all', path: 'expanded' }) as const

    const keys = contiguousKeys(kernels, scratch)
    const step = prepareStep(kernels.memory, scratch, [input(ids)], keys, decoder)
    const further = prepareStep(kernels.memory, scratch, [input(ids.slice(1))], keys, module)
    const layers = stream({ ops: kernels, scratch, keys }, decoder, step)
    let layer = layers.next()
    while (!layer.done) layer = layers.next()
    const hidden = finalRows({ ops: kernels, scratch, keys }, decoder, layer.value, step.logitRows)
    const before = { ...hidden, shape: [ids.length - 1, config.hiddenSize] }
    const own = contiguousKeys(kernels, scratch)
    const rows = predictionRows({ ops: kernels, scratch, keys: own }, module, further, before)
    const logits = scratch.take([ids.length - 1, config.vocabSize])
    linear({ ops: kernels, scratch }, logits, rows, weights.output as NonNullable<typeof weights.output>)
    await kernels.submit()
    const found = (await kernels.memory.read(logits)) as Float32Array
    const wanted = expected.get('mtp_logits')?.data as Float32Array
    expect(found).toHaveLength(wanted.length)
    const off = found.reduce((most, x, i) => Math.max(most, Math.abs(x - (wanted[i] as number))), 0)
    expect(off).toBeLessThan(3 * checks.same_in_float32.max_mtp_logit_error)
    kernels.dispose()
  })
})

it('has the gradients of its own and of the main loss, as differences give them', async () => {
  const folder = smallModel(join(place, 'small'), { ...EXPERTS, num_nextn_predict_layers: 2 })
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  const fresh = await freshModel({ name: 'small', configFile: 'config.json', config, warnings: [] }, 3)
  const kernels = createReferenceKernels()
  const trainer = await Trainer.load(fresh, kernels)
  const texts = [[5, 9, 7, 11, 5, 3], [8], [9, 2, 4]].map(ids => ({ tokens: ids, targets: [...ids.slice(1), 6] }))
  const weight = 0.5
  const total = async () => {
    trainer.clearGradients()
    const loss = await trainer.gradients(texts, { predictionWeight: weight })
    return loss + weight * (trainer.predictionLoss as number)
  }
  // Larger weights: differences of a loss that hardly moves are rounding.
  for (const { values, role } of trainer.parameters.all) if (role !== 'vector') kernels.axpby(values, 4, values)
  await total()
  expect(trainer.predictionLoss).toBeGreaterThan(1)
  const names = [
    'layers.2.eh_proj',
    'layers.3.eh_proj',
    'layers.2.enorm',
    'layers.3.shared_head.norm',
    'layers.2.self_attn.o_proj',
    'layers.1.self_attn.o_proj',
    'embed_tokens',
  ]
  for (const name of names) {
    const parameter = trainer.parameters.all.find(({ sources }) => sources[0]?.name.endsWith(`${name}.weight`))
    if (!parameter) throw new Error(`no ${name}`)
    await total()
    const gradient = Float64Array.from((await kernels.memory.read(parameter.gradient)) as Float32Array)
    const values = Float32Array.from((await kernels.memory.read(parameter.values)) as Float32Array)
    const i = gradient.reduce((best, g, k) => (Math.abs(g) > Math.abs(gradient[best] as number) ? k : best), 0)
    const at = async (step: number) => {
      kernels.memory.upload(parameter.values, values.with(i, (values[i] as number) + step))
      return total()
    }
    const h = 1 / 256
    const slope = ((await at(h)) - (await at(-h))) / (2 * h)
    kernels.memory.upload(parameter.values, values)
    expect(Math.abs((gradient[i] as number) - slope), name).toBeLessThan(0.01 * Math.abs(slope) + 1e-4)
  }
})

it('has the same numbers however many texts are computed at a time, balanced experts included', async () => {
  const folder = smallModel(join(place, 'parts-of-a-step'), { ...EXPERTS, num_nextn_predict_layers: 2 })
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'))
  const fresh = await freshModel({ name: 'small', configFile: 'config.json', config, warnings: [] }, 3)
  const kernels = createReferenceKernels()
  const trainer = await Trainer.load(fresh, kernels)
  for (const { values, role } of trainer.parameters.all) if (role !== 'vector') kernels.axpby(values, 4, values)
  // Too short for the second module, and for both.
  const texts = [[5, 9, 7, 11, 5, 3], [8, 2], [8], [9, 2, 4, 12]].map(ids => ({
    tokens: ids,
    targets: [...ids.slice(1), 6],
  }))
  const options = { predictionWeight: 0.5, sequenceBalance: 5, mean: 13 }
  const numbersOf = async (parts: (typeof texts)[]) => {
    trainer.clearGradients()
    for (const part of parts) await trainer.gradients(part, options)
    const routers = trainer.parameters.all.filter(({ sources }) => sources[0]?.name.endsWith('.mlp.gate.weight'))
    expect(routers).toHaveLength(3)
    const gradients = await Promise.all(routers.map(({ gradient }) => kernels.memory.read(gradient)))
    return [trainer.predictionLoss as number, ...gradients.flatMap(numbers => [...(numbers as Float32Array)])]
  }
  const together = await numbersOf([texts])
  const apart = await numbersOf(texts.map(text => [text]))
  const most = Math.max(...together.slice(1).map(Math.abs))
  for (const [i, x] of together.entries())
    expect(Math.abs(x - (apart[i] as number))).toBeLessThan(1e-4 * (i ? most : x))
  kernels.dispose()
})

it('is saved in the published layout, and goes on with the same bits', async () => {
  const text = join(place, 'text.txt')
  writeFileSync(text, STORIES)
  const model = smallModel(join(place, 'model'), { num_nextn_predict_layers: 1 })
  const options: TrainOptions = {
    ...{ data: [text], steps: 5, batchTokens: 24, contextLength: 12, rate: 0.02, warmup: 1, saveEvery: 2, threads: 1 },
  }
  const run = async (name: string, leave = 0) => {
    const losses: (number | undefined)[] = []
    for await (const event of train(model, join(place, name), options)) {
      if (event.type !== 'step') continue
      losses.push(event.predictionLoss)
      if (event.step === leave) break
    }
    return losses
  }
  const losses = await run('whole')
  expect(losses.at(-1)).toBeLessThan(losses[0] as number)
  await run('parts', 3)
  await run('parts')
  const newest = (name: string, file: string) => join(place, name, 'step-000005', file)
  for (const file of ['model.safetensors', 'training.safetensors', 'config.json']) {
    expect(readFileSync(newest('parts', file))).toEqual(readFileSync(newest('whole', file)))
  }
  const tensors = readSafetensors(newest('whole', 'model.safetensors'))
  const names = [...tensors.keys()].filter(name => name.startsWith('model.layers.2.'))
  for (const part of ['enorm', 'hnorm', 'eh_proj', 'shared_head.norm', 'shared_head.head', 'embed_tokens']) {
    expect(names).toContain(`model.layers.2.${part}.weight`)
  }
  const data = (name: string) => tensors.get(name)?.data
  expect(data('model.layers.2.embed_tokens.weight')).toEqual(data('model.embed_tokens.weight'))
  expect(JSON.parse(readFileSync(newest('whole', 'config.json'), 'utf8')).num_nextn_predict_layers).toBe(1)
})
