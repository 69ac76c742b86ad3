/** What a checkpoint is, without loading its weights: for `latentkit inspect` and for planning memory. */

import { homedir } from 'node:os'
import { basename, resolve } from 'node:path'
import { stateBytes } from '../cache/layout.ts'
import { type CacheTypeName, rowTypes } from '../cache/types.ts'
import type { Checkpoint } from '../checkpoint/checkpoint.ts'
import { resolveModel } from '../checkpoint/find/resolve-model.ts'
import { FIND_OPTIONS } from '../checkpoint/find-options.ts'
import { hubSettings } from '../checkpoint/hub/options.ts'
import { embeddingInfo, embeddingSettings } from '../embedding/settings.ts'
import { generationDefaults, generationFile } from '../engine/load/generation-defaults.ts'
import { samplingDefaults } from '../engine/load/sampling-defaults.ts'
import { readName } from '../engine/types/arguments.ts'
import type { LoadOptions } from '../engine/types/options/load.ts'
import { LOAD_OPTIONS } from '../engine/types/options/load.ts'
import type { EmbeddingInfo, SamplingDefaults } from '../engine/types/results.ts'
import { type SurveyedWeight, surveyWeights, unusedTensors } from '../model/load.ts'
import { biasWarnings } from '../model/load-warnings.ts'
import { openModel } from '../model/open/open-model.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'
import { type AttentionConfig, cacheElements } from '../nn/attention/config.ts'
import { modelCacheLayout } from '../nn/cache-layout.ts'
import { attends, expertsOf, type ModelConfig } from '../nn/config.ts'
import { list, type OptionTable, whole } from '../options/kinds.ts'
import { readOptions } from '../options/read-options.ts'
import { sentence } from '../printable.ts'
import { DTYPE_BYTES, isScaled } from '../tensor/dtype.ts'

/** Options of `inspectModel`. */
export interface InspectOptions extends Pick<LoadOptions, 'cacheType' | 'offline' | 'hub' | 'signal' | 'onProgress'> {
  /** Token counts to report the cache's bytes for. Default: the model's own context, 4,096, 32,768 and 131,072. */
  readonly contexts?: readonly number[]
}

const INSPECT_OPTIONS = {
  ...FIND_OPTIONS,
  cacheType: LOAD_OPTIONS.cacheType,
  contexts: { kind: list(whole(1), 'token counts'), description: "token counts to tell the cache's bytes for" },
} satisfies OptionTable<InspectOptions>

/** Result of `inspectModel`. */
export interface Inspection {
  /** The last part of a folder's path, or the name that was given. */
  readonly name: string
  /** Path of the folder or GGUF file. */
  readonly folder: string
  /** The validated config.json. */
  readonly config: ModelConfig
  /** Numbers of weights. */
  readonly parameters: {
    /** All weights that the model uses. */
    readonly total: number
    /** Weights that one token uses: fewer than all with a mixture of experts. */
    readonly active: number
  }
  /** Types and bytes in the files. */
  readonly weights: {
    /** Bytes in the files of the tensors that the model uses, FP8 scales included. */
    readonly bytes: number
    /** All tensors of the files by type, most bytes first. */
    readonly dtypes: readonly DTypeSummary[]
  }
  /** How it makes vectors of texts (`engine.embed`). */
  readonly embedding: EmbeddingInfo
  /** Cache memory for some contexts; an encoder has no cache: 0 bytes, and no contexts. */
  readonly cache: CacheNeeds
  /** How tokens are drawn if a prompt sets no sampling options. */
  readonly sampling: SamplingDefaults
  /** All tensors of the files, in their order. */
  readonly tensors: readonly TensorSummary[]
  /** Tensors of the files that plain decoding has a reason to leave out, as those of multi-token prediction. */
  readonly leftOut: readonly string[]
  /** Other tensors of the files that the model does not use. */
  readonly unused: readonly string[]
  /** Oddities of the files that do no harm; one sentence each. */
  readonly warnings: readonly string[]
}

/** The tensors of one type in a checkpoint. */
export interface DTypeSummary {
  /** The type's name in the files: `BF16`, `F8_E4M3`, `Q4_K` … */
  readonly dtype: string
  /** Number of tensors. */
  readonly tensors: number
  /** Numbers in these tensors. */
  readonly elements: number
  /** Bytes in the files. */
  readonly bytes: number
}

