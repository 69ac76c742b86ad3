/**
 * The planner's view of a config.json, wider than what the engine runs: a model is described by the fields it has,
 * not by its name. Only what decides bytes and multiplications is read.
 */
import { ConfigReader } from '../../checkpoint/config-reader.ts'
import { ConfigError, UnsupportedModelError } from '../../errors.ts'
import { printable, sentence } from '../../printable.ts'
import { isKnownFamily } from '../families.ts'
import { type LayerKind, layerCount, mergeKinds, type PlanModel, type Unknown } from '../plan-model.ts'
import { readAttention } from './json-attention.ts'
import { first, firstInt, HEADS, HIDDEN, optionalFirstInt, SIZE } from './json-fields.ts'
import { readLayers } from './json-layers.ts'
import { readStates } from './json-states.ts'
import { readTraits } from './json-traits.ts'
import { readVariant } from './json-variants.ts'
import { unknownFields } from './unknown-fields.ts'

/** `json`: the parsed config.json. `file`: its path or name, for messages. Throws ConfigError or UnsupportedModelError. */
export function planModelFromJson(json: unknown, file = 'config.json', name?: string): PlanModel {
  const top = new ConfigReader(json, file)
  const raw = textPart(top)
  const modelType = raw.optionalString('model_type') ?? top.optionalString('model_type') ?? ''
  refuseOthers(raw, modelType)
  const states = readStates(raw, modelType)
  requireHeads(raw)
  const { learnedPositions, unknown: family, ...traits } = readTraits(raw, modelType)
  const variant = readVariant(raw, modelType, readLayers(raw, modelType, readAttention(raw, modelType), states.of))
  const merged = mergeKinds(variant.layers)
  const draft = readDraft(raw)
  const last = variant.layers.findLast(l => l.attention.kind !== 'state')
  const positions = first(raw, ['max_position_embeddings', 'n_positions', 'max_seq_len'])
  const { dtype, unknown: quantised } = weightDtype(top, raw)
  const fields = unknownFields(top, raw, modelType, { named: isKnownFamily(modelType) })
  const unknown = shownSafely([...family, ...states.unknown, ...variant.unknown, ...fields, ...quantised])
  const nLayers = layerCount(merged.layers)
  return {
    name: printable(name ?? (raw.optionalString('_name_or_path') || modelType || `a model of ${nLayers} layers`)).slice(
      0,
      200,
    ),
    source: file,
    modelType: printable(modelType.slice(0, 100)),
    hiddenSize: firstInt(raw, HIDDEN, SIZE),
    vocabSize: raw.int('vocab_size', SIZE),
    maxPositions: positions ? raw.int(positions, { min: 1, max: 2 ** 40 }) : null,
    ...merged,
    draftLayers: draft > 0 && last ? [{ ...last, ...ownIndexer(last), count: draft }] : [],
    ...traits,
    ...(variant.own.length > 0 && { own: variant.own }),
    ...(unknown.length > 0 && { unknown }),
    learnedPositions: learnedPositions && positions ? raw.int(positions, SIZE) : 0,
    weightDtype: dtype,
    stored: null,
    notes: [],
  }
}

/** More than any real file has; a list that goes on and on tells no one anything. */
const MOST_UNKNOWN = 32

/** Names come from the file. */
function shownSafely(unknown: readonly Unknown[]): Unknown[] {
  const shown = unknown
    .slice(0, MOST_UNKNOWN)
    .map(u => ({ ...u, field: printable(u.field.slice(0, 80)), reason: sentence(u.reason) }))
  const left = unknown.length - shown.length
  return left === 0
    ? shown
    : [...shown, { field: `${left} more fields`, affects: 'both', reason: 'they are not understood' }]
}

/** Layers for multi-token prediction: DeepSeek's name, Qwen's. */
function readDraft(raw: ConfigReader): number {
  return optionalFirstInt(raw, ['num_nextn_predict_layers', 'mtp_num_hidden_layers'], { min: 0, max: 64 }) ?? 0
}

/** Such a layer chooses for itself. */
function ownIndexer({ indexer }: LayerKind): Pick<LayerKind, 'indexer'> {
  if (!indexer) return { indexer }
  const { shared: _, ...own } = indexer
  return { indexer: own }
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
}

function requireHeads(raw: ConfigReader): void {
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
function weightDtype(top: ConfigReader, raw: ConfigReader): { readonly dtype: string; readonly unknown: Unknown[] } {
  const written = first(raw, ['torch_dtype', 'dtype']) ? raw : top
  const named = written.optionalString('torch_dtype') ?? written.optionalString('dtype')
  const dtype = { float32: 'f32', float16: 'f16' }[named ?? ''] ?? 'bf16'
  const method = (
    top.optionalObject('quantization_config') ?? raw.optionalObject('quantization_config')
  )?.optionalString('quant_method')
  if (method === undefined || method === 'fp8' || method === 'mxfp4') {
    return { dtype: method ?? dtype, unknown: top.has('quantization') ? [mlx(dtype)] : [] }
  }
  const reason = `the file is quantised with ${JSON.stringify(method.slice(0, 40))}; its weights are counted as ${dtype}`
  return { dtype, unknown: [{ field: 'quantization_config', affects: 'weights', reason }] }
}

function mlx(dtype: string): Unknown {
  return {
    field: 'quantization',
    affects: 'weights',
    reason: `the file is quantised; its weights are counted as ${dtype}`,
  }
}
