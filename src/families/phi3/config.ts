/** Phi-3 (arXiv 2404.14219), Phi-3.5, Phi-4 and Phi-4-mini: q, k and v in one matrix, gate and up in another, LongRoPE. */

import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import { quote } from '../../checkpoint/quote.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Family } from '../family.ts'
import { HUB_NAMES, JOINED_MLP } from '../names.ts'
import { groupedArithmetic } from '../read/grouped.ts'
import { runnable } from '../runnable.ts'
import { phi3 as gguf } from './gguf.ts'
import * as traits from './traits.ts'

export const phi3: Family = {
  traits: traits.phi3,
  gguf,
  hubClass: 'Phi3ForCausalLM',
  names: {
    ...HUB_NAMES,
    attention: { qkv: ['self_attn.qkv_proj'], out: 'self_attn.o_proj' },
    mlp: JOINED_MLP,
  },
  config(file, model) {
    const raw = file.withDefaults({ original_max_position_embeddings: 4096 })
    refuseOtherRopes(raw)
    return {
      ...runnable(raw, model, { ...groupedArithmetic(raw, { eps: 1e-5, rotary: 1 }), windows: true }),
      // Its code leaves attention_bias and mlp_bias alone.
      bias: { qkv: false, attentionOut: false, mlp: false },
    }
  },
}

/** Its code knows two, and takes "yarn" for an old name of LongRoPE. */
function refuseOtherRopes(raw: ConfigReader): void {
  const settings = raw.optionalObject('rope_parameters') ?? raw.optionalObject('rope_scaling')
  const kind = settings?.optionalString('rope_type') ?? settings?.optionalString('type') ?? 'default'
  if (['default', 'longrope', 'su'].includes(kind)) return
  throw new UnsupportedModelError(
    `${raw.file}: rope type ${quote(kind, 60)} is not supported in phi3; latentkit knows default and longrope there.`,
  )
}
