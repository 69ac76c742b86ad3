/** Ropes in llama.cpp's files, which it reads by rules of its own: it multiplies cos and sin by a key *and* by 1 + 0.1 ln(factor), for one. */
import { expect, it } from 'vitest'
import { GgufKeys } from '../../src/checkpoint/gguf/keys.ts'
import { prepareGguf } from '../../src/conversion/gguf/convert.ts'
import { addRopeKeys } from '../../src/conversion/gguf/rope-keys.ts'
import { readSourceModel } from '../../src/conversion/source-model.ts'
import { modelOf } from '../../src/model/open/opened-model.ts'
import { RandomCheckpoint, randomLatentConfig } from '../support/random-model.ts'
import { Rng } from '../support/rng.ts'

const YARN = { rope_type: 'yarn', factor: 8, original_max_position_embeddings: 16, attention_factor: 1.2 }
const QWEN3 = {
  ...{ vocab_size: 40, hidden_size: 16, num_hidden_layers: 1, intermediate_size: 24, max_position_embeddings: 128 },
  ...{ num_attention_heads: 2, num_key_value_heads: 1, head_dim: 8, rms_norm_eps: 1e-5, rope_scaling: YARN },
  model_type: 'qwen3',
}

const opened = (config: Record<string, unknown>) => modelOf(new RandomCheckpoint(config, 1))

it('the key is what llama.cpp multiplies by besides', async () => {
  const keys = new GgufKeys('qwen3')
  addRopeKeys(keys, opened(QWEN3).config)
  const { value } = keys.entries.get('qwen3.rope.scaling.attn_factor') ?? {}
  expect(value).toBeCloseTo(1.2 / (1 + 0.1 * Math.log(8)), 6)
  // The keys are read again while they are written, and hold the same factor.
  expect(prepareGguf(await readSourceModel(opened(QWEN3)), {}).warnings).toEqual([])
})

it('latent attention, whose softmax llama.cpp would stretch by it too, is refused', async () => {
  const config = { ...randomLatentConfig(new Rng('yarn')), rope_scaling: { ...YARN, mscale: 1, mscale_all_dim: 1 } }
  const source = await readSourceModel(opened(config))
  expect(() => prepareGguf(source, {})).toThrow('attention_factor 1.2 cannot be said in GGUF for latent attention')
})

it.each([
  ['llama', []],
  ['qwen3', [/architecture qwen3 has no place for divisors of the rope's frequencies \(rope_freqs\.weight\)/]],
])('%s with the positions of Llama 3: llama.cpp reads divisors in some architectures only', async (type, warnings) => {
  const scaling = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 }
  const config = { ...QWEN3, model_type: type, rope_scaling: { ...scaling, original_max_position_embeddings: 16 } }
  const source = await readSourceModel(opened(config))
  expect(prepareGguf(source, {}).warnings).toEqual(warnings.map(warning => expect.stringMatching(warning)))
})
