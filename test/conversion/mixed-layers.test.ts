/** A model whose layers attend in different ways goes into a format that can say so, and is refused by one that cannot. */
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { prepareGguf } from '../../src/conversion/gguf/convert.ts'
import { prepareFolder } from '../../src/conversion/hub/convert.ts'
import { readSourceModel } from '../../src/conversion/source-model.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { loadModel } from '../../src/model/load.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import { modelOf, type OpenedModel } from '../../src/model/open/opened-model.ts'
import { mixedModel } from '../nn/mixed-model.ts'
import { RandomCheckpoint } from '../support/random-model.ts'
import { tempFolder } from '../support/temp-folder.ts'

const SIZES = {
  vocab_size: 40,
  hidden_size: 16,
  num_hidden_layers: 2,
  intermediate_size: 24,
  max_position_embeddings: 64,
}

/** Heads of two sizes. */
const llama = () =>
  modelOf(
    new RandomCheckpoint(
      {
        model_type: 'llama',
        ...SIZES,
        ...{ num_attention_heads: 2, num_key_value_heads: 2, head_dim: 8, rms_norm_eps: 1e-5 },
        per_layer_config: { 1: { head_dim: 4, num_key_value_heads: 1 } },
      },
      1,
    ),
  )

it('a folder of safetensors says it in config.json and computes the same', async () => {
  const folder = join(tempFolder(), 'hub')
  const { write } = prepareFolder(await readSourceModel(llama()), { weights: 'f32' })
  await write(folder, { onWrite: () => {}, signal: undefined })
  expect(await logits(await openModel(folder))).toEqual(await logits(llama()))
})

it('latents beside heads are not an obstacle of their own', async () => {
  const source = await readSourceModel(mixedModel())
  expect(prepareFolder(source, { weights: 'bf16' }).bytes).toBeGreaterThan(10_000)
})

it('a GGUF file cannot, and says which layers differ in what', async () => {
  const source = await readSourceModel(llama())
  expect(() => prepareGguf(source, {})).toThrow(
    /architecture llama has one kind of attention.*layer 0 has nKvHeads 2, headDim 8.*layer 1 nKvHeads 1, headDim 4/,
  )
})

it.each([
  ['lfm2', { conv_L_cache: 3 }],
  [
    'qwen3_5_text',
    {
      ...{ linear_conv_kernel_dim: 4, linear_key_head_dim: 8, linear_value_head_dim: 8 },
      ...{ linear_num_key_heads: 1, linear_num_value_heads: 2, partial_rotary_factor: 0.5 },
    },
  ],
])('%s whose layers all attend has no place where llama.cpp asks for the sizes of a state', async (type, more) => {
  const config = { ...SIZES, model_type: type, num_attention_heads: 2, num_key_value_heads: 1, head_dim: 8, ...more }
  const types = { layer_types: ['full_attention', 'full_attention'] }
  const source = await readSourceModel(modelOf(new RandomCheckpoint({ ...config, ...types }, 1)))
  expect(() => prepareGguf(source, {})).toThrow(/architecture \w+ has layers that carry a state, this model has none/)
})

async function logits(model: OpenedModel): Promise<number[]> {
  const kernels = createReferenceKernels()
  const loaded = await loadModel(model, kernels, { cacheType: 'f32' })
  const input = { tokens: [3, 1, 4, 1, 5], cache: loaded.sequence(8), prompt: null, logits: 'all' } as const
  const values = [...((await kernels.memory.read(await loaded.forward([input]))) as Float32Array)]
  expect(values.every(Number.isFinite)).toBe(true)
  return values
}
