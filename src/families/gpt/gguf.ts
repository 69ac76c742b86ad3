/** GPT-2 in llama.cpp's files. */
import { ALL } from '../biases.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { headCount, tokenSettings, vocabularySize } from '../gguf/common.ts'
import { CONTEXT, EPS, LAYERS, SIZE } from '../gguf/ranges.ts'

export const gpt2: Architecture = {
  name: 'gpt2',
  biases: [{ modules: ALL, always: true }],
  naming: {
    model: {
      token_embd: 'transformer.wte',
      position_embd: 'transformer.wpe',
      output_norm: 'transformer.ln_f',
      output: 'lm_head',
    },
    layer: 'transformer.h.{layer}.',
    inLayer: {
      attn_norm: 'ln_1',
      attn_qkv: 'attn.c_attn',
      attn_output: 'attn.c_proj',
      ffn_norm: 'ln_2',
      ffn_up: 'mlp.c_fc',
      ffn_down: 'mlp.c_proj',
    },
  },
  config(model) {
    const { metadata: m, tensors } = model
    return {
      model_type: 'gpt2',
      vocab_size: vocabularySize(model),
      n_embd: m.int('{arch}.embedding_length', SIZE),
      n_layer: m.int('{arch}.block_count', LAYERS),
      n_head: headCount(m),
      n_inner: m.int('{arch}.feed_forward_length', SIZE),
      n_positions: m.int('{arch}.context_length', CONTEXT),
      layer_norm_epsilon: m.number('{arch}.attention.layer_norm_epsilon', EPS),
      tie_word_embeddings: !tensors.has('output.weight'),
      ...tokenSettings(m),
    }
  },
}
