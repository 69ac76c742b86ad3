/** The work models' shapes; their weights are random and mean nothing. llama.cpp loads all of them. */
import { BYTE_TO_CHAR } from '../../src/tokenizer/byte-level.ts'
import type { GgufValue } from '../../test/support/gguf-writer.ts'
import type { RandomModel, RandomTensor } from './write-model.ts'

interface Shape {
  readonly layers: number
  readonly width: number
  readonly heads: number
  readonly feedForward: number
  readonly vocabulary: number
  readonly type: 'q4_0' | 'q8_0'
}

interface Experts {
  readonly count: number
  readonly active: number
  readonly shared: number
  readonly width: number
}

/** The first token that is a byte, behind those that begin and end texts. */
const FIRST_BYTE = 3

/** As in DeepSeek-V2: latent, rope key, and what a head has of each. */
const LATENT = { latent: 512, rope: 64, nope: 128, value: 128 } as const

const u32 = (n: number): GgufValue => ['u32', n]
const f32 = (n: number): GgufValue => ['f32', n]

function common(architecture: string, s: Shape): Record<string, GgufValue> {
  const tokens = Array.from({ length: s.vocabulary }, (_, i) => `<t${i}>`)
  return {
    'general.architecture': ['string', architecture],
    'general.name': ['string', 'bench'],
    [`${architecture}.block_count`]: u32(s.layers),
    [`${architecture}.context_length`]: u32(65_536),
    [`${architecture}.embedding_length`]: u32(s.width),
    [`${architecture}.feed_forward_length`]: u32(s.feedForward),
    [`${architecture}.vocab_size`]: u32(s.vocabulary),
    [`${architecture}.attention.head_count`]: u32(s.heads),
    [`${architecture}.attention.layer_norm_rms_epsilon`]: f32(1e-6),
    [`${architecture}.rope.freq_base`]: f32(10_000),
    'tokenizer.ggml.model': ['string', 'gpt2'],
    'tokenizer.ggml.pre': ['string', 'gpt-2'],
    'tokenizer.ggml.tokens': ['array', 'string', tokens],
    'tokenizer.ggml.token_type': ['array', 'i32', tokens.map(() => 1)],
    'tokenizer.ggml.merges': ['array', 'string', ['a b']],
    'tokenizer.ggml.bos_token_id': u32(1),
    'tokenizer.ggml.eos_token_id': u32(2),
  }
}

/** Names as llama.cpp has them; `layer` gives a layer's own tensors. */
function tensors(s: Shape, layer: (i: number) => readonly RandomTensor[]): RandomTensor[] {
  const around: RandomTensor[] = [
    { name: 'token_embd.weight', ne: [s.width, s.vocabulary], type: s.type },
    { name: 'output_norm.weight', ne: [s.width], type: 'f32' },
    { name: 'output.weight', ne: [s.width, s.vocabulary], type: s.type },
  ]
  const layers = Array.from({ length: s.layers }, (_, i) =>
    [norm('attn_norm', s.width), norm('ffn_norm', s.width), ...layer(i)].map(t => ({
      ...t,
      name: `blk.${i}.${t.name}.weight`,
    })),
  )
  return [...around, ...layers.flat()]
}

const norm = (name: string, width: number): RandomTensor => ({ name, ne: [width], type: 'f32' })

function matrix({ type }: Shape, name: string, ...ne: number[]): RandomTensor {
  return { name, ne, type }
}

function denseMlp(s: Shape): RandomTensor[] {
  const { width, feedForward } = s
  return [
    matrix(s, 'ffn_gate', width, feedForward),
    matrix(s, 'ffn_up', width, feedForward),
    matrix(s, 'ffn_down', feedForward, width),
  ]
}

function expertMlp(s: Shape, { count, shared, width }: Experts): RandomTensor[] {
  return [
    { name: 'ffn_gate_inp', ne: [s.width, count], type: 'f32' },
    matrix(s, 'ffn_gate_exps', s.width, width, count),
    matrix(s, 'ffn_up_exps', s.width, width, count),
    matrix(s, 'ffn_down_exps', width, s.width, count),
    matrix(s, 'ffn_gate_shexp', s.width, width * shared),
    matrix(s, 'ffn_up_shexp', s.width, width * shared),
    matrix(s, 'ffn_down_shexp', width * shared, s.width),
  ]
}

