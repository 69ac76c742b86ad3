/** Hunyuan, dense (0.5B to 7B): norms over each head of q and k behind rope, whose base a fixed `alpha` stretches. */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { RopeConfig } from '../../nn/attention/rope.ts'
import { ATTENTION } from '../biases.ts'
import type { Family } from '../family.ts'
import { GROUPED, HUB_NAMES } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { readRope } from '../read/rope.ts'
import { runnable } from '../runnable.ts'
import { hunyuanDense as gguf } from './gguf.ts'
import * as traits from './traits.ts'

export const hunyuanDense: Family = {
  traits: traits.hunyuanDense,
  gguf,
  hubClass: 'HunYuanDenseV1ForCausalLM',
  hubBiases: [{ modules: ATTENTION, key: 'attention_bias' }],
  names: {
    ...HUB_NAMES,
    attention: { ...GROUPED, queryNorm: 'self_attn.query_layernorm', keyNorm: 'self_attn.key_layernorm' },
  },
  config(raw, model) {
    if (raw.bool('use_cla', { default: false })) {
      throw new UnsupportedModelError(`${raw.file}: "use_cla" (layers that read the keys of others) is not supported.`)
    }
    if (!raw.bool('use_qk_norm', { default: true })) raw.fail('use_qk_norm', 'true: its code norms q and k always')
    return runnable(raw, model, {
      ...groupedArithmetic(raw, { eps: 1e-5 }),
      ropes: dim => [stretched(raw, dim)],
      qkNorm: 'late',
    })
  },
}

/** "dynamic" with an `alpha` is fixed all the same: only the base grows, by alpha^(dim / (dim - 2)). */
function stretched(raw: ConfigReader, dim: number): RopeConfig {
  const settings = raw.optionalObject('rope_parameters') ?? raw.optionalObject('rope_scaling')
  const kind = settings?.optionalString('rope_type') ?? settings?.optionalString('type')
  const alpha = settings?.optionalNumber('alpha', { min: 0, max: 1e9 })
  if (kind !== 'dynamic' || !alpha) return readRope(raw, { dim, interleaved: false })
  const range = { min: 1, max: 1e12, exclusiveMin: true } as const
  const theta = settings?.optionalNumber('rope_theta', range) ?? raw.number('rope_theta', { ...range, default: 10_000 })
  return { dim, theta: theta * alpha ** (dim / (dim - 2)), interleaved: false, scaling: { kind: 'none' } }
}
