/** What has no form in deepseek_v3's block is refused by name, before anything is written. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { latentifyModel } from '../../src/latentify/latentify.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { fixture, llama, randomFolder } from './models.ts'

describe('families', () => {
  const reasons = {
    qwen3: /qwen3 model that norms the heads of its queries and keys/,
    'gemma3-mqa': /gemma3\w* model that norms the heads/,
    'falcon-mqa': /falcon model with LayerNorm/,
    gpt2: /gpt2 model with LayerNorm/,
    'gpt1-post-norm': /openai-gpt model with LayerNorm/,
    'deepseek-v3': /has latent attention already/,
  }
  for (const [name, reason] of Object.entries(reasons)) {
    const folder = fixture(name)
    it.skipIf(folder === undefined)(name, async () => {
      const out = join(tempFolder(), 'out')
      await expect(latentifyModel(folder as string, out, { cacheRatio: 0.5 })).rejects.toThrow(reason)
      expect(existsSync(out)).toBe(false)
    })
  }
})

describe('sizes and settings', () => {
  const asked = async (options: object, config = llama()) =>
    latentifyModel(await randomFolder(config), join(tempFolder(), 'out'), options)

  it('layers that differ, and biases outside of attention', async () => {
    const windows = { model_type: 'qwen2', use_sliding_window: true, sliding_window: 4, max_window_layers: 1 }
    await expect(asked({ cacheRatio: 0.5 }, llama(windows))).rejects.toThrow(/whose layers 0 and 1 differ/)
    await expect(asked({ cacheRatio: 0.5 }, llama({ mlp_bias: true }))).rejects.toThrow(/mlp\.\w+_proj\.bias/)
  })

  it('projections that are one matrix', async () => {
    const phi3 = llama({ model_type: 'phi3', head_dim: undefined, sliding_window: null })
    await expect(asked({ cacheRatio: 0.5 }, phi3)).rejects.toThrow(/phi3 model with several projections in one matrix/)
  })

  it('sizes that are no sizes', async () => {
    await expect(asked({})).rejects.toThrow(/caches 32 numbers.*rank 16 with rope 16 keeps all/)
    await expect(asked({ cacheRatio: 0.5, rank: 3 })).rejects.toThrow(/cacheRatio and rank/)
    await expect(asked({ rank: 3, rope: 3 })).rejects.toThrow(/even number/)
    await expect(asked({ rank: 3, rope: 12 })).rejects.toThrow(/at most 8.*or 16/)
    await expect(asked({ rank: 33, rope: 4 })).rejects.toThrow(/at most 32/)
    await expect(asked({ rank: 8, pplWithin: 0.1 })).rejects.toThrow(/pplWithin and rank are both given/)
    await expect(asked({ pplWithin: 0.1, measure: 0 })).rejects.toThrow(/measure is 0/)
    await expect(asked({ cacheRatio: 0.5, also: [0.25], measure: 0 })).rejects.toThrow(/also is given/)
    await expect(asked({ rank: 8, rope: 4, calibrate: '/nowhere' })).rejects.toThrow(/cannot be read \(ENOENT\)/)
  })

  it('settings that cannot be meant, or decide nothing', async () => {
    await expect(asked({ pplWithin: 5 })).rejects.toThrow(
      /pplWithin is 5, 500 % more .*expected less than 1, such as 0\.05 or 5%/,
    )
    await expect(asked({ pplWithin: 1 })).rejects.toThrow(/100 % more perplexity/)
    await expect(asked({ pplWithin: -0.1 })).rejects.toThrow(/at least 0/)
    await expect(asked({ cacheRatio: 0.5, search: true, measure: 0 })).rejects.toThrow(
      /search is given, and measure is 0/,
    )
    await expect(asked({ rank: 8, rope: 4, theta: 100, search: true })).rejects.toThrow(/nothing to search/)
    await expect(asked({ cacheRatio: 0.5, healText: 'a' })).rejects.toThrow(/healText is given without heal/)
    await expect(asked({ cacheRatio: 0.5, heal: 60, healText: 'a', healSamples: 9 })).rejects.toThrow(/both given/)
    for (const idle of [{ heal: 60 }, { healSteps: 2 }, { search: true }, { also: [0.5] }, { theta: 100 }])
      await expect(asked({ rank: 16, rope: 16, ...idle })).rejects.toThrow(/rank and rope keep all/)
    await expect(asked({ cacheRatio: 1, heal: 60 })).rejects.toThrow(/heal is given, and a cacheRatio of 1 keeps all/)
  })

  it('what the writer would refuse at the end is refused before the text is read', async () => {
    const lossy = { cacheRatio: 0.5, calibrate: '/nowhere' }
    await expect(asked({ ...lossy, weights: 'q8_0' })).rejects.toThrow(/weights is "q8_0"; safetensors folders/)
    const biased = await randomFolder(llama({ model_type: 'qwen2', head_dim: undefined }))
    const work = latentifyModel(biased, join(tempFolder(), 'out.gguf'), lossy)
    await expect(work).rejects.toThrow(
      /has biases of attention, for which llama.cpp's architecture deepseek2 has no place/,
    )
  })
})

describe('the folder of what is done so far', () => {
  const whole = { rank: 16, rope: 16 }

  it('is beside the output, whatever slashes its name ends in', async () => {
    const place = tempFolder()
    const { files } = await latentifyModel(await randomFolder(llama()), `${join(place, 'out')}/`, whole)
    expect(files.length).toBeGreaterThan(1)
    expect(readdirSync(place)).toEqual(['out'])
    expect(existsSync(join(place, 'out', '.latentify'))).toBe(false)
  })

  it('with files of others is left alone', async () => {
    const place = tempFolder({ 'out.latentify/model.safetensors': 'a model' })
    const work = async () => latentifyModel(await randomFolder(llama()), join(place, 'out'), whole)
    await expect(work()).rejects.toMatchObject({
      code: 'output_exists',
      message: expect.stringContaining('model.safetensors there is none of it'),
    })
    expect(existsSync(join(place, 'out.latentify', 'model.safetensors'))).toBe(true)
    expect(existsSync(join(place, 'out'))).toBe(false)
  })

  it('of another model, or half written, begins anew', async () => {
    const place = tempFolder()
    mkdirSync(join(place, 'out.latentify'))
    for (const name of ['identity.json', 'layer-0.statistics', 'layer-1.streams.partial'])
      writeFileSync(join(place, 'out.latentify', name), '{')
    await latentifyModel(await randomFolder(llama()), join(place, 'out'), whole)
    expect(readdirSync(place)).toEqual(['out'])
  })
})
