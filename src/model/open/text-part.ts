/**
 * Models that see or hear, of which the language model is run by itself: its config.json stands inside theirs, and its tensors
 * have a prefix. They are opened as the language model alone.
 */
import { ConfigReader } from '../../checkpoint/config-reader.ts'
import type { JsonObject } from '../../checkpoint/json-file.ts'
import { quote } from '../../checkpoint/quote.ts'
import type { TensorEntry } from '../../checkpoint/tensor-entry.ts'
import { typeByArchitecture } from '../../families/describe/fields.ts'
import { completeText, FAMILIES } from '../../families/index.ts'

/** By `model_type`: that of the language model where its part does not say. */
const WRAPPERS: ReadonlyMap<string, string> = new Map(
  FAMILIES.flatMap(({ insideOf = [], traits }) =>
    insideOf.map(whole => [whole, traits.modelTypes[0] as string] as const),
  ),
)

/** Fields beside the parts that are of the language model too. */
const SHARED = [
  ...['quantization_config', 'torch_dtype', 'dtype', 'tie_word_embeddings', 'transformers_version'],
  ...['bos_token_id', 'eos_token_id', 'pad_token_id'],
]

const OUTPUT = 'lm_head.weight'

export interface TextPart {
  /** As a config.json of the language model alone would be. */
  readonly config: JsonObject
  /** The `model_type` of the whole; null: the file is of a language model anyway. */
  readonly wrapper: string | null
  /** The whole does not say that the output is no copy of the embedding. transformers looks there only, and takes nothing for true. */
  readonly mayTie: boolean
}

/** Throws ConfigError where a known wrapper has nothing inside. */
export function textPart(config: JsonObject, file: string): TextPart {
  const unnamed = config.model_type === undefined ? typeByArchitecture(config.architectures) : undefined
  if (unnamed !== undefined) return { config: { ...config, model_type: unnamed }, wrapper: null, mayTie: true }
  const type = config.model_type
  const inner = typeof type === 'string' ? WRAPPERS.get(type) : undefined
  if (typeof type !== 'string' || inner === undefined) return { config, wrapper: null, mayTie: true }
  new ConfigReader(config, file).object('text_config')
  const written = config.text_config as JsonObject
  const text = completeText(written, typeof written.model_type === 'string' ? written.model_type : inner)
  const given = Object.entries(text).filter(([, value]) => value !== null)
  const shared = SHARED.flatMap(key => (Object.hasOwn(config, key) ? [[key, config[key]] as const] : []))
  return {
    config: { model_type: inner, ...text, ...Object.fromEntries(shared), ...Object.fromEntries(given) },
    wrapper: type,
    mayTie: config.tie_word_embeddings !== false,
  }
}

/** The name without what stands for the language model in it; undefined: a tensor of another part. */
function textName(name: string): string | undefined {
  const [, published, saved] = /^(?:language_model\.(.*)|model\.language_model\.(.*))$/s.exec(name) ?? []
  if (published !== undefined) return published
  if (saved !== undefined) return `model.${saved}`
  return /^(lm_head|mtp)\./.test(name) ? name : undefined
}

export interface TextTensors {
  /** With `tie_word_embeddings` as the tensors have it, where the part and the whole say different things. */
  readonly config: JsonObject
  readonly tensors: ReadonlyMap<string, TensorEntry>
  readonly absent?: ReadonlyMap<string, string>
  /** What is left aside, in one sentence. */
  readonly warnings: readonly string[]
}

/** The language model's tensors under the names that it has by itself. */
export function textTensors(
  wrapper: string,
  { config, mayTie }: TextPart,
  tensors: ReadonlyMap<string, TensorEntry>,
  absent: ReadonlyMap<string, string> | undefined,
): TextTensors {
  const kept = new Map<string, TensorEntry>()
  const aside: TensorEntry[] = []
  for (const entry of tensors.values()) {
    const name = textName(entry.name)
    if (name === undefined) aside.push(entry)
    else kept.set(name, { ...entry, name })
  }
  const missing = new Map(
    [...(absent ?? [])].flatMap(([name, file]) => {
      const known = textName(name)
      return known === undefined ? [] : [[known, file] as const]
    }),
  )
  const bytes = aside.reduce((sum, { bytes }) => sum + bytes.length, 0)
  const parts = [...new Set(aside.map(({ name }) => name.replace(/^model\./, '').split('.')[0] as string))]
  const left =
    aside.length === 0
      ? ''
      : `; ${aside.length} tensors of other parts (${parts
          .slice(0, 4)
          .map(part => quote(part, 40))
          .join(', ')}), ` + `${bytes.toLocaleString('en-GB')} bytes, are left aside`
  const said = `Of ${quote(wrapper, 60)} the language model (text_config, ${quote(String(config.model_type), 60)}) is run, without pictures or sound${left}`
  const output = kept.has(OUTPUT) || missing.has(OUTPUT)
  const tied = config.tie_word_embeddings ?? false
  // What is neither true nor false is refused where it is read.
  const settled = typeof tied !== 'boolean' ? tied : output ? tied && mayTie : tied || mayTie
  return {
    config: { ...config, tie_word_embeddings: settled },
    tensors: kept,
    ...(absent && { absent: missing }),
    warnings: [said],
  }
}
