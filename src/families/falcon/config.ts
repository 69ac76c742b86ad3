/** Falcon-7B and its like (arXiv 2311.16867): one key-value head, attention and MLP side by side behind one norm. */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { ALL } from '../biases.ts'
import type { Family } from '../family.ts'
import { layerNormEps, readActivation } from '../read/common.ts'
import { readRope } from '../read/rope.ts'
import { runnable } from '../runnable.ts'
import { falcon as gguf } from './gguf.ts'
import * as traits from './traits.ts'

export const falcon: Family = {
  traits: traits.falcon,
  gguf,
  hubClass: 'FalconForCausalLM',
  hubBiases: [{ modules: ALL, key: 'bias' }],
  names: {
    prefixes: ['transformer.', ''],
    embedding: 'word_embeddings',
    finalNorm: 'ln_f',
    output: 'lm_head',
    layer: 'h.{layer}.',
    attentionNorm: 'input_layernorm',
    attention: { qkv: ['self_attention.query_key_value'], out: 'self_attention.dense' },
    mlp: { up: 'mlp.dense_h_to_4h', down: 'mlp.dense_4h_to_h' },
  },
  config(raw, model) {
    refuseOtherFalcons(raw)
    return runnable(raw, model, {
      attention: 'grouped',
      eps: layerNormEps(raw),
      activation: readActivation(raw, 'activation', 'gelu'),
      blockOrder: 'parallel',
      ropes: dim => [readRope(raw, { dim, interleaved: false })],
    })
  },
}

/** Three architectures share the name; only the one of 7B is run. */
function refuseOtherFalcons(raw: ConfigReader): void {
  const refuse = (what: string) => {
    throw new UnsupportedModelError(
      `${raw.file}: this Falcon has ${what}; latentkit runs the ones like Falcon-7B (multi_query, parallel_attn, rope).`,
    )
  }
  if (raw.bool('alibi', { default: false })) refuse('alibi positions')
  if (raw.bool('new_decoder_architecture', { default: false })) refuse('the new decoder architecture')
  if (!raw.bool('multi_query', { default: true })) refuse('no multi-query attention')
  if (!raw.bool('parallel_attn', { default: true })) refuse('attention and MLP one after the other')
}
