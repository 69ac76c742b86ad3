/**
 * The planner's view of a config.json, wider than what the engine runs: a model is described by the fields it has,
 * not by its name. Only what decides bytes and multiplications is read.
 */
import { ConfigReader } from '../../checkpoint/config-reader.ts'
import { ConfigError, UnsupportedModelError } from '../../errors.ts'
import { layerCount, mergeKinds, type PlanModel } from '../plan-model.ts'
import { readAttention } from './json-attention.ts'
import { first, firstInt, HEADS, HIDDEN, SIZE } from './json-fields.ts'
import { readLayers } from './json-layers.ts'
import { readTraits } from './json-traits.ts'

/** `json`: the parsed config.json. `file`: its path or name, for messages. Throws ConfigError or UnsupportedModelError. */
export function planModelFromJson(json: unknown, file = 'config.json', name?: string): PlanModel {
  const top = new ConfigReader(json, file)
  const raw = textPart(top)
  const modelType = raw.optionalString('model_type') ?? top.optionalString('model_type') ?? ''
  refuseOthers(raw, modelType)
  const { learnedPositions, notes: assumed, ...traits } = readTraits(raw, modelType)
  const { attention, indexer } = readAttention(raw, modelType)
  const layers = mergeKinds(readLayers(raw, modelType, attention, indexer))
  const draft = raw.int('num_nextn_predict_layers', { max: 64, default: 0 })
  const last = layers.at(-1)
  const positions = first(raw, ['max_position_embeddings', 'n_positions', 'max_seq_len'])
  const { dtype, notes } = weightDtype(top, raw)
  const nLayers = layerCount(layers)
  return {
    name: name ?? (raw.optionalString('_name_or_path') || modelType || `a model of ${nLayers} layers`),
    source: file,
    modelType,
    hiddenSize: firstInt(raw, HIDDEN, SIZE),
    vocabSize: raw.int('vocab_size', SIZE),
    maxPositions: positions ? raw.int(positions, { min: 1, max: 2 ** 40 }) : null,
    layers,
    draftLayers: draft > 0 && last ? [{ ...last, count: draft }] : [],
    ...traits,
    learnedPositions: learnedPositions && positions ? raw.int(positions, SIZE) : 0,
    weightDtype: dtype,
    stored: null,
    notes: [...assumed, ...notes],
  }
}

/** Models that see or hear keep their language model's fields one level down. */
function textPart(top: ConfigReader): ConfigReader {
  for (const key of ['text_config', 'language_config', 'llm_config']) {
    const part = typeof top.raw(key) === 'object' ? top.optionalObject(key) : undefined
    if (part && first(part, ['num_hidden_layers', 'hidden_size'])) return part
  }
  return top
}

function refuseOthers(raw: ConfigReader, modelType: string): void {
  const name = JSON.stringify(modelType.slice(0, 60))
  const refuse = (why: string): never => {
    throw new UnsupportedModelError(`${raw.file}: ${why}`)
  }
  if (modelType === 'deepseek_v4' || raw.has('compress_ratios')) {
    refuse(compressedAttention(name))
  }
  if (raw.optionalBool('is_encoder_decoder')) {
    refuse(`${name} is an encoder-decoder, whose cache depends on two lengths; latentkit plans decoders.`)
  }
  const types = raw.raw('layer_types')
  const linear = Array.isArray(types) && types.some(t => /linear|mamba|recurrent|conv|ssm/.test(String(t)))
  const mark = first(raw, [
    'linear_attn_config',
    'full_attention_interval',
    'mamba_d_state',
    'mamba_num_heads',
    'ssm_state_size',
    'state_size',
    'attn_layer_period',
    'block_types',
  ])
  if (linear || mark) {
    refuse(
      `${name} has layers that keep a state of fixed size instead of keys (${mark ?? 'layer_types'}); ` +
        'latentkit plans models in which every layer attends.',
    )
  }
  if (!first(raw, HEADS)) {
    throw new ConfigError(
      `${raw.file}: there are no attention fields; expected num_attention_heads (with num_key_value_heads where heads ` +
        'share keys, or kv_lora_rank and qk_rope_head_dim for MLA), as in the config.json that the hub has beside the weights.',
    )
  }
}

export function compressedAttention(name: string): string {
  return (
    `${name} has no kv_lora_rank but compressed sparse attention (compress_ratios), whose cache follows other rules; ` +
    'latentkit plans MLA, MHA, GQA and MQA, among them DeepSeek-V2, V3 and V3.2.'
  )
}

/** The type of the published weights; quantisations of others are named, not counted. */
function weightDtype(top: ConfigReader, raw: ConfigReader): { readonly dtype: string; readonly notes: string[] } {
  const written = first(raw, ['torch_dtype', 'dtype']) ? raw : top
  const named = written.optionalString('torch_dtype') ?? written.optionalString('dtype')
  const dtype = { float32: 'f32', float16: 'f16' }[named ?? ''] ?? 'bf16'
  const method = (
    top.optionalObject('quantization_config') ?? raw.optionalObject('quantization_config')
  )?.optionalString('quant_method')
  if (method === 'fp8' || method === 'mxfp4') return { dtype: method, notes: [] }
  if (method === undefined) return { dtype, notes: [] }
  return {
    dtype,
    notes: [`The file is quantised with ${JSON.stringify(method.slice(0, 40))}; its weights are counted as ${dtype}.`],
  }
}
