/** A run that learns an adapter, and engines that apply it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { bundledModel } from '../../src/checkpoint/find/bundled-model.ts'
import { Engine } from '../../src/index.ts'
import { convertModel } from '../../src/tools.ts'
import { type TrainingEvent, type TrainOptions, train } from '../../src/training/index.ts'
import { smallModel } from '../training/small-model.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-lora-'))
afterAll(() => rmSync(place, { recursive: true }))
const TEXT = join(place, 'text.txt')
writeFileSync(TEXT, 'The owl Latty lives in the oak and eats blueberries. '.repeat(3))
const OPTIONS: TrainOptions = {
  ...{ data: [TEXT], steps: 12, batchTokens: 48, contextLength: 48, rate: 0.02, warmup: 1, loraRank: 4, saveEvery: 6 },
  ...{ weightDecay: 0 },
}

async function events(run: string, options = OPTIONS, model = bundledModel()): Promise<TrainingEvent[]> {
  const all: TrainingEvent[] = []
  for await (const event of train(model, run, options)) all.push(event)
  return all
}

it('learns, is continued with the same bits, and its adapter is applied, merged and kept apart', async () => {
  const [whole, parts] = [join(place, 'whole'), join(place, 'parts')]
  const all = await events(whole)
  const losses = all.flatMap(event => (event.type === 'step' ? [event.loss] : []))
  expect(losses.at(-1)).toBeLessThan((losses[0] as number) / 2)
  expect(all[0]).toMatchObject({ type: 'begin', parameters: expect.any(Number) })
  const folder = join(whole, 'step-000012')
  expect(readdirSync(folder).sort()).toEqual(
    ['adapter_config.json', 'adapter_model.safetensors', 'training.json', 'training.safetensors'].sort(),
  )
  for await (const event of train(bundledModel(), parts, OPTIONS)) if (event.type === 'step' && event.step === 8) break
  await events(parts)
  const file = 'step-000012/adapter_model.safetensors'
  expect(readFileSync(join(parts, file)).equals(readFileSync(join(whole, file)))).toBe(true)

  const cacheDir = join(place, 'cache')
  const prompt = 'The owl Latty lives in the'
  const write = async (model: string, lora?: string) => {
    const engine = await Engine.load(model, { inline: true, cacheDir, ...(lora && { lora }) })
    const { text } = await engine.generate(prompt, { maxTokens: 8, temperature: 0 })
    const fingerprint = await engine.fingerprint()
    expect(engine.info.lora).toBe(lora ?? null)
    await engine.dispose()
    return { text, fingerprint }
  }
  const plain = await write(bundledModel())
  const adapted = await write(bundledModel(), folder)
  const earlier = await write(bundledModel(), join(whole, 'step-000006'))
  expect(adapted.text).toContain('oak and eats')
  expect(plain.text).not.toContain('oak and eats')
  expect(new Set([plain, adapted, earlier].map(({ fingerprint }) => fingerprint)).size).toBe(3)
  const merged = join(place, 'merged')
  await convertModel(bundledModel(), merged, { lora: folder })
  expect((await write(merged)).text).toBe(adapted.text)

  await expect(Engine.load(folder, { inline: true })).rejects.toThrow('give its base model, and the adapter as lora')
  await expect(Engine.load(bundledModel(), { inline: true, lora: bundledModel() })).rejects.toThrow(
    'is a model; expected the folder of a LoRA adapter',
  )
  const engine = await Engine.load(bundledModel(), { inline: true, lora: folder })
  await expect(engine.inspect('a')).rejects.toThrow('with an adapter')
  const session = engine.session()
  await session.prompt(prompt, { maxTokens: 2, temperature: 0 })
  const saved = join(place, 'a.session')
  await session.save(saved)
  await engine.dispose()
  const without = await Engine.load(bundledModel(), { inline: true })
  await expect(without.restore(saved)).rejects.toThrow('as it is loaded, the adapter (lora) differs')
  await without.dispose()
}, 120_000)

it('refuses an adapter for weights that nobody has, and settings that do not fit', async () => {
  const run = join(place, 'refused')
  await expect(events(run, OPTIONS, smallModel(join(place, 'fresh')))).rejects.toThrow(
    'has no weights; an adapter needs a model',
  )
  const { loraRank: _, ...others } = OPTIONS
  await expect(events(run, { ...others, loraAlpha: 8 })).rejects.toThrow('loraAlpha was given without loraRank')
  await expect(events(run, { ...OPTIONS, freeze: ['norm'] })).rejects.toThrow('freeze and loraRank were given')
})