/** One tensor of a checkpoint. */
export interface TensorSummary {
  /** Name in the file. */
  readonly name: string
  /** The type's name in the file. */
  readonly dtype: string
  /** Rows first. */
  readonly shape: readonly number[]
  /** Bytes in the file. */
  readonly bytes: number
  /** Name of the file, without its folder. */
  readonly file: string
  /** Whether the model uses the tensor. */
  readonly used: boolean
}

/** Cache memory that a model needs. */
export interface CacheNeeds {
  /** Type of the cached numbers. */
  readonly type: CacheTypeName
  /**
   * Numbers cached per token and layer: C + R for a latent, keys and values of the kv heads otherwise. The mean, where layers
   * differ.
   */
  readonly elementsPerTokenAndLayer: number
  /** In all layers. */
  readonly bytesPerToken: number
  /** Of an encoder-decoder, what cross-attention keeps of a token of the source, in all layers; else 0. */
  readonly sourceBytesPerToken: number
  /** The same model with keys and values of every head in the cache, as MHA has them. */
  readonly expanded: {
    /** Keys and values of all query heads. */
    readonly elementsPerTokenAndLayer: number
    /** In all layers. */
    readonly bytesPerToken: number
  }
  /** Rows only; what sliding windows have passed is freed. */
  readonly contexts: readonly {
    /** Tokens of one sequence. */
    readonly tokens: number
    /** Bytes of the cache. */
    readonly bytes: number
    /** The same with keys and values of every head. */
    readonly expandedBytes: number
    /** Whether `tokens` exceeds the model's context. */
    readonly beyondModel: boolean
  }[]
}

const DEFAULT_CONTEXTS = [4096, 32_768, 131_072]

/** Reads config.json and the headers of the weights. Throws CheckpointError, ConfigError, UnsupportedModelError. */
export async function inspectModel(source: string, given: InspectOptions = {}): Promise<Inspection> {
  const options = readOptions<InspectOptions>(INSPECT_OPTIONS, 'inspectModel', given)
  const { cacheType = 'f16', contexts, signal } = options
  const folder = await resolveModel(readName(source, 'source'), hubOptions(options))
  signal?.throwIfAborted()
  const model = await openModel(folder, { tokenizer: false })
  const { checkpoint, config } = model
  const survey = await surveyWeights(model)
  signal?.throwIfAborted()
  const { generationConfig } = checkpoint
  const defaults = generationDefaults(config, {
    config: generationConfig,
    file: generationFile(checkpoint),
    eosId: undefined,
    modelConfig: checkpoint.config,
  })
  return {
    name: folder === source ? basename(resolve(folder)) : source,
    folder,
    config,
    parameters: countParameters(survey, config),
    weights: { bytes: usedBytes(checkpoint), dtypes: summariseDTypes(checkpoint) },
    embedding: embeddingInfo(embeddingSettings(config, checkpoint.embedding, config.maxPositions)),
    cache: cacheNeeds(config, cacheType, contexts ?? defaultContexts(config)),
    sampling: samplingDefaults(defaults.sampling),
    ...listTensors(model),
    warnings: [...checkpoint.warnings, ...defaults.warnings, ...biasWarnings(model, survey)].map(warning =>
      sentence(warning),
    ),
  }
}

function hubOptions({ hub, offline, signal, onProgress }: InspectOptions) {
  return {
    ...hubSettings({}, homedir()),
    ...hub,
    ...(offline && { offline }),
    ...(signal && { signal }),
    ...(onProgress && { onProgress }),
  }
}

function countParameters(survey: readonly SurveyedWeight[], config: ModelConfig): Inspection['parameters'] {
  const size = ({ rows, cols }: SurveyedWeight) => rows * cols
  const ofExperts = sum(
    survey.filter(w => w.ofExpert),
    size,
  )
  const total = sum(survey, size)
  // Experts of one model are of one kind in every family known.
  const [moe] = expertsOf(config)
  const unread = moe ? Math.round(ofExperts * (1 - moe.topK / (moe.nExperts + (moe.idle ?? 0)))) : 0
  return { total, active: total - unread }
}

