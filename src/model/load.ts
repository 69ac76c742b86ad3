import { listed } from '../checkpoint/quote.ts'
import type { WeightRole } from '../checkpoint/recode/weight-type.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import type { ModelConfig } from '../nn/config.ts'
import type { EncodableType } from '../quant/numbers.ts'
import { tensorAt } from '../tensor/tensor.ts'
import { type Adapters, Loader, type LoaderOptions, type Ready, type WeightKernels } from './load/loader.ts'
import { loadPredictionWeights, loadWeights } from './load/weights.ts'
import { Model, type ModelOptions } from './model.ts'
import type { OpenedModel } from './open/opened-model.ts'

export interface LoadModelOptions extends ModelOptions, LoaderOptions {
  /** Bytes of weights made ready, of all that the model needs. */
  readonly onProgress?: (tensor: string, loaded: number, total: number) => void
  readonly signal?: AbortSignal
}

/** Prepares a model's weights. The kernels stay the caller's to dispose of. */
export async function loadModel(opened: OpenedModel, kernels: Kernels, options: LoadModelOptions = {}): Promise<Model> {
  const { checkpoint, family, config } = opened
  const ignored = ignoredNames(opened)
  const total = [...checkpoint.tensors]
    .filter(([name]) => !isFurther(name, config) && !ignored.some(pattern => pattern.test(name)))
    .reduce((n, [, tensor]) => n + tensor.bytes.length, 0)
  let loaded = 0
  const ready: Ready = (source, _, storedBytes) => {
    options.signal?.throwIfAborted()
    loaded += storedBytes
    options.onProgress?.(source.name, loaded, total)
  }
  const loader = new Loader(checkpoint, kernels, config, family.names, ready, options)
  return new Model(config, await loadWeights(loader), kernels, options)
}

export interface SurveyedWeight extends WeightSource {
  /** `vector`: a norm's weight or a bias. */
  readonly role: WeightRole | 'vector'
  /** One of several experts, of which a token uses some. */
  readonly ofExpert: boolean
  /** The model's numbers are this much more than what is stored (Gemma's norms: 1). */
  readonly added: number
  /** Numbers of f32 that the kernels have in its place. Default: they have the tensor. */
  readonly made?: number
  /** false: a bias that config.json does not speak of. */
  readonly announced: boolean
}

/**
 * Every tensor that a model would be loaded from, in that order, in the type in which the kernels would get it: names,
 * shapes and types are checked as in loading, no tensor's bytes are read. Throws CheckpointError for what is missing or
 * wrong.
 */
export async function surveyWeights(
  model: OpenedModel,
  weights?: EncodableType,
  adapters?: Adapters,
): Promise<SurveyedWeight[]> {
  const options = { ...(weights && { weights }), ...(adapters && { adapters }) }
  const found = await survey(model, options, loadWeights)
  refuseUnknown(model)
  return found
}

/** The same of modules that predict further tokens, which are layers of these indices: what `surveyWeights` leaves out. */
export async function surveyPredictions(
  model: OpenedModel,
  indices: readonly number[],
  weights?: EncodableType,
): Promise<SurveyedWeight[]> {
  return survey(model, weights ? { weights } : {}, async loader => {
    for (const index of indices) await loadPredictionWeights(loader, index)
  })
}

async function survey(
  { checkpoint, family, config }: OpenedModel,
  options: LoaderOptions,
  load: (loader: Loader) => Promise<unknown>,
): Promise<SurveyedWeight[]> {
  const experts = new Set<WeightSource>()
  const added = new Map<WeightSource, number>()
  const kernels: WeightKernels = {
    prepare: async source => source,
    prepareExperts: async sources => {
      for (const source of sources) experts.add(source)
      return { ...(sources[0] as WeightSource), experts: sources.length }
    },
    number: async () => 1,
    prepareVector: async (source, add = 0) => {
      added.set(source, add)
      return tensorAt(0, 'f32', [source.cols])
    },
  }
  const found: SurveyedWeight[] = []
  const ready: Ready = (source, role, _, made) =>
    found.push({
      ...{ ...source, role, ofExpert: experts.has(source), added: added.get(source) ?? 0, announced: true },
      ...(made !== undefined && { made }),
    })
  const loader = new Loader(checkpoint, kernels, config, family.names, ready, options)
  await load(loader)
  return found.map(weight => ({ ...weight, announced: !loader.unannounced.has(weight.name) }))
}

/** Tensors of the checkpoint that a loaded model has not asked for and that no one would expect it to. */
export function unusedTensors(opened: OpenedModel): string[] {
  return opened.checkpoint.unused(ignoredNames(opened)).filter(name => !isFurther(name, opened.config))
}

/** Names of what models of the family have in their files and nobody computes with. */
function ignoredNames({ family: { names }, config }: OpenedModel): RegExp[] {
  const tied = config.tiedEmbeddings ? [new RegExp(`^${names.output}\\.weight$`)] : []
  return [...(names.ignored ?? []), ...tied]
}

/** Layers past the last are multi-token prediction (DeepSeek-V3): plain decoding leaves them out. An encoder may have more layers than its decoder. */
function isFurther(name: string, { nLayers, layersInOne = 1, source }: ModelConfig): boolean {
  return !source && layerOf(name) >= nLayers / layersInOne
}

/** The layer that a tensor belongs to by its name; -1: none. */
export function layerOf(name: string): number {
  return Number(/(?:^|\.)(?:layers|h|blk)\.(\d+)\./.exec(name)?.[1] ?? -1)
}

/** Of which a model computes the same without. */
const HARMLESS = /rope|rot_embd/

/** In a layer, or around them: not what sees or hears (`v.`, `mm.`), nor heads that other tasks have. */
const OF_THE_MODEL =
  /^blk\.|(?:^|\.)(?:layers|h)\.\d+\.|^(?:token_embd|token_types|position_embd|output)(?:_norm)?\.|^lm_head\.|^(?:model|transformer)\.(?:norm|ln_f|embed_tokens|word_embeddings|wte)\./

/**
 * GGUF files bring no code: a tensor of a layer that nobody asked for is a part of another kind of model, whose numbers
 * would be wrong without a word. llama.cpp refuses such files too.
 */
function refuseUnknown(model: OpenedModel): void {
  const { checkpoint, family } = model
  if (!checkpoint.canonical) return
  const { names } = family
  // Some files have W_UK and W_UV joined and apart.
  const twice = 'keyUp' in names.attention ? [names.attention.keyUp, names.attention.valueUp] : []
  const unknown = unusedTensors(model).filter(name => {
    return OF_THE_MODEL.test(name) && !HARMLESS.test(name) && !twice.some(module => name.endsWith(`${module}.weight`))
  })
  if (unknown.length === 0) return
  throw new UnsupportedModelError(
    `${checkpoint.name} has tensors that this kind of model does not compute with: ${listed(unknown)}; its numbers would be ` +
      'wrong without them',
  )
}
