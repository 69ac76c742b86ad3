/** Each projection has the bias that its file has, whatever config.json says, by itself or with others. */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { convertModel } from '../../src/conversion/convert.ts'
import { UnsupportedModelError } from '../../src/errors.ts'
import { loadModel, surveyWeights } from '../../src/model/load.ts'
import { loadWarnings } from '../../src/model/load-warnings.ts'
import { openModel } from '../../src/model/open/open-model.ts'
import type { AttentionPath } from '../../src/nn/attention/path.ts'
import { type GgufValue, writeGguf } from '../support/gguf-writer.ts'
import { failure } from '../support/hub-setup.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { type NaiveTensor, type NaiveTensors, naiveLogits } from '../support/naive-layer.ts'
import { Rng } from '../support/rng.ts'
import { writeSafetensors } from '../support/safetensors-writer.ts'
import { tempFolder } from '../support/temp-folder.ts'

const [D, H, G, d, F, VOCAB] = [8, 2, 1, 4, 12, 11]
const LATENT = { C: 6, N: 4, R: 2, V: 4, Q: 6 }
const IDS = [3, 1, 4, 1, 5, 9]

const GROUPED_SHAPES = {
  q_proj: [H * d, D],
  k_proj: [G * d, D],
  v_proj: [G * d, D],
  o_proj: [D, H * d],
} as const
const LATENT_SHAPES = {
  q_a_proj: [LATENT.Q, D],
  q_b_proj: [H * (LATENT.N + LATENT.R), LATENT.Q],
  kv_a_proj_with_mqa: [LATENT.C + LATENT.R, D],
  kv_b_proj: [H * (LATENT.N + LATENT.V), LATENT.C],
  o_proj: [D, H * LATENT.V],
} as const
const MLP_SHAPES = { gate_proj: [F, D], up_proj: [F, D], down_proj: [D, F] } as const

type Kind = 'grouped' | 'latent'

/** Module -> [rows, cols]. */
function projections(kind: Kind): Record<string, readonly [number, number]> {
  const of = (shapes: Readonly<Record<string, readonly [number, number]>>, part: string) =>
    Object.entries(shapes).map(([name, shape]) => [`model.layers.0.${part}.${name}`, shape] as const)
  return Object.fromEntries([
    ...of(kind === 'grouped' ? GROUPED_SHAPES : LATENT_SHAPES, 'self_attn'),
    ...of(MLP_SHAPES, 'mlp'),
  ])
}

/** Random weights, and biases of the named modules. */
function tensorsOf(kind: Kind, biased: readonly string[]): NaiveTensors {
  const draw = (name: string, shape: readonly number[], scale: number, mean = 0): [string, NaiveTensor] => {
    const length = shape.reduce((n, s) => n * s, 1)
    return [name, { shape, data: new Rng(name).normals(length, scale, mean) }]
  }
  const norms: [string, number][] = [
    ['model.norm', D],
    ['model.layers.0.input_layernorm', D],
    ['model.layers.0.post_attention_layernorm', D],
  ]
  if (kind === 'latent') {
    norms.push(
      ['model.layers.0.self_attn.q_a_layernorm', LATENT.Q],
      ['model.layers.0.self_attn.kv_a_layernorm', LATENT.C],
    )
  }
  const shapes = projections(kind)
  return Object.fromEntries([
    draw('model.embed_tokens.weight', [VOCAB, D], 1),
    ...norms.map(([name, size]) => draw(`${name}.weight`, [size], 0.1, 1)),
    ...Object.entries(shapes).map(([name, shape]) => draw(`${name}.weight`, shape, 0.5)),
    ...biased.map(name => draw(`${name}.bias`, [shapes[name]?.[0] ?? VOCAB], 0.7)),
  ])
}

const CONFIG = {
  vocab_size: VOCAB,
  hidden_size: D,
  intermediate_size: F,
  num_hidden_layers: 1,
  num_attention_heads: H,
  num_key_value_heads: G,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
  tie_word_embeddings: true,
  rope_interleave: true,
}
const CONFIGS = {
  grouped: { ...CONFIG, model_type: 'llama' },
  latent: {
    ...CONFIG,
    model_type: 'deepseek_v3',
    q_lora_rank: LATENT.Q,
    kv_lora_rank: LATENT.C,
    qk_nope_head_dim: LATENT.N,
    qk_rope_head_dim: LATENT.R,
    v_head_dim: LATENT.V,
  },
}

const bytesOf = ({ data }: NaiveTensor) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

