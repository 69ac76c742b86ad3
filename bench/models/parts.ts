/** What the work models' shapes have in common, in llama.cpp's names. */
import type { GgufValue } from '../../test/support/gguf-writer.ts'
import type { RandomTensor } from './write-model.ts'

export interface Shape {
  readonly layers: number
  readonly width: number
  readonly heads: number
  readonly feedForward: number
  readonly vocabulary: number
  readonly type: 'q4_0' | 'q8_0'
}

export interface Experts {
  readonly count: number
  readonly active: number
  readonly shared: number
  readonly width: number
}

export const u32 = (n: number): GgufValue => ['u32', n]
export const f32 = (n: number): GgufValue => ['f32', n]

export function common(architecture: string, s: Shape): Record<string, GgufValue> {
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
export function tensors(s: Shape, layer: (i: number) => readonly RandomTensor[]): RandomTensor[] {
  const around: RandomTensor[] = [
    { name: 'token_embd.weight', ne: [s.width, s.vocabulary], type: s.type },
    { name: 'output_norm.weight', ne: [s.width], type: 'f32' },
    { name: 'output.weight', ne: [s.width, s.vocabulary], type: s.type },
  ]
  const layers = Array.from({ length: s.layers }, (_, i) =>
    [norm('attn_norm', s.width), norm('ffn_norm', s.width), ...layer(i)].map(t => ({
      ...t,
      name: `blk.${i}.${t.name}`,
    })),
  )
  return [...around, ...layers.flat()]
}

/** Of f32, by its whole name. */
export const numbers = (name: string, ...ne: number[]): RandomTensor => ({ name, ne, type: 'f32' })

export const norm = (name: string, width: number): RandomTensor => numbers(`${name}.weight`, width)

export function matrix({ type }: Shape, name: string, ...ne: number[]): RandomTensor {
  return { name: `${name}.weight`, ne, type }
}

export function denseMlp(s: Shape): RandomTensor[] {
  const { width, feedForward } = s
  return [
    matrix(s, 'ffn_gate', width, feedForward),
    matrix(s, 'ffn_up', width, feedForward),
    matrix(s, 'ffn_down', feedForward, width),
  ]
}

export function expertMlp(s: Shape, { count, shared, width }: Experts): RandomTensor[] {
  return [
    numbers('ffn_gate_inp.weight', s.width, count),
    matrix(s, 'ffn_gate_exps', s.width, width, count),
    matrix(s, 'ffn_up_exps', s.width, width, count),
    matrix(s, 'ffn_down_exps', width, s.width, count),
    ...(shared > 0
      ? [
          matrix(s, 'ffn_gate_shexp', s.width, width * shared),
          matrix(s, 'ffn_up_shexp', s.width, width * shared),
          matrix(s, 'ffn_down_shexp', width * shared, s.width),
        ]
      : []),
  ]
}
