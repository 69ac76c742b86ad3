import { quote } from '../checkpoint/quote.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import { Loader } from '../model/load/loader.ts'
import { loadPredictionWeights, loadWeights } from '../model/load/weights.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'
import { predictionIndices } from '../model/prediction.ts'
import { refuseOtherThanDecoder } from '../model/refuse-encoder.ts'
import { hasStates } from '../nn/config.ts'
import { type Decoder, decoderOf } from '../nn/decoder.ts'
import type { Linear } from '../nn/layers.ts'
import { predictionConfig, predictionWeights } from '../nn/prediction.ts'
import { FrozenNames } from './frozen-names.ts'
import { isOfAdapter, LearnedAdapters, type LoraOptions } from './lora.ts'
import { type Parameter, Parameters } from './parameters.ts'
import { refuseWithoutRules } from './without-rules.ts'

/** What stays as it is where norms of latents are a constant factor. */
const CONSTANT_NORMS = /\.self_attn\.(q_a_proj|q_a_layernorm|kv_a_proj_with_mqa|kv_a_layernorm)\./

/** What of a model is learned. */
export interface LearnOptions {
  /** An adapter alone. Default: the model's own weights. */
  readonly lora?: LoraOptions
  /** Names of tensors that stay as they are, `*` for any text; a name without one counts as a part of it. Default: none. */
  readonly freeze?: readonly string[]
  /** Of an adapter's first numbers. Default 0. */
  readonly seed?: number
  /** Modules of multi-token prediction, too, where there is no adapter. Default true. */
  readonly predictions?: boolean
  /** What is learned, by the tensor's name, in place of `freeze`: also rows that make a norm constant, for whoever gives them rates of their own. */
  readonly learns?: (name: string) => boolean
}

/** A model whose weights are parameters. */
export interface LearnedModel {
  readonly model: Decoder & { readonly output: Linear }
  readonly parameters: Parameters
  /** Of the choice of experts, by layer with experts, modules of multi-token prediction last; null: that layer has none. */
  readonly biases: readonly (Parameter | null)[]
  /** What is learned instead of the model's own weights; null: these are. */
  readonly adapters: LearnedAdapters | null
  /** Modules of multi-token prediction that are learned. */
  readonly predictions: readonly Decoder[]
}

/**
 * Reads a model's weights. Throws UnsupportedModelError for what cannot be trained, OptionError for patterns and targets that nothing is
 * called.
 */
export async function loadLearned(
  opened: OpenedModel,
  kernels: Kernels,
  { lora, freeze = [], seed = 0, predictions: further = true, learns }: LearnOptions,
): Promise<LearnedModel> {
  const { checkpoint, family, config } = opened
  refuseOtherThanDecoder(config, 'it cannot be trained')
  if (hasStates(config)) {
    throw new UnsupportedModelError(
      `A model of type ${config.modelType} cannot be trained: some of its layers carry a state in place of keys and values, for which ` +
        'there is no backward rule',
    )
  }
  const { attention: names } = family.names
  const folded = 'keyUp' in names ? [names.keyValueUp, names.valueUp] : []
  const bias = [...checkpoint.tensors.keys()].find(name => folded.some(module => name.endsWith(`${module}.bias`)))
  if (bias !== undefined) {
    const met = `${checkpoint.name}: tensor ${quote(bias)} is computed with as a part of the output's bias`
    throw new UnsupportedModelError(`${met}; such a model cannot be trained`)
  }
  refuseWithoutRules(config)
  const frozen = new FrozenNames(freeze)
  // Their sizes belong together (docs/latentify.md): a step of any rate would drown rows of 1e-9.
  const constant = config.layers.some(({ attention: a }) => a.kind === 'latent' && a.constantNorm)
  const isFixed = (name: string) => constant && CONSTANT_NORMS.test(name)
  const isLearned = lora ? isOfAdapter : (learns ?? ((name: string) => !frozen.has(name) && !isFixed(name)))
  const parameters = new Parameters(kernels, isLearned)
  const adapters = lora && new LearnedAdapters(lora, opened, seed, source => parameters.prepare(source))
  const options = adapters ? { adapters } : {}
  const loader = new Loader(checkpoint, parameters, config, family.names, parameters.ready, options)
  const weights = await loadWeights(loader)
  const predictions: Decoder[] = []
  // An adapter is the model's alone.
  for (const index of further && !lora ? predictionIndices(opened) : []) {
    const own = predictionWeights(weights, await loadPredictionWeights(loader, index))
    predictions.push(decoderOf(predictionConfig(config), own))
  }
  adapters?.check()
  const output = weights.output as Linear
  const biases: (Parameter | null)[] = []
  for (const { attention, mlp } of [weights, ...predictions.map(module => module.weights)].flatMap(w => w.layers)) {
    if (attention.kind === 'latent' && attention.weights.keyValueUp.kind === 'split') {
      const met = `${checkpoint.name} has the up-projections of keys and of values apart, as GGUF files do`
      throw new UnsupportedModelError(`${met}; make a folder of it with "latentkit convert", and train that`)
    }
    if (mlp.kind !== 'moe') continue
    // It decides which experts are chosen, and a choice has no gradient.
    const { selectionBias } = mlp.weights
    biases.push(selectionBias && parameters.of(selectionBias))
    if (selectionBias) parameters.freeze(selectionBias)
  }
  if (!lora) frozen.check(parameters.all.length)
  return {
    model: { ...decoderOf(config, weights), output },
    parameters,
    biases,
    adapters: adapters ?? null,
    predictions,
  }
}
