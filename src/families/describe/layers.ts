/** Which layers have windows, which have experts, and which keep a state instead of keys. */
import type { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { AttentionShape, DenseShape, LayerDescriptor, MoeShape, StateShape } from '../descriptor.ts'
import type { Traits } from '../traits.ts'
import { readIndexers } from './attention.ts'
import { COUNT, first, firstInt, HIDDEN, optionalFirstInt, SIZE } from './fields.ts'

const LAYERS = ['num_hidden_layers', 'n_layer', 'num_layers']

export function countLayers(raw: ConfigReader): number {
  // LongCat's layers are two each, and its code gives num_hidden_layers their double.
  const names = raw.has('expert_ffn_hidden_size') ? ['num_layers'] : LAYERS
  return firstInt(raw, names, { min: 1, max: 4096 })
}

/** Empty where the file has none. */
export function layerTypes(raw: ConfigReader): string[] {
  const types = raw.raw('layer_types')
  return Array.isArray(types) ? types.map(String) : []
}

type ByLayer<T> = (layer: number) => T

export function readLayers(
  raw: ConfigReader,
  modelType: string,
  traits: Traits,
  attention: AttentionShape,
  states: ByLayer<StateShape | null>,
): LayerDescriptor[] {
  const nLayers = countLayers(raw)
  const types = layerTypes(raw)
  if (types.length > 0 && types.length < nLayers) raw.fail('layer_types', `a type for each of the ${nLayers} layers`)
  const windows = readWindows(raw, modelType, traits, nLayers)
  const indexers = readIndexers(raw, nLayers)
  const moe = readMoe(raw, modelType, traits)
  const sparse = moe ? sparseLayers(raw, nLayers, traits) : () => false
  const dense = readDense(raw, modelType, moe)
  return Array.from({ length: nLayers }, (_, i): LayerDescriptor => {
    const mlp = moe && sparse(i) ? moe : dense
    const state = states(i)
    if (state) return { attention: state, window: null, indexer: null, mlp }
    return { attention, window: windows(i), indexer: indexers(i), mlp }
  })
}

const WINDOW = { min: 1, max: 2 ** 40 } as const

function readWindows(raw: ConfigReader, modelType: string, traits: Traits, nLayers: number): ByLayer<number | null> {
  const written = raw.optionalInt('sliding_window', WINDOW)
  const absent = raw.keys().includes('sliding_window') ? null : (traits.window ?? null)
  const used = raw.bool('use_sliding_window', { default: !/^(qwen|glm|smollm3)/.test(modelType) })
  const window = used ? (written ?? absent) : null
  const chunk = raw.optionalInt('attention_chunk_size', WINDOW) ?? null
  if (window === null && chunk === null) return () => null
  const types = raw.optionalStrings('layer_types', { length: nLayers })
  if (types) return i => (types[i] === 'sliding_attention' ? window : types[i] === 'chunked_attention' ? chunk : null)
  if (window === null) return () => null
  const pattern = optionalFirstInt(raw, ['sliding_window_pattern', '_sliding_window_pattern'], COUNT)
  const every = pattern ?? traits.windowPattern
  if (every) return i => ((i + 1) % every === 0 ? null : window)
  if (modelType === 'smollm3') {
    const rotates = readRotatedLayers(raw, nLayers)
    return i => (rotates(i) ? null : window)
  }
  const from = /^qwen(?!3_moe)/.test(modelType) ? raw.int('max_window_layers', { default: 28 }) : 0
  return i => (i >= from ? window : null)
}

/** Which layers have rotary positions, of SmolLM3: a list of 1 and 0, or all but every nth. */
export function readRotatedLayers(raw: ConfigReader, nLayers: number): ByLayer<boolean> {
  const listed = raw.optionalInts('no_rope_layers', { max: 1 })
  if (listed && listed.length < nLayers) raw.fail('no_rope_layers', `a 1 or 0 for each of the ${nLayers} layers`)
  if (listed) return i => listed[i] === 1
  const every = raw.int('no_rope_layer_interval', { ...COUNT, default: 4 })
  return i => (i + 1) % every !== 0
}

function readDense(raw: ConfigReader, modelType: string, moe: MoeShape | null): DenseShape {
  const hidden = firstInt(raw, HIDDEN, SIZE)
  const key = first(raw, ['block_ff_dim', 'intermediate_size', 'ffn_hidden_size', 'n_inner', 'ffn_dim'])
  const fourfold = /^(gpt|openai-gpt|falcon|RefinedWeb)/.test(modelType) || moe !== null
  if (key || !fourfold) return { kind: 'dense', size: raw.int(key ?? 'intermediate_size', SIZE) }
  return { kind: 'dense', size: 4 * hidden }
}

function readMoe(raw: ConfigReader, modelType: string, traits: Traits): MoeShape | null {
  const nExperts = optionalFirstInt(raw, ['n_routed_experts', 'num_local_experts', 'num_experts'], {
    min: 0,
    max: 1 << 16,
  })
  if (!nExperts) return null
  const absent = raw.keys().includes('n_shared_experts') ? 0 : (traits.sharedExperts ?? 0)
  const expertSize = firstInt(raw, ['moe_intermediate_size', 'expert_ffn_hidden_size', 'intermediate_size'], SIZE)
  const shared = optionalFirstInt(raw, ['n_shared_experts', 'num_shared_experts'], { min: 0, max: 1 << 12 }) ?? absent
  const sharedSize = raw.optionalInt('moe_shared_expert_intermediate_size', SIZE) ?? expertSize
  const method = raw.optionalString('topk_method') ?? (modelType === 'deepseek_v2' ? 'greedy' : 'noaux_tc')
  const bias = raw.optionalBool('moe_router_enable_expert_bias') ?? traits.selectionBias
  return {
    kind: 'moe',
    nExperts,
    topK: firstInt(raw, ['num_experts_per_tok', 'num_experts_per_token', 'moe_topk', 'top_k_experts'], {
      min: 1,
      max: nExperts + raw.int('zero_expert_num', { max: 1 << 16, default: 0 }),
    }),
    expertSize,
    sharedSize: raw.optionalInt('shared_expert_intermediate_size', SIZE) ?? shared * sharedSize,
    // Only families after DeepSeek have it.
    selectionBias: bias ?? (raw.has('n_routed_experts') && method === 'noaux_tc'),
  }
}

function sparseLayers(
  raw: ConfigReader,
  nLayers: number,
  { firstDense: usual = 0, expertsEverywhere }: Traits,
): ByLayer<boolean> {
  if (expertsEverywhere) return () => true
  const types = raw.optionalStrings('mlp_layer_types', { length: nLayers })
  if (types) return i => types[i] === 'sparse'
  const firstDense = raw.int('first_k_dense_replace', { max: 1 << 16, default: usual })
  // A few write out which layers have experts.
  if (Array.isArray(raw.raw('moe_layer_freq'))) {
    const experts = raw.optionalInts('moe_layer_freq', { length: nLayers, max: 1 }) ?? []
    return i => experts[i] === 1
  }
  const frequency = raw.int('moe_layer_freq', { ...COUNT, default: 1 })
  const step = raw.int('decoder_sparse_step', { ...COUNT, default: 1 })
  const dense = new Set(raw.optionalInts('mlp_only_layers') ?? [])
  return i => i >= firstDense && i % frequency === 0 && (i + 1) % step === 0 && !dense.has(i)
}
