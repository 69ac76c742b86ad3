/** With all rotated numbers and values kept, the latent model is the original in another form. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertModel } from '../../src/conversion/convert.ts'
import { readSourceModel } from '../../src/conversion/source-model.ts'
import { expectedPath, readExpected } from '../../src/inspection/verify/expected.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { latentifyModel } from '../../src/latentify/latentify.ts'
import { planOf } from '../../src/latentify/plan.ts'
import { choiceOf } from '../../src/latentify/sizes.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { tempFolder } from '../support/temp-folder.ts'
import { fixture, llama, logitsOf, randomFolder, worst } from './models.ts'

const TOKENS = Array.from({ length: 37 }, (_, i) => (7 * i + 3) % 50)

async function whole(folder: string, out = join(tempFolder(), 'latent'), options = {}) {
  const { config } = await openModel(folder)
  const attention = config.layers[0]?.attention
  if (attention?.kind !== 'grouped') throw new TypeError('a model with grouped attention is expected')
  const size = attention.nKvHeads * attention.headDim
  await latentifyModel(folder, out, { rank: size, rope: size, ...options })
  return out
}

describe.each(KERNEL_SETS)('on $name', ({ make, missing }) => {
  for (const name of ['llama-gqa', 'llama3-rope', 'mistral', 'qwen2']) {
    const folder = fixture(name)
    it.skipIf(missing !== null || folder === undefined)(`${name}: logits are the expected ones`, async () => {
      const out = await whole(folder as string)
      const expected = await readExpected(expectedPath(folder as string), (await openModel(folder as string)).config)
      for (const prompt of expected) {
        const kernels = await make()
        expect(worst(await logitsOf(out, prompt.tokens, kernels), prompt.logits)).toBeLessThan(1e-4)
        kernels.dispose()
      }
    })
  }
})

describe('random models', () => {
  const cases = {
    'many heads of keys': llama({ num_attention_heads: 4, num_key_value_heads: 4, head_dim: 6 }),
    'one head of keys, whose frequencies need no list': llama({ num_key_value_heads: 1, rope_theta: 500 }),
    'one head of keys, with stretched positions': llama({
      num_key_value_heads: 1,
      rope_scaling: { rope_type: 'linear', factor: 3 },
    }),
    'sizes that no block of 32 divides': llama({
      hidden_size: 22,
      intermediate_size: 41,
      vocab_size: 51,
      head_dim: 10,
    }),
    'an embedding that is the output, and heads wider than the stream': llama({
      tie_word_embeddings: true,
      head_dim: 14,
    }),
    'biases of attention': llama({ attention_bias: true, tie_word_embeddings: true }),
    'biases and one head of keys': llama({ model_type: 'qwen2', num_key_value_heads: 1, head_dim: undefined }),
    'stretched positions': llama({
      rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
    }),
    'biases, and eps of its own': llama({ model_type: 'qwen2', rms_norm_eps: 1e-3, head_dim: undefined }),
    'a window': llama({ model_type: 'mistral', sliding_window: 9 }),
  }
  for (const [what, config] of Object.entries(cases)) {
    it(what, async () => {
      const folder = await randomFolder(config)
      const kernels = createReferenceKernels()
      const wanted = await logitsOf(folder, TOKENS, kernels)
      const latent = await whole(folder)
      expect(worst(await logitsOf(latent, TOKENS, kernels), wanted)).toBeLessThan(2e-5)
      // Of the query, too.
      const out = await whole(folder, join(tempFolder(), 'query'), { queryLatent: true })
      expect(worst(await logitsOf(out, TOKENS, kernels), wanted)).toBeLessThan(2e-5)
    })
  }

  it('a base of its own where one head of keys has no stretched positions', async () => {
    const out = await whole(await randomFolder(llama({ num_key_value_heads: 1, rope_theta: 500 })))
    const config = JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))
    expect(config).toMatchObject({ model_type: 'deepseek_v3', rope_theta: 500, kv_lora_rank: 8, qk_rope_head_dim: 8 })
    expect(config.rope_scaling).toBe(undefined)
  })
})

describe('all is kept', () => {
  const sizes = {
    'with more numbers than values have': [llama({ num_key_value_heads: 1, rope_theta: 500 }), { rank: 13, rope: 8 }],
    'with more of them, of several heads': [llama(), { rank: 20, rope: 16 }],
    'with a share of 1': [llama(), { cacheRatio: 1 }],
  } as const
  it.each(Object.entries(sizes))('%s', async (_, [config, options]) => {
    const folder = await randomFolder(config)
    const kernels = createReferenceKernels()
    const out = join(tempFolder(), 'latent')
    await latentifyModel(folder, out, options)
    const wanted = await logitsOf(folder, TOKENS, kernels)
    expect(worst(await logitsOf(out, TOKENS, kernels), wanted)).toBeLessThan(2e-5)
  })

  it('of the keys where each pair of one head has a place, whatever the rank', async () => {
    const plan = planOf(
      await readSourceModel(await openModel(await randomFolder(llama({ num_key_value_heads: 1, rope_theta: 500 })))),
    )
    expect(choiceOf(plan, { rank: 4, rope: 8 }).form).toEqual({ theta: 500 })
    expect(choiceOf(plan, { rank: 4, rope: 8, theta: 300 }).form).toEqual({ theta: 300 })
    expect(choiceOf(plan, { rank: 4, rope: 6 }).form).toEqual({ theta: 10_000 })
  })
})

describe('from one form of files into the other', () => {
  const folder = fixture('llama-gqa')
  it.skipIf(folder === undefined)('folder, GGUF, folder: the same logits, quantised too', async () => {
    const source = folder as string
    const kernels = createReferenceKernels()
    const wanted = await logitsOf(source, TOKENS, kernels)
    const latent = await whole(source, undefined, { queryLatent: true })
    const file = join(tempFolder(), 'latent.gguf')
    const { warnings } = await convertModel(latent, file)
    // llama.cpp's deepseek2 has no divisors of frequencies.
    expect(warnings.join()).toContain('divisors of the rope')
    const back = join(tempFolder(), 'back')
    await convertModel(file, back)
    for (const path of [file, back]) {
      expect(worst(await logitsOf(path, TOKENS, kernels), wanted)).toBeLessThan(1e-4)
    }
    const eight = join(tempFolder(), 'eight.gguf')
    await convertModel(latent, eight, { weights: 'q8_0' })
    const { checkpoint } = await openModel(eight)
    const types = [...checkpoint.tensors.values()].filter(t => /(kv_a_proj|q_a_proj)/.test(t.name)).map(t => t.dtype)
    expect(new Set(types)).toEqual(new Set(['F32']))
  })
})
