/** What has no form in deepseek_v3's block is refused by name, before anything is written. */
import { existsSync } from 'node:fs'
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

  it('sizes that are no sizes', async () => {
    await expect(asked({})).rejects.toThrow(/caches 32 numbers.*rank 16 with rope 16 keeps all/)
    await expect(asked({ cacheRatio: 0.5, rank: 3 })).rejects.toThrow(/cacheRatio and rank/)
    await expect(asked({ rank: 3, rope: 3 })).rejects.toThrow(/even number/)
    await expect(asked({ rank: 3, rope: 12 })).rejects.toThrow(/at most 8.*or 16/)
    await expect(asked({ rank: 33, rope: 4 })).rejects.toThrow(/at most 32/)
    await expect(asked({ rank: 8, rope: 4 })).rejects.toThrow(/calibrate/)
    await expect(asked({ rank: 8, rope: 4, calibrate: '/nowhere' })).rejects.toThrow(/cannot be read \(ENOENT\)/)
  })
})
