/** Nomic's encoders in llama.cpp's files. */
import type { Architecture } from '../gguf/architecture.ts'
import { headCount, tokenSettings, vocabularySize } from '../gguf/common.ts'
import { CONTEXT, EPS, LAYERS, SIZE } from '../gguf/ranges.ts'
import { ropeSettings } from '../gguf/rope.ts'

export const nomicBert: Architecture = {
  name: 'nomic-bert',
  naming: {
    model: {
      token_embd: 'embeddings.word_embeddings',
      token_types: 'embeddings.token_type_embeddings',
      token_embd_norm: 'emb_ln',
    },
    layer: 'encoder.layers.{layer}.',
    inLayer: {
      attn_qkv: 'attn.Wqkv',
      attn_output: 'attn.out_proj',
      attn_output_norm: 'norm1',
      ffn_up: 'mlp.fc11',
      ffn_gate: 'mlp.fc12',
      ffn_down: 'mlp.fc2',
      layer_output_norm: 'norm2',
    },
  },
  config(model) {
    const { metadata: m, tensors } = model
    if (m.optionalBool('{arch}.attention.causal') ?? false) m.fail('{arch}.attention.causal', 'false')
    return {
      model_type: 'nomic_bert',
      vocab_size: vocabularySize(model),
      hidden_size: m.int('{arch}.embedding_length', SIZE),
      num_hidden_layers: m.int('{arch}.block_count', LAYERS),
      num_attention_heads: headCount(m),
      intermediate_size: m.int('{arch}.feed_forward_length', SIZE),
      max_position_embeddings: m.int('{arch}.context_length', CONTEXT),
      layer_norm_eps: m.number('{arch}.attention.layer_norm_epsilon', EPS),
      hidden_act: 'silu',
      type_vocab_size: tensors.get('token_types.weight')?.shape[0] ?? 0,
      ...ropeSettings(model),
      ...tokenSettings(m),
    }
  },
}
