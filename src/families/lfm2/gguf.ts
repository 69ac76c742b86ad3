/** LFM2 in llama.cpp's files. */
import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { Architecture } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { addHeadsByLayer, attendingOf, layerTypes, neededState, stateLayers } from '../gguf/states.ts'

const WINDOW = '{arch}.attention.sliding_window'
const CAUSAL = '{arch}.attention.causal'

export const lfm2: Architecture = {
  name: 'lfm2',
  naming: {
    // The final norm's name is a mistake that stayed.
    model: { token_embd: 'model.embed_tokens', token_embd_norm: 'model.embedding_norm', output: 'lm_head' },
    layer: 'model.layers.{layer}.',
    inLayer: {
      attn_norm: 'operator_norm',
      attn_q: 'self_attn.q_proj',
      attn_k: 'self_attn.k_proj',
      attn_v: 'self_attn.v_proj',
      attn_q_norm: 'self_attn.q_layernorm',
      attn_k_norm: 'self_attn.k_layernorm',
      attn_output: 'self_attn.out_proj',
      'shortconv.in_proj': 'conv.in_proj',
      'shortconv.conv': 'conv.conv',
      'shortconv.out_proj': 'conv.out_proj',
      ffn_norm: 'ffn_norm',
      ffn_gate: 'feed_forward.w1',
      ffn_up: 'feed_forward.w3',
      ffn_down: 'feed_forward.w2',
    },
  },
  shownAttention: attendingOf,
  addKeys(keys, config) {
    addHeadsByLayer(keys, config)
    keys.u32('{arch}.shortconv.l_cache', neededState(keys, config, 'convolution').kernel)
  },
  config(model) {
    refuseOtherAttention(model.metadata)
    const { rms_norm_eps: eps, ...base } = groupedConfig(model)
    return {
      ...base,
      model_type: 'lfm2',
      norm_eps: eps,
      layer_types: layerTypes(stateLayers(model, 'shortconv.conv.weight'), 'conv'),
      conv_L_cache: model.metadata.int('{arch}.shortconv.l_cache', { min: 1, max: 32 }),
      conv_bias: false,
      // The width is that of the files.
      block_auto_adjust_ff_dim: false,
    }
  },
}

/** llama.cpp takes both from any file of this architecture. */
function refuseOtherAttention(m: Metadata): void {
  if (m.optionalInt(WINDOW)) m.fail(WINDOW, 'none: lfm2 whose layers see a window is not supported')
  if (m.optionalBool(CAUSAL) === false) m.fail(CAUSAL, 'true: lfm2 whose tokens see later ones is not supported')
}
