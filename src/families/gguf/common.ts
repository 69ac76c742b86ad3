/** Settings that most architectures share. */

import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import { specialId } from '../../checkpoint/gguf/vocabulary.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import type { ModelConfig } from '../../nn/config.ts'
import type { GgufModel } from './architecture.ts'
import { CONTEXT, EPS, HEADS, LAYERS, SIZE } from './ranges.ts'
import { ropeSettings } from './rope.ts'

/** Sizes of a decoder, its tokens, its rope: what nearly every config.json has. `intermediate`: where layers have several widths of MLPs. */
export function decoderConfig(model: GgufModel, { intermediate }: { readonly intermediate?: number } = {}): JsonObject {
  const { metadata: m, tensors } = model
  const predictions = m.optionalInt('{arch}.nextn_predict_layers') ?? 0
  return {
    vocab_size: vocabularySize(model),
    hidden_size: m.int('{arch}.embedding_length', SIZE),
    num_hidden_layers: m.int('{arch}.block_count', LAYERS) - predictions,
    ...(predictions > 0 && { num_nextn_predict_layers: predictions }),
    num_attention_heads: headCount(m),
    intermediate_size:
      intermediate ??
      m.optionalSameInt('{arch}.feed_forward_length', SIZE) ??
      m.missing('{arch}.feed_forward_length', 'an integer'),
    max_position_embeddings: m.int('{arch}.context_length', CONTEXT),
    rms_norm_eps: m.number('{arch}.attention.layer_norm_rms_epsilon', EPS),
    hidden_act: 'silu',
    attention_bias: hasAny(tensors, /^blk\.\d+\.attn_output\.bias$/),
    mlp_bias: hasAny(tensors, /^blk\.\d+\.ffn_up\.bias$/),
    tie_word_embeddings: !tensors.has('output.weight'),
    ...ropeSettings(model),
    ...tokenSettings(m),
  }
}

function hasAny(tensors: GgufModel['tensors'], names: RegExp): boolean {
  return [...tensors.keys()].some(name => names.test(name))
}

/** The same with key-value heads of their own. */
export function groupedConfig(model: GgufModel, options?: { readonly intermediate?: number }): JsonObject {
  const { metadata: m } = model
  const heads = headCount(m)
  const headDim = m.optionalInt('{arch}.attention.key_length', SIZE)
  const valueDim = m.optionalInt('{arch}.attention.value_length', SIZE)
  const dim = headDim ?? m.int('{arch}.embedding_length', SIZE) / heads
  if (valueDim !== undefined && valueDim !== dim) {
    m.fail('{arch}.attention.value_length', `${dim}, the length of the keys`)
  }
  const rotated = m.optionalInt('{arch}.rope.dimension_count') ?? dim
  return {
    ...decoderConfig(model, options),
    num_key_value_heads: keyValueHeads(m) ?? heads,
    ...(headDim !== undefined && { head_dim: headDim }),
    ...(rotated !== dim && { partial_rotary_factor: rotated / dim }),
  }
}

/** One number, or one for each layer, 0 for those that carry a state. */
function keyValueHeads(m: Metadata): number | undefined {
  const key = '{arch}.attention.head_count_kv'
  if (typeof m.raw(key) !== 'object') return m.optionalInt(key, HEADS)
  const attending = new Set((m.optionalInts(key, { max: HEADS.max }) ?? []).filter(heads => heads > 0))
  return attending.size === 1 ? [...attending][0] : m.fail(key, 'an integer, or a list that repeats one')
}

export function headCount(m: Metadata): number {
  return (
    m.optionalSameInt('{arch}.attention.head_count', HEADS) ?? m.missing('{arch}.attention.head_count', 'an integer')
  )
}

/** The embedding's rows: `vocab_size` is not always there, and a tokenizer may have fewer. */
export function vocabularySize({ metadata: m, tensors }: GgufModel): number {
  return tensors.get('token_embd.weight')?.shape[0] ?? m.int('{arch}.vocab_size', SIZE)
}

/** What ends a turn, where a file's keys name only what ends a text (files made before the key existed). */
const ENDS_OF_TURN = ['<|eot_id|>', '<|im_end|>', '<end_of_turn>']
const CONTROL = 3

/** Ids that begin and end texts. */
export function tokenSettings(m: Metadata): JsonObject {
  const id = (name: string) => specialId(m, name)
  const tokens = m.optionalStrings('tokenizer.ggml.tokens') ?? []
  // A vocabulary that is missing is said where it is read.
  const length = tokens.length || undefined
  const types = m.optionalInts('tokenizer.ggml.token_type', { ...(length && { length }), min: -1 }) ?? []
  const byName = ENDS_OF_TURN.map(token => tokens.indexOf(token)).filter(i => i >= 0 && types[i] === CONTROL)
  const ends = [id('eos'), id('eot'), id('eom'), ...byName].filter(i => i !== undefined)
  const bos = id('bos')
  return { ...(bos !== undefined && { bos_token_id: bos }), eos_token_id: [...new Set(ends)] }
}

/** For code of the hub whose own default is no row of the embedding. */
export function padToken(m: Metadata): JsonObject {
  return { pad_token_id: specialId(m, 'padding') ?? null }
}

/** Width of the dense layers; where there are none, llama.cpp wants a number all the same. */
export function denseSize({ layers }: ModelConfig): number {
  const sizes = layers.map(({ mlp }) => (mlp.kind === 'dense' ? mlp.size : mlp.expertSize))
  return sizes[layers.findIndex(({ mlp }) => mlp.kind === 'dense')] ?? (sizes[0] as number)
}
