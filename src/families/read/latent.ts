import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { LatentAttentionConfig } from '../../nn/attention/config.ts'
import { type RopeConfig, yarnSoftmaxFactor } from '../../nn/attention/rope.ts'
import { evenDim, HEADS, SIZE } from './common.ts'
import { readRope } from './rope.ts'

/** transformers and DeepSeek's own code leave these norms at their default, whatever `rms_norm_eps` says. */
const LATENT_NORM_EPS = 1e-6

/** The sizes of MLA, recognised by its own fields. */
export function readLatentAttention(
  raw: ConfigReader,
  defaults: { readonly interleaved: boolean; readonly theta?: number },
): { readonly attention: LatentAttentionConfig; readonly rope: RopeConfig } {
  const nHeads = raw.int('num_attention_heads', HEADS)
  const qkRopeHeadDim = evenDim(raw, 'qk_rope_head_dim', raw.int('qk_rope_head_dim', { min: 2, max: 1 << 16 }))
  const qkNopeHeadDim = raw.int('qk_nope_head_dim', SIZE)
  const rope = readRope(raw, {
    dim: qkRopeHeadDim,
    interleaved: raw.bool('rope_interleave', { default: defaults.interleaved }),
    ...(defaults.theta && { theta: defaults.theta }),
  })
  const attention: LatentAttentionConfig = {
    kind: 'latent',
    nHeads,
    qLoraRank: raw.optionalInt('q_lora_rank', SIZE) ?? null,
    kvLoraRank: raw.int('kv_lora_rank', SIZE),
    qkNopeHeadDim,
    qkRopeHeadDim,
    vHeadDim: raw.int('v_head_dim', SIZE),
    softmaxScale: (qkNopeHeadDim + qkRopeHeadDim) ** -0.5 * yarnSoftmaxFactor(rope.scaling),
    latentNormEps: LATENT_NORM_EPS,
  }
  return { attention, rope }
}
