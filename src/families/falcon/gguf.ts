/** Falcon in llama.cpp's files. */
import type { Architecture } from '../gguf/architecture.ts'
import { headCount, tokenSettings, vocabularySize } from '../gguf/common.ts'
import { CONTEXT, EPS, LAYERS, SIZE } from '../gguf/ranges.ts'
import { ropeSettings } from '../gguf/rope.ts'

export const falcon: Architecture = {
  name: 'falcon',
  naming: {
    model: {
      token_embd: 'transformer.word_embeddings',
      output_norm: 'transformer.ln_f',
      output: 'lm_head',
    },
    layer: 'transformer.h.{layer}.',
    inLayer: {
      attn_norm: 'input_layernorm',
      attn_qkv: 'self_attention.query_key_value',
      attn_output: 'self_attention.dense',
      ffn_up: 'mlp.dense_h_to_4h',
      ffn_down: 'mlp.dense_4h_to_h',
    },
  },
  config(model) {
    const { metadata: m, tensors } = model
    return {
      model_type: 'falcon',
      vocab_size: vocabularySize(model),
      hidden_size: m.int('{arch}.embedding_length', SIZE),
      num_hidden_layers: m.int('{arch}.block_count', LAYERS),
      num_attention_heads: headCount(m),
      ffn_hidden_size: m.int('{arch}.feed_forward_length', SIZE),
      max_position_embeddings: m.int('{arch}.context_length', CONTEXT),
      layer_norm_epsilon: m.number('{arch}.attention.layer_norm_epsilon', EPS),
      multi_query: (m.optionalSameInt('{arch}.attention.head_count_kv') ?? 1) === 1,
      new_decoder_architecture: tensors.has('blk.0.attn_norm_2.weight'),
      bias: tensors.has('blk.0.attn_qkv.bias'),
      tie_word_embeddings: !tensors.has('output.weight'),
      ...ropeSettings(model),
      ...tokenSettings(m),
    }
  },
}
