/** Encoders in llama.cpp's files: BERT with its pooler and classifier, where the file has them. */
import { ALL } from '../biases.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { headCount, tokenSettings, vocabularySize } from '../gguf/common.ts'
import { CONTEXT, EPS, LAYERS, SIZE } from '../gguf/ranges.ts'

const AROUND = {
  token_embd: 'embeddings.word_embeddings',
  position_embd: 'embeddings.position_embeddings',
  token_types: 'embeddings.token_type_embeddings',
  token_embd_norm: 'embeddings.LayerNorm',
  cls: 'pooler.dense',
  'cls.output': 'classifier',
}

export const bert: Architecture = {
  name: 'bert',
  biases: [{ modules: ALL, always: true }],
  naming: {
    model: AROUND,
    layer: 'encoder.layer.{layer}.',
    inLayer: {
      attn_q: 'attention.self.query',
      attn_k: 'attention.self.key',
      attn_v: 'attention.self.value',
      attn_output: 'attention.output.dense',
      attn_output_norm: 'attention.output.LayerNorm',
      ffn_up: 'intermediate.dense',
      ffn_down: 'output.dense',
      layer_output_norm: 'output.LayerNorm',
    },
  },
  config(model) {
    const { metadata: m, tensors } = model
    if (m.optionalBool('{arch}.attention.causal') ?? false) m.fail('{arch}.attention.causal', 'false')
    // Of BERT itself, llama.cpp's converter drops the layer before the scores: without it, they would be others.
    const scores = tensors.has('cls.weight') ? tensors.get('cls.output.weight')?.shape[0] : undefined
    return {
      model_type: 'bert',
      vocab_size: vocabularySize(model),
      hidden_size: m.int('{arch}.embedding_length', SIZE),
      num_hidden_layers: m.int('{arch}.block_count', LAYERS),
      num_attention_heads: headCount(m),
      intermediate_size: m.int('{arch}.feed_forward_length', SIZE),
      max_position_embeddings: tensors.get('position_embd.weight')?.shape[0] ?? m.int('{arch}.context_length', CONTEXT),
      layer_norm_eps: m.number('{arch}.attention.layer_norm_epsilon', EPS),
      hidden_act: 'gelu',
      type_vocab_size: tensors.get('token_types.weight')?.shape[0] ?? 0,
      ...(scores !== undefined && {
        architectures: ['BertForSequenceClassification'],
        id2label: Object.fromEntries(Array.from({ length: scores }, (_, i) => [i, `LABEL_${i}`])),
      }),
      ...tokenSettings(m),
    }
  },
}
