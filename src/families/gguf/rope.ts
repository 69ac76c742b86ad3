/** `{arch}.rope.*` as the hub's `rope_theta` and `rope_scaling`. */

import type { Metadata } from '../../checkpoint/gguf/metadata.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { yarnMscale } from '../../nn/attention/rope.ts'
import type { GgufModel } from './architecture.ts'
import { CONTEXT, POSITIVE } from './ranges.ts'

/** Zero counts as none. */
const FACTOR = { max: 1e6 } as const

export function ropeSettings(model: GgufModel): JsonObject {
  const scaling = ropeScaling(model)
  return {
    rope_theta: model.metadata.optionalNumber('{arch}.rope.freq_base', { above: 1, max: 1e12 }) ?? 10_000,
    ...(scaling && { rope_scaling: scaling }),
  }
}

function ropeScaling({ metadata: m, ropeTensors }: GgufModel): JsonObject | undefined {
  // Old files have a linear factor under a key of its own, and no type.
  const legacy = m.optionalNumber('{arch}.rope.scale_linear', FACTOR)
  const factor = m.optionalNumber('{arch}.rope.scaling.factor', FACTOR) || legacy || 1
  const kind = m.optionalString('{arch}.rope.scaling.type') ?? (factor === 1 ? 'none' : 'linear')
  const original = m.optionalInt('{arch}.rope.scaling.original_context_length', CONTEXT)
  const { frequencies, long, short } = ropeTensors
  if (long && short) {
    return {
      rope_type: 'longrope',
      long_factor: long,
      short_factor: short,
      original_max_position_embeddings: original ?? m.int('{arch}.context_length', CONTEXT),
      ...attentionFactor(m),
    }
  }
  switch (kind) {
    case 'none':
      return frequencies && { rope_type: 'factors', factors: frequencies }
    case 'linear':
      if (frequencies) return { rope_type: 'factors', factors: frequencies.map(f => f * factor) }
      return factor === 1 ? undefined : { rope_type: 'linear', factor }
    case 'yarn':
      if (frequencies) m.fail('{arch}.rope.scaling.type', '"none" or "linear" in a file with rope_freqs.weight')
      return {
        rope_type: 'yarn',
        factor,
        ...(original !== undefined && { original_max_position_embeddings: original }),
        ...optional('beta_fast', m.optionalNumber('{arch}.rope.scaling.yarn_beta_fast', POSITIVE)),
        ...optional('beta_slow', m.optionalNumber('{arch}.rope.scaling.yarn_beta_slow', POSITIVE)),
        ...yarnAttentionFactor(m, factor),
      }
    default:
      return m.fail('{arch}.rope.scaling.type', '"none", "linear", "yarn", or "longrope" with its tensors of factors')
  }
}

const ATTENTION_FACTOR = '{arch}.rope.scaling.attn_factor'

function attentionFactor(m: Metadata): JsonObject {
  return optional('attention_factor', m.optionalNumber(ATTENTION_FACTOR, POSITIVE))
}

/** llama.cpp multiplies cos and sin by this and by what YaRN takes without it. */
function yarnAttentionFactor(m: Metadata, factor: number): JsonObject {
  const besides = m.optionalNumber(ATTENTION_FACTOR, POSITIVE)
  return besides === undefined ? {} : { attention_factor: besides * yarnMscale(factor, 1) }
}

function optional(key: string, value: number | undefined): JsonObject {
  return value === undefined ? {} : { [key]: value }
}