/** deepseek2: dense, or with experts in all layers but the first. */
function latentModel(s: Shape, qRank: number | null, experts: Experts | null): RandomModel {
  const { latent: C, rope: R, nope: N, value: V } = LATENT
  const { width: D, heads: H } = s
  const query =
    qRank === null
      ? [matrix(s, 'attn_q', D, H * (N + R))]
      : [matrix(s, 'attn_q_a', D, qRank), norm('attn_q_a_norm', qRank), matrix(s, 'attn_q_b', qRank, H * (N + R))]
  const attention = [
    ...query,
    matrix(s, 'attn_kv_a_mqa', D, C + R),
    norm('attn_kv_a_norm', C),
    matrix(s, 'attn_k_b', N, C, H),
    matrix(s, 'attn_v_b', C, V, H),
    matrix(s, 'attn_output', H * V, D),
  ]
  const key = (name: string) => `deepseek2.${name}`
  const metadata = {
    ...common('deepseek2', s),
    [key('attention.head_count_kv')]: u32(1),
    [key('attention.kv_lora_rank')]: u32(C),
    [key('rope.dimension_count')]: u32(R),
    [key('attention.key_length')]: u32(C + R),
    [key('attention.value_length')]: u32(C),
    [key('attention.key_length_mla')]: u32(N + R),
    [key('attention.value_length_mla')]: u32(V),
    [key('leading_dense_block_count')]: u32(experts ? 1 : s.layers),
    [key('expert_shared_count')]: u32(experts?.shared ?? 0),
    [key('expert_feed_forward_length')]: u32(experts?.width ?? s.feedForward),
    // Without it ik_llama.cpp refuses dense models, too.
    [key('expert_weights_scale')]: f32(1),
    ...(qRank !== null && { [key('attention.q_lora_rank')]: u32(qRank) }),
    ...(experts && {
      [key('expert_count')]: u32(experts.count),
      [key('expert_used_count')]: u32(experts.active),
    }),
  }
  const mlp = (i: number) => (experts && i > 0 ? expertMlp(s, experts) : denseMlp(s))
  return { metadata, tensors: tensors(s, i => [...attention, ...mlp(i)]) }
}

function groupedModel(s: Shape, kvHeads: number): RandomModel {
  const headDim = s.width / s.heads
  const layer = [
    matrix(s, 'attn_q', s.width, s.width),
    matrix(s, 'attn_k', s.width, kvHeads * headDim),
    matrix(s, 'attn_v', s.width, kvHeads * headDim),
    matrix(s, 'attn_output', s.width, s.width),
    ...denseMlp(s),
  ]
  const metadata = {
    ...common('llama', s),
    'llama.attention.head_count_kv': u32(kvHeads),
    'llama.rope.dimension_count': u32(headDim),
  }
  return { metadata, tensors: tensors(s, () => layer) }
}

/**
 * The same with tokens that are single bytes, so that texts can be its prompts. Two zero bytes are one token too: a vocabulary
 * needs a merge, and programs differ in what they do with one whose result is no token.
 */
function withBytes({ metadata, tensors }: RandomModel, vocabulary: number): RandomModel {
  const zero = BYTE_TO_CHAR[0] as string
  const texts = [...BYTE_TO_CHAR, zero + zero]
  const tokens = Array.from({ length: vocabulary }, (_, i) => texts[i - FIRST_BYTE] ?? `<t${i}>`)
  const names: RandomModel['metadata'] = {
    'tokenizer.ggml.tokens': ['array', 'string', tokens],
    'tokenizer.ggml.merges': ['array', 'string', [`${zero} ${zero}`]],
  }
  return { metadata: { ...metadata, ...names }, tensors }
}

const DENSE = { layers: 8, width: 2048, heads: 16, feedForward: 5632, vocabulary: 32_000, type: 'q8_0' } as const
const LITE = { layers: 27, width: 2048, heads: 16, feedForward: 10_944, vocabulary: 102_400, type: 'q4_0' } as const

export const SHAPES: Readonly<Record<string, { readonly what: string; readonly make: () => RandomModel }>> = {
  'mla-q8': { what: 'MLA, dense, latent 512 + 64, 531 MB', make: () => latentModel(DENSE, 768, null) },
  'mla-q8-bytes': {
    what: 'the same, and reads texts byte by byte',
    make: () => withBytes(latentModel(DENSE, 768, null), DENSE.vocabulary),
  },
  'gqa-q8': { what: 'its llama twin, 4 key/value heads', make: () => groupedModel(DENSE, 4) },
  'lite-q4': {
    what: "DeepSeek-V2-Lite's shape, 64 experts, 9 GB",
    make: () => latentModel(LITE, null, { count: 64, active: 6, shared: 2, width: 1408 }),
  },
}
