/** Layers that carry a state in place of keys, in llama.cpp's files. */
import type { GgufKeys } from '../../checkpoint/gguf/keys.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { AttentionConfig } from '../../nn/attention/config.ts'
import { attends, type ModelConfig } from '../../nn/config.ts'
import type { StateConfig } from '../../nn/states/config.ts'
import type { GgufModel } from './architecture.ts'
import { LAYERS } from './ranges.ts'

/** Which layers do, of those before modules of multi-token prediction: by a tensor that only they have. */
export function stateLayers({ metadata: m, tensors }: GgufModel, tensor: string): boolean[] {
  const count = m.int('{arch}.block_count', LAYERS) - (m.optionalInt('{arch}.nextn_predict_layers') ?? 0)
  return Array.from({ length: Math.max(count, 0) }, (_, i) => tensors.has(`blk.${i}.${tensor}`))
}

/** As the hub lists them. */
export function layerTypes(states: readonly boolean[], state: 'linear_attention' | 'conv'): string[] {
  return states.map(is => (is ? state : 'full_attention'))
}

export function attendingOf({ layers }: ModelConfig): AttentionConfig | undefined {
  return layers.map(layer => layer.attention).find(attends)
}

/** Writing: of the layers that carry a state, the first's. */
export function stateOf<Kind extends StateConfig['kind']>(
  { layers }: ModelConfig,
  kind: Kind,
): Extract<StateConfig, { readonly kind: Kind }> | undefined {
  return layers.map(layer => layer.attention).find(attention => attention.kind === kind) as never
}

/** Writing: the same, where a file has to say its sizes. Throws UnsupportedModelError for a model whose layers all attend. */
export function neededState<Kind extends StateConfig['kind']>(keys: GgufKeys, config: ModelConfig, kind: Kind) {
  const state = stateOf(config, kind)
  if (state) return state
  throw new UnsupportedModelError(
    `llama.cpp's architecture ${keys.architecture} has layers that carry a state, this model has none`,
  )
}

/** Writing: heads of keys layer by layer, 0 for those that carry a state, by which llama.cpp knows them. */
export function addHeadsByLayer(keys: GgufKeys, { layers }: ModelConfig): void {
  const heads = keys.entries.get(`${keys.architecture}.attention.head_count_kv`)?.value as number
  const own = layers.map(({ attention }) => (attends(attention) ? heads : 0))
  keys.numbers('{arch}.attention.head_count_kv', 'u32', forAllBlocks(keys, own, heads))
}

/** A value for each of the model's layers, and `further` for modules of multi-token prediction, which llama.cpp counts as layers. */
export function forAllBlocks<T>(keys: GgufKeys, layers: readonly T[], further: T): T[] {
  const blocks = keys.entries.get(`${keys.architecture}.block_count`)?.value as number
  return [...layers, ...Array<T>(blocks - layers.length).fill(further)]
}

/** Of Kimi Delta Attention, whose heads llama.cpp takes for as many as attend. */
export function addKimiDeltaKeys(keys: GgufKeys, config: ModelConfig): void {
  const state = stateOf(config, 'delta')
  keys.u32('{arch}.ssm.conv_kernel', state?.kernel)
  keys.u32('{arch}.kda.head_dim', state?.keyDim)
  addHeadsByLayer(keys, config)
}

/** Where llama.cpp's Kimi Delta Attention expects more than files say. */
export function kimiDeltaWarnings(config: ModelConfig): string[] {
  const [state, attention] = [stateOf(config, 'delta'), attendingOf(config)]
  if (!state || !attention || state.nHeads === attention.nHeads) return []
  return [
    `llama.cpp will not load this file: it expects as many heads that carry a state as attend, and there are ${state.nHeads} and ${attention.nHeads}`,
  ]
}
