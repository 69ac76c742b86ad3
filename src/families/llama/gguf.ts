/** Llama, Mistral, SmolLM2 and others under the name `llama`; Qwen2, Qwen3. */
import { UnsupportedModelError } from '../../errors.ts'
import { ATTENTION, MLP, QKV } from '../biases.ts'
import type { Architecture, GgufModel } from '../gguf/architecture.ts'
import { groupedConfig } from '../gguf/common.ts'
import { DECODER } from '../gguf/naming.ts'

/** Its files have the rows of q and k permuted, so that rope turns neighbours. */
export const llama: Architecture = {
  name: 'llama',
  interleaves: true,
  ropeDivisors: 'one',
  biases: [
    { modules: ATTENTION, single: true },
    { modules: MLP, single: true },
  ],
  warnings({ layers }) {
    const window = layers.find(layer => layer.window !== null)?.window
    if (!window) return []
    return [`llama.cpp knows no sliding window in models of this kind: beyond ${window} tokens it differs`]
  },
  naming: DECODER,
  config(model) {
    refuseExperts(model)
    const window = model.metadata.optionalInt('{arch}.attention.sliding_window')
    return {
      ...groupedConfig(model),
      ...(window ? { model_type: 'mistral', sliding_window: window } : { model_type: 'llama' }),
      rope_interleave: true,
    }
  },
}

export const qwen2: Architecture = {
  name: 'qwen2',
  biases: [
    { modules: QKV, always: true },
    { modules: /^lm_head$/, single: true },
  ],
  naming: DECODER,
  config: model => ({ ...groupedConfig(model), model_type: 'qwen2' }),
}

export const qwen3: Architecture = {
  name: 'qwen3',
  naming: DECODER,
  config: model => ({ ...groupedConfig(model), model_type: 'qwen3' }),
}

/** Mixtral. */
function refuseExperts({ metadata: m }: GgufModel): void {
  const experts = m.optionalInt('{arch}.expert_count') ?? 0
  if (experts === 0) return
  throw new UnsupportedModelError(`${m.file} is a llama with ${experts} experts; latentkit runs dense ones`)
}