function safetensorsFolder(kind: Kind, tensors: NaiveTensors, config: object = {}): string {
  const written = Object.entries(tensors).map(
    ([name, t]) => [name, { dtype: 'F32' as const, shape: t.shape, bytes: bytesOf(t) }] as const,
  )
  return tempFolder({
    'config.json': JSON.stringify({ ...CONFIGS[kind], ...config }),
    'model.safetensors': writeSafetensors(new Map(written)),
  })
}

/** llama.cpp's names. */
const GGUF_NAMES: Readonly<Record<string, string>> = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
  input_layernorm: 'attn_norm',
  post_attention_layernorm: 'ffn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  'self_attn.q_a_proj': 'attn_q_a',
  'self_attn.q_a_layernorm': 'attn_q_a_norm',
  'self_attn.q_b_proj': 'attn_q_b',
  'self_attn.kv_a_proj_with_mqa': 'attn_kv_a_mqa',
  'self_attn.kv_a_layernorm': 'attn_kv_a_norm',
  'self_attn.kv_b_proj': 'attn_kv_b',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
}

function ggufName(name: string): string {
  const [, layer = '', module = '', suffix = ''] = /^(model\.layers\.0\.)?(.*)\.(weight|bias)$/.exec(name) ?? []
  return `${layer && 'blk.0.'}${GGUF_NAMES[module] ?? module}.${suffix}`
}

function ggufFile(kind: Kind, tensors: NaiveTensors, more: NaiveTensors = {}): string {
  const arch = kind === 'grouped' ? 'llama' : 'deepseek2'
  const own: Record<string, GgufValue> = {
    block_count: ['u32', 1],
    context_length: ['u32', 64],
    embedding_length: ['u32', D],
    feed_forward_length: ['u32', F],
    'attention.head_count': ['u32', H],
    'attention.head_count_kv': ['u32', kind === 'grouped' ? G : H],
    'attention.layer_norm_rms_epsilon': ['f32', 1e-6],
    'rope.freq_base': ['f32', 10_000],
    'rope.dimension_count': ['u32', kind === 'grouped' ? d : LATENT.R],
  }
  if (kind === 'latent') {
    own['attention.q_lora_rank'] = ['u32', LATENT.Q]
    own['attention.kv_lora_rank'] = ['u32', LATENT.C]
    own['attention.key_length'] = ['u32', LATENT.N + LATENT.R]
    own['attention.value_length'] = ['u32', LATENT.V]
    own.leading_dense_block_count = ['u32', 1]
  }
  const named = [...Object.entries(tensors).map(([name, t]) => [ggufName(name), t] as const), ...Object.entries(more)]
  const file = writeGguf({
    metadata: {
      'general.architecture': ['string', arch],
      'tokenizer.ggml.model': ['string', 'gpt2'],
      'tokenizer.ggml.pre': ['string', 'gpt-2'],
      'tokenizer.ggml.tokens': ['array', 'string', ['a']],
      'tokenizer.ggml.merges': ['array', 'string', []],
      ...Object.fromEntries(Object.entries(own).map(([key, value]) => [`${arch}.${key}`, value])),
    },
    tensors: Object.fromEntries(
      named.map(([name, t]) => [name, { type: 0, ne: [...t.shape].reverse(), bytes: bytesOf(t) }]),
    ),
  })
  return join(tempFolder({ 'm.gguf': file }), 'm.gguf')
}

const SIZES = { heads: H, kvHeads: G, headDim: d }
const expectedOf = (kind: Kind, tensors: NaiveTensors) =>
  naiveLogits(tensors, kind === 'latent' ? { ...SIZES, latent: LATENT } : SIZES, IDS).flat()

async function logitsOf(path: string, set: (typeof KERNEL_SETS)[number], way?: AttentionPath): Promise<number[]> {
  const kernels = await set.make()
  try {
    const model = await loadModel(await openModel(path, { tokenizer: false }), kernels, { cacheType: 'f32' })
    const cache = model.sequence(16)
    const input = { tokens: IDS, cache, prompt: { start: 0, end: IDS.length }, logits: 'all' } as const
    const out = await model.forward([way ? { ...input, path: way } : input])
    const logits = [...((await kernels.memory.read(out)) as Float32Array)]
    model.dispose()
    return logits
  } finally {
    kernels.dispose()
  }
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length)
  const worst = found.reduce((most, v, i) => Math.max(most, Math.abs(v - (expected[i] as number))), 0)
  expect(worst).toBeLessThan(1e-4)
}

