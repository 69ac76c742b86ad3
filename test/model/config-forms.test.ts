/** Forms in which published config.json files say the same. */
import { describe, expect, it } from 'vitest'
import { Checkpoint } from '../../src/checkpoint/checkpoint.ts'
import { ConfigReader } from '../../src/checkpoint/config-reader.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { UnsupportedModelError } from '../../src/errors.ts'
import { parseConfig } from '../../src/families/index.ts'
import { tiedWarnings } from '../../src/model/load-warnings.ts'
import { modelOf } from '../../src/model/open/opened-model.ts'

const LLAMA = {
  model_type: 'llama',
  vocab_size: 32,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  max_position_embeddings: 64,
  rope_theta: 5000,
}
const read = (changes: Record<string, unknown>) =>
  parseConfig(new ConfigReader({ ...LLAMA, ...changes }, 'config.json'))
const plain = read({})

describe('the same model', () => {
  it.each<[string, Record<string, unknown>]>([
    ['no scaling: null', { rope_scaling: null }],
    ['no scaling: an empty object', { rope_scaling: {} }],
    ['no scaling: default', { rope_scaling: { rope_type: 'default' } }],
    ['empty rope_parameters', { rope_parameters: {} }],
    ['rope_parameters of null', { rope_parameters: null }],
    ['rope_parameters', { rope_theta: undefined, rope_parameters: { rope_theta: 5000, rope_type: 'default' } }],
    [
      'rope_parameters by type of layers',
      {
        rope_theta: undefined,
        rope_parameters: {
          full_attention: { rope_theta: 5000, rope_type: 'default' },
          sliding_attention: { rope_theta: 5000, rope_type: 'default' },
        },
      },
    ],
    ['null heads', { num_key_value_heads: null, head_dim: null }],
    ['a window of null', { sliding_window: null }],
    ['dtype in place of torch_dtype', { dtype: 'bfloat16' }],
    ['tokens of null', { bos_token_id: null, eos_token_id: null }],
    ['tokens that are none', { bos_token_id: -1, eos_token_id: [-1, null, 'x'] }],
    ['biases of null', { attention_bias: null, mlp_bias: null }],
    ['numbers that nobody asks for', { initializer_range: Number.NaN, time_step_limit: [0, Infinity] }],
  ])('%s', (_, changes) => {
    expect(read(changes)).toEqual(plain)
  })

  it('scaling counts in either place, also beside an empty one', () => {
    const linear = { rope_type: 'linear', factor: 4 }
    const scaled = read({ rope_scaling: linear })
    expect(scaled.ropes[0]?.scaling).toEqual({ kind: 'linear', factor: 4 })
    expect(read({ rope_scaling: linear, rope_parameters: {} })).toEqual(scaled)
    expect(read({ rope_theta: undefined, rope_parameters: { ...linear, rope_theta: 5000 } })).toEqual(scaled)
  })

  it('a rope of its own for some layers is refused, not left out', () => {
    const parameters = { full_attention: { rope_theta: 5000 }, sliding_attention: { rope_theta: 10_000 } }
    expect(() => read({ rope_parameters: parameters })).toThrow(UnsupportedModelError)
  })

  it('numbers that are asked for and are none are named with their key', () => {
    expect(() => read({ rms_norm_eps: Number.NaN })).toThrow(
      'config.json: "rms_norm_eps" is NaN; expected a finite number',
    )
    expect(() => read({ rope_theta: Infinity })).toThrow(
      'config.json: "rope_theta" is Infinity; expected a finite number',
    )
    expect(() => read({ hidden_size: -Infinity })).toThrow(
      'config.json: "hidden_size" is -Infinity; expected an integer',
    )
  })
})

describe('tied embeddings', () => {
  const opened = (output: readonly number[] | null, tied: boolean) => {
    const entry = (name: string, values: readonly number[]) => {
      const source = memorySource(name, new Uint8Array(Float32Array.from(values).buffer))
      return [name, { name, dtype: 'F32', shape: [2, 1], bytes: { source, offset: 0, length: source.size } }] as const
    }
    const embedding = entry('model.embed_tokens.weight', [1, 2])
    return modelOf(
      new Checkpoint({
        name: 'm',
        configFile: 'm/config.json',
        config: { ...LLAMA, tie_word_embeddings: tied },
        tensors: new Map(output ? [embedding, entry('lm_head.weight', output)] : [embedding]),
        warnings: [],
      }),
    )
  }

  it('beside an output of its own are warned of where the two differ', async () => {
    expect(await tiedWarnings(opened(null, true))).toEqual([])
    expect(await tiedWarnings(opened([1, 2], true))).toEqual([])
    expect(await tiedWarnings(opened([1, 3], false))).toEqual([])
    expect(await tiedWarnings(opened([1, 3], true))).toEqual([
      'm/config.json ties the output to the embedding (tie_word_embeddings), so the file\'s own "lm_head.weight", which ' +
        'differs, is left out',
    ])
  })
})
