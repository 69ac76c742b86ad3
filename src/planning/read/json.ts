/** The planner's view of a config.json. */
import { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { UnsupportedModelError } from '../../errors.ts'
import { first, typeByArchitecture } from '../../families/describe/fields.ts'
import type { Unknown } from '../../families/descriptor.ts'
import { completeText, describeModel, traitsOf } from '../../families/index.ts'
import { printable, sentence } from '../../printable.ts'
import { mergeKinds, type PlanModel } from '../plan-model.ts'
import { unknownFields } from './unknown-fields.ts'

/** `json`: the parsed config.json. `file`: its path or name, for messages. Throws ConfigError or UnsupportedModelError. */
export function planModelFromJson(json: unknown, file = 'config.json', name?: string): PlanModel {
  const top = new ConfigReader(json, file)
  const raw = textPart(top)
  const named = raw.optionalString('model_type') ?? top.optionalString('model_type')
  const modelType = named ?? typeByArchitecture(raw.raw('architectures')) ?? ''
  const family = traitsOf(modelType)
  if (family?.encoder) throw new UnsupportedModelError(isEncoder(file, modelType))
  const { layers, draftLayers, source, own = [], unknown: doubts = [], ...shape } = describeModel(raw, modelType)
  const { dtype, unknown: quantised } = weightDtype(top, raw)
  const fields = unknownFields(top, raw, modelType, { named: family !== undefined })
  const unknown = shownSafely([...(family ? [] : [unknownFamily(modelType)]), ...doubts, ...fields, ...quantised])
  const tied = raw.has('tie_word_embeddings') ? undefined : top.optionalBool('tie_word_embeddings')
  const called = name ?? (raw.optionalString('_name_or_path') || modelType || `a model of ${layers.length} layers`)
  return {
    ...shape,
    ...(tied !== undefined && { tiedEmbeddings: tied }),
    ...mergeKinds(layers),
    draftLayers: mergeKinds(draftLayers).layers,
    ...(source && { encoder: { ...source, layers: mergeKinds(source.layers).layers } }),
    ...(own.length > 0 && { own }),
    ...(unknown.length > 0 && { unknown }),
    name: printable(called).slice(0, 200),
    source: file,
    modelType: printable(modelType.slice(0, 100)),
    weightDtype: dtype,
    stored: null,
    notes: [],
  }
}

function isEncoder(file: string, modelType: string): string {
  return (
    `${file}: ${JSON.stringify(modelType)} is an encoder, which keeps no cache and writes no tokens; latentkit plans models that ` +
    'write. It needs its weights (latentkit inspect has their bytes) and room for 1,024 tokens of a batch.'
  )
}

function unknownFamily(modelType: string): Unknown {
  const name = JSON.stringify(modelType.slice(0, 60))
  const reason = `${name} is not known here: the cache follows from its fields, the weights are counted as if its blocks were like Llama’s`
  return { field: 'model_type', affects: 'weights', reason }
}

/** More than any real file has; a list that goes on and on tells no one anything. */
const MAX_UNKNOWN = 32

/** Names come from the file. */
function shownSafely(unknown: readonly Unknown[]): Unknown[] {
  const shown = unknown
    .slice(0, MAX_UNKNOWN)
    .map(u => ({ ...u, field: printable(u.field.slice(0, 80)), reason: sentence(u.reason) }))
  const left = unknown.length - shown.length
  return left === 0
    ? shown
    : [...shown, { field: `${left} more fields`, affects: 'both', reason: 'they are not understood' }]
}

/** Models that see or hear keep their language model's fields one level down. */
function textPart(top: ConfigReader): ConfigReader {
  for (const key of ['text_config', 'language_config', 'llm_config']) {
    const part = typeof top.raw(key) === 'object' ? top.optionalObject(key) : undefined
    if (!part || !first(part, ['num_hidden_layers', 'hidden_size'])) continue
    const text = completeText(top.raw(key) as JsonObject, part.optionalString('model_type') ?? '')
    return new ConfigReader({ [key]: text }, top.file).object(key)
  }
  return top
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