const OF_ALL = 'all of them'
const biasSets = (kind: Kind): [string, string[]][] => {
  const modules = [...Object.keys(projections(kind)), 'lm_head']
  return [...modules.map((module): [string, string[]] => [module, [module]]), [OF_ALL, modules], ['none', []]]
}

describe.each(['grouped', 'latent'] as const)('%s attention', kind => {
  for (const set of KERNEL_SETS) {
    describe.skipIf(set.missing !== null)(`on ${set.name}`, () => {
      it.each(biasSets(kind))('computes with the biases of %s, from either form of files', async (_, biased) => {
        const tensors = tensorsOf(kind, biased)
        const expected = expectedOf(kind, tensors)
        const places = [ggufFile(kind, tensors), safetensorsFolder(kind, tensors)]
        for (const path of places) {
          for (const way of kind === 'latent' ? (['expanded', 'absorbed'] as const) : [undefined]) {
            expectClose(await logitsOf(path, set, way), expected)
          }
        }
      })
    })
  }

  it('a bias changes the numbers: these tests would see it', () => {
    const without = expectedOf(kind, tensorsOf(kind, []))
    for (const [name, biased] of biasSets(kind)) {
      if (biased.length === 0) continue
      const changed = expectedOf(kind, tensorsOf(kind, biased)).some(
        (v, i) => Math.abs(v - (without[i] as number)) > 1e-3,
      )
      expect([name, changed]).toEqual([name, true])
    }
  })
})

const [reference] = KERNEL_SETS as [(typeof KERNEL_SETS)[number]]
const q = 'model.layers.0.self_attn.q_proj'
const o = 'model.layers.0.self_attn.o_proj'
const down = 'model.layers.0.mlp.down_proj'

describe('experts', () => {
  const EXPERTS = { n_routed_experts: 2, num_experts_per_tok: 2, n_shared_experts: 1, moe_intermediate_size: F }
  const config = { ...EXPERTS, first_k_dense_replace: 0, norm_topk_prob: true, routed_scaling_factor: 1 }
  const at = 'model.layers.0.mlp.'

  /** The dense layer's, its MLP as two experts and a shared one. */
  function mixture(biased: readonly string[]): NaiveTensors {
    const dense = Object.entries(tensorsOf('latent', []))
    const mlps = ['experts.0.', 'experts.1.', 'shared_experts.'].flatMap((expert, i) =>
      Object.entries(MLP_SHAPES).map(([name, shape]): [string, NaiveTensor] => [
        `${at}${expert}${name}.weight`,
        { shape, data: new Rng(`${i} ${name}`).normals(shape[0] * shape[1], 0.5) },
      ]),
    )
    const router = { shape: [2, D], data: new Rng('router').normals(2 * D) }
    return Object.fromEntries([
      ...dense.filter(([name]) => !name.startsWith(at)),
      ...mlps,
      [`${at}gate.weight`, router],
      [`${at}gate.e_score_correction_bias`, { shape: [2], data: new Float32Array(2) }],
      ...biased.map(name => {
        const length = name.includes('down') ? D : name === 'gate' ? 2 : F
        return [`${at}${name}.bias`, { shape: [length], data: new Rng(name).normals(length) }]
      }),
    ])
  }

  const biases = ['gate', 'shared_experts.gate_proj', 'shared_experts.up_proj', 'shared_experts.down_proj']
  for (const set of KERNEL_SETS) {
    it.skipIf(set.missing !== null).each([[], ...biases.map(b => [b]), biases])(
      `of the router and of shared ones count, on ${set.name}: %s`,
      async (...biased) => {
        const tensors = mixture(biased)
        expectClose(await logitsOf(safetensorsFolder('latent', tensors, config), set), expectedOf('latent', tensors))
      },
    )
  }

  it.each(['experts.0.gate_proj', 'experts.1.down_proj'])('one by one have none: %s', async name => {
    const c = await openModel(safetensorsFolder('latent', mixture([name]), config))
    const error = await failure(surveyWeights(c))
    expect(error).toBeInstanceOf(UnsupportedModelError)
    expect(error.message).toContain(`tensor "${at}${name}.bias" is a bias of single experts; it is not supported`)
  })
})

