import { OptionError } from '../../errors.ts'
import { LATENT_NORM_EPS } from '../../nn/attention/config.ts'
import type { EncodableType } from '../../quant/numbers.ts'
import { settleBiases } from '../biases.ts'
import { forLatentEps } from '../constant-norm.ts'
import { checkRoom, type OutputOptions } from '../output.ts'
import type { SourceModel } from '../source-model.ts'
import { summarise, type Written } from '../written.ts'
import { hubConfig, hubGenerationConfig } from './config.ts'
import { type HubType, planHubTensors } from './plan-tensors.ts'
import { tokenizerFiles } from './tokenizer.ts'
import { writeFolder } from './write-folder.ts'
import { safetensorsHeader, shardIndex, shardTensors, writeSafetensors } from './write-safetensors.ts'

export interface HubOptions {
  readonly weights?: EncodableType
  /** Bytes of tensors in one file. Default 5 GB, as on the hub. */
  readonly shardBytes?: number
  /** Further files, by name. Default: none. */
  readonly texts?: ReadonlyMap<string, string>
}

const SHARD_BYTES = 5e9
/** Files that belong to a model: one of an earlier model beside the new ones would be read with them. */
const OF_A_MODEL =
  /^(model(-\d+-of-\d+)?\.safetensors(\.index\.json)?|(generation_|tokenizer_)?config\.json|tokenizer\.json|chat_template\.(jinja|json))$/

/** A model as a folder of the hub's files, and how to write it. */
export function prepareFolder(given: SourceModel, { weights, shardBytes = SHARD_BYTES, texts: more }: HubOptions) {
  const source = forLatentEps(given, LATENT_NORM_EPS)
  const type = hubType(weights)
  const { modelType } = source.config
  const settled = settleBiases(source.weights, source.family.hubBiases ?? [], `transformers' ${modelType}`)
  const model = { ...source, weights: settled.weights }
  const tensors = planHubTensors(model, type)
  const shards = shardTensors(tensors, shardBytes)
  const types = summarise(tensors)
  const texts = new Map([
    ['config.json', withFloats(json(hubConfig(model, type ?? (types[0]?.type as HubType), settled.settings)))],
    ['generation_config.json', json(hubGenerationConfig(model))],
    ...tokenizerFiles(model.checkpoint),
    ...(more ?? []),
    ...(shards.length > 1 ? [['model.safetensors.index.json', json(shardIndex(shards))] as const] : []),
  ])
  const bytes =
    shards.reduce((sum, shard) => sum + safetensorsHeader(shard.tensors).length, 0) +
    tensors.reduce((sum, tensor) => sum + tensor.bytes, 0) +
    [...texts.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  return {
    bytes,
    warnings: [],
    write: async (folder: string, options: OutputOptions): Promise<Written> => {
      await checkRoom(folder, bytes)
      const files = await writeFolder(folder, OF_A_MODEL, options, async open => {
        for (const shard of shards) await writeSafetensors(await open(shard.file), shard.tensors)
        for (const [name, text] of texts) await (await open(name)).write(new TextEncoder().encode(text))
      })
      return { files, types }
    },
  }
}

/** Throws OptionError for types that safetensors do not hold. */
export function hubType(weights: EncodableType | undefined): HubType | undefined {
  if (weights === undefined || weights === 'f32' || weights === 'f16' || weights === 'bf16') return weights
  throw new OptionError(`weights is ${JSON.stringify(weights)}; safetensors folders and adapters hold f32, f16 or bf16`)
}

/** JSON's numbers have one kind, Python's two, and transformers refuses an integer for these. */
const FLOATS =
  /("(?:routed_scaling_factor|rope_theta|rope_local_base_freq|factor|mscale|mscale_all_dim|kda_lower_bound)": -?\d+)(?=,?\n)/g

/** A text of JSON as transformers takes it. */
export function withFloats(text: string): string {
  return text.replace(FLOATS, '$1.0')
}

/** As Python writes it: NaN and Infinity are numbers there. */
function json(value: object): string {
  const marked = (_: string, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? `${MARK}${v}` : v)
  return `${JSON.stringify(value, marked, 2).replace(MARKED, '$1')}\n`
}

const MARK = '\u0000'
const MARKED = /"\\u0000(NaN|-?Infinity)"/g
