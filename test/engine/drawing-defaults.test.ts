/** What tokens are drawn with where nobody, only the model, or only the prompt says it. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertModel } from '../../src/conversion/convert.ts'
import { drawnWith, samplingDefaults } from '../../src/engine/load/sampling-defaults.ts'
import { Engine, type PromptOptions } from '../../src/index.ts'
import { inspectModel } from '../../src/tools.ts'
import { tempFolder } from '../support/temp-folder.ts'

const TALES = new URL('../../models/tales-mla-8m', import.meta.url).pathname

const OURS = { temperature: 0.6, topP: 0.9 }

describe('drawnWith', () => {
  it('is ours where neither the model nor the prompt names a setting of drawing', () => {
    expect(drawnWith({}, {})).toEqual(OURS)
    expect(drawnWith({ repetitionPenalty: 1.1 }, { seed: 7, presencePenalty: 1 })).toEqual({
      ...OURS,
      repetitionPenalty: 1.1,
      seed: 7,
      presencePenalty: 1,
    })
  })

  it.each([{ temperature: 1 }, { temperature: 0 }, { topP: 1 }, { topK: 0 }, { minP: 0.1 }])(
    'is what was named alone: %j',
    named => {
      expect(drawnWith(named, {})).toEqual(named)
      expect(drawnWith({}, named)).toEqual(named)
    },
  )

  it("puts the prompt's before the model's, setting by setting", () => {
    expect(drawnWith({ temperature: 0.7, topP: 0.8 }, { temperature: 1 })).toEqual({ temperature: 1, topP: 0.8 })
  })

  it('is told whole', () => {
    const off = { topK: 0, minP: 0, typicalP: 1, repetitionPenalty: 1 }
    expect(samplingDefaults({})).toEqual({ by: 'latentkit', ...OURS, ...off })
    expect(samplingDefaults({ topK: 64 })).toEqual({ by: 'model', temperature: 1, topP: 1, ...off, topK: 64 })
    expect(samplingDefaults({ temperature: 0 })).toMatchObject({ by: 'model', temperature: 0 })
  })
})

/** The bundled model with another generation_config.json, or without. */
function tales(generationConfig?: object): string {
  const folder = join(tempFolder(), 'model')
  cpSync(TALES, folder, { recursive: true })
  rmSync(join(folder, 'generation_config.json'))
  if (generationConfig) writeFileSync(join(folder, 'generation_config.json'), JSON.stringify(generationConfig))
  return folder
}

async function texts(model: string, ...each: PromptOptions[]): Promise<string[]> {
  const engine = await Engine.load(model, { inline: true, kernels: 'reference' })
  const written: string[] = []
  for (const options of each) {
    const { text } = await engine.session().prompt('The fox', { maxTokens: 12, seed: 5, ...options })
    written.push(text)
  }
  await engine.dispose()
  return written
}

describe('a model', () => {
  it('that names nothing is drawn with ours, and a prompt that names a setting is not', async () => {
    const [silent, ours, plain, hot] = await texts(tales(), {}, OURS, { temperature: 1 }, { temperature: 1, topP: 1 })
    expect(silent).toBe(ours)
    expect(plain).toBe(hot)
    expect(plain).not.toBe(silent)
  })

  it('that names a setting is drawn with that, also as a GGUF file, and as a folder made of it', async () => {
    const named = { do_sample: true, temperature: 1.5, top_k: 3, top_p: 0.95, min_p: 0.01, repetition_penalty: 1.2 }
    const expected = { temperature: 1.5, topK: 3, topP: 0.95, minP: 0.01, repetitionPenalty: 1.2 }
    const folder = tales(named)
    const gguf = join(tempFolder(), 'm.gguf')
    await convertModel(folder, gguf)
    const back = join(tempFolder(), 'back')
    await convertModel(gguf, back, { weights: 'f32' })
    for (const model of [folder, gguf, back]) {
      expect((await inspectModel(model)).sampling).toEqual({ by: 'model', typicalP: 1, ...expected })
      const [silent, same] = await texts(model, {}, expected)
      expect(silent).toBe(same)
    }
  })

  it('that is greedy stays it through both conversions', async () => {
    const gguf = join(tempFolder(), 'm.gguf')
    await convertModel(tales({ do_sample: false, top_p: 0.5 }), gguf)
    expect((await inspectModel(gguf)).sampling).toMatchObject({ by: 'model', temperature: 0, topP: 1 })
    const back = join(tempFolder(), 'back')
    await convertModel(gguf, back, { weights: 'f32' })
    expect(JSON.parse(readFileSync(join(back, 'generation_config.json'), 'utf8'))).toMatchObject({ do_sample: false })
  })

  it('that says nothing is told so by engine and inspection', async () => {
    const gguf = join(tempFolder(), 'm.gguf')
    await convertModel(tales(), gguf)
    const engine = await Engine.load(gguf, { inline: true, kernels: 'reference' })
    expect(engine.info.sampling).toMatchObject({ by: 'latentkit', ...OURS })
    await engine.dispose()
    expect((await inspectModel(gguf)).sampling).toEqual(engine.info.sampling)
  })
})