describe('what config.json says', () => {
  it('of biases that it does not announce a warning tells; one that it announces must be there', async () => {
    const c = await openModel(safetensorsFolder('grouped', tensorsOf('grouped', [q])))
    expect(loadWarnings(c, await surveyWeights(c))).toEqual([
      `${c.checkpoint.configFile} does not speak of biases that the files have; they are added: "${q}.bias"`,
    ])
    const announced = await openModel(safetensorsFolder('grouped', tensorsOf('grouped', [q]), { attention_bias: true }))
    expect((await failure(surveyWeights(announced))).message).toContain(
      '"model.layers.0.self_attn.k_proj.bias" [4] is missing',
    )
    const gguf = await openModel(ggufFile('grouped', tensorsOf('grouped', [q])))
    expect(loadWarnings(gguf, await surveyWeights(gguf))).toEqual([])
  })
})

describe('what a layer has beyond its kind', () => {
  it.each([
    'blk.0.attn_q_norm.weight',
    'blk.0.attn_norm.bias',
    'blk.0.attn_sinks.weight',
    'token_embd_norm.weight',
    'output_norm.bias',
  ])('is refused in a GGUF file: %s', async name => {
    const extra = { [name]: { shape: [4], data: new Float32Array(4) } }
    const c = await openModel(ggufFile('grouped', tensorsOf('grouped', []), extra))
    const error = await failure(surveyWeights(c))
    expect(error).toBeInstanceOf(UnsupportedModelError)
    expect(error.message).toContain('has tensors that this kind of model does not compute with')
  })

  it.each(['v.blk.0.attn_q.weight', 'mm.input.weight', 'blk.1.nextn.eh_proj.weight', 'cls.weight'])(
    'is left out with a warning where it lies beside the layers: %s',
    async name => {
      const extra = { [name]: { shape: [4], data: new Float32Array(4) } }
      const c = await openModel(ggufFile('grouped', tensorsOf('grouped', []), extra))
      await surveyWeights(c)
    },
  )
})

describe('conversion keeps biases', () => {
  it.each<[string, string[]]>([
    ['q alone', [q]],
    ['down alone', [down]],
    ['the output alone', [o]],
    ['several', [q, o, down]],
  ])('of a llama, to GGUF and back: %s', async (_, biased) => {
    const tensors = tensorsOf('grouped', biased)
    const expected = expectedOf('grouped', tensors)
    const place = tempFolder()
    const [hub, gguf, again] = [join(place, 'hub'), join(place, 'm.gguf'), join(place, 'again')]
    await convertModel(ggufFile('grouped', tensors), hub, { weights: 'f32' })
    expectClose(await logitsOf(hub, reference), expected)
    const c = await openModel(hub, { tokenizer: false })
    // transformers wants all of a kind, and the field that says so.
    const attention = biased.some(name => name.includes('self_attn'))
    expect(c.checkpoint.config).toMatchObject({ attention_bias: attention, mlp_bias: biased.includes(down) })
    for (const part of ['q', 'k', 'v', 'o']) {
      expect(c.checkpoint.has(`model.layers.0.self_attn.${part}_proj.bias`)).toBe(attention)
    }
    expect(loadWarnings(c, await surveyWeights(c))).toEqual([])
    await convertModel(hub, gguf, { weights: 'f32' })
    expectClose(await logitsOf(gguf, reference), expected)
    await convertModel(safetensorsFolder('grouped', tensors), again, { weights: 'f32' })
    expectClose(await logitsOf(again, reference), expected)
  })

  it('of a model with latents, to a folder: with the bias of its values in that of the output', async () => {
    const kvB = 'model.layers.0.self_attn.kv_b_proj'
    const tensors = tensorsOf('latent', [kvB, o])
    const hub = join(tempFolder(), 'hub')
    await convertModel(ggufFile('latent', tensors), hub, { weights: 'f32' })
    expectClose(await logitsOf(hub, reference), expectedOf('latent', tensors))
    expect((await openModel(hub, { tokenizer: false })).checkpoint.config).toMatchObject({ attention_bias: true })
  })

  it('or refuses where the reader of the files has no place for them', async () => {
    const latent = safetensorsFolder('latent', tensorsOf('latent', ['model.layers.0.self_attn.q_a_proj']))
    const error = await failure(convertModel(latent, join(tempFolder(), 'm.gguf')))
    expect(error).toBeInstanceOf(UnsupportedModelError)
    expect(error.message).toContain(
      'llama.cpp\'s architecture deepseek2 has no place for "model.layers.0.self_attn.q_a_proj.bias"',
    )
    const output = ggufFile('grouped', tensorsOf('grouped', ['lm_head']))
    await expect(convertModel(output, join(tempFolder(), 'hub'))).rejects.toThrow(
      'transformers\' llama has no place for "lm_head.bias"',
    )
  })
})