/** After the survey: of the tensors that it asked for. */
function usedBytes(checkpoint: Checkpoint): number {
  const unasked = new Set(checkpoint.unused())
  const used = [...checkpoint.tensors.values()].filter(({ name }) => !unasked.has(name))
  return sum(used, ({ bytes }) => bytes.length)
}

function summariseDTypes(checkpoint: Checkpoint): DTypeSummary[] {
  const byType = new Map<string, DTypeSummary>()
  for (const { dtype, shape, bytes } of checkpoint.tensors.values()) {
    const sofar = byType.get(dtype) ?? { dtype, tensors: 0, elements: 0, bytes: 0 }
    byType.set(dtype, {
      dtype,
      tensors: sofar.tensors + 1,
      elements: sofar.elements + shape.reduce((n, d) => n * d, 1),
      bytes: sofar.bytes + bytes.length,
    })
  }
  return [...byType.values()].sort((a, b) => b.bytes - a.bytes)
}

/** After the survey: what it did not ask for is not used. */
function listTensors(model: OpenedModel): Pick<Inspection, 'tensors' | 'leftOut' | 'unused'> {
  const { checkpoint } = model
  const unasked = new Set(checkpoint.unused())
  const unused = new Set(unusedTensors(model))
  return {
    tensors: [...checkpoint.tensors.values()].map(({ name, dtype, shape, bytes: { source, length } }) => {
      return { name, dtype, shape, bytes: length, file: basename(source.name), used: !unasked.has(name) }
    }),
    leftOut: [...unasked].filter(name => !unused.has(name)),
    unused: [...unused],
  }
}

function cacheNeeds(
  { layers, maxPositions, encoder }: ModelConfig,
  type: CacheTypeName,
  contexts: readonly number[],
): CacheNeeds {
  const nothing = { elementsPerTokenAndLayer: 0, bytesPerToken: 0 }
  if (encoder) return { type, ...nothing, sourceBytesPerToken: 0, expanded: nothing, contexts: [] }
  const each = layers.map(({ attention, window }) => {
    if (!attends(attention)) return { window, rowBytes: 0, expandedRowBytes: 0 }
    // Keys and values of heads have no scales.
    const { second } = rowTypes(type, attention.kind)
    return {
      window,
      rowBytes: modelCacheLayout([{ attention, window: null }], type, 1).bytesPerToken,
      expandedRowBytes: expandedElements(attention) * DTYPE_BYTES[isScaled(second) ? 'bf16' : second],
    }
  })
  const layout = modelCacheLayout(layers, type, 1)
  const states = stateBytes(layout)
  const bytes = (tokens: number, kind: 'rowBytes' | 'expandedRowBytes') =>
    sum(each, layer => Math.min(tokens, layer.window ?? tokens) * layer[kind])
  const elements = (of: (a: AttentionConfig) => number) =>
    sum(layers, ({ attention }) => (attends(attention) ? of(attention) : 0)) / layers.length
  return {
    type,
    elementsPerTokenAndLayer: elements(cacheElements),
    bytesPerToken: bytes(1, 'rowBytes'),
    sourceBytesPerToken: layout.sourceBytesPerToken,
    expanded: {
      elementsPerTokenAndLayer: elements(expandedElements),
      bytesPerToken: bytes(1, 'expandedRowBytes'),
    },
    contexts: contexts.map(tokens => ({
      tokens,
      bytes: states + bytes(tokens, 'rowBytes'),
      expandedBytes: states + bytes(tokens, 'expandedRowBytes'),
      beyondModel: tokens > maxPositions,
    })),
  }
}

function defaultContexts({ maxPositions, trainedPositions = maxPositions }: ModelConfig): number[] {
  return [...new Set([trainedPositions, ...DEFAULT_CONTEXTS])].sort((a, b) => a - b)
}

/** A key and a value for each query head. */
function expandedElements(a: AttentionConfig): number {
  return a.nHeads * (a.kind === 'latent' ? a.qkNopeHeadDim + a.qkRopeHeadDim + a.vHeadDim : 2 * a.headDim)
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((n, item) => n + of(item), 0)
}
