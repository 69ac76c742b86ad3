import { Checkpoint } from '../checkpoint/checkpoint.ts'
import { quote } from '../checkpoint/quote.ts'
import { memorySource } from '../checkpoint/source/memory-source.ts'
import type { TensorEntry } from '../checkpoint/tensor-entry.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Factors } from '../kernels/contract/operation-options.ts'
import type { Operations } from '../kernels/operations/table.ts'
import { Loader } from '../model/load/loader.ts'
import { loadPredictionWeights, loadWeights } from '../model/load/weights.ts'
import { modelOf, type OpenedModel } from '../model/open/opened-model.ts'
import { copiesOf, predictionIndices } from '../model/prediction.ts'
import { refuseOtherThanDecoder } from '../model/refuse-encoder.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import type { Backend } from '../nn/attention/step.ts'
import { runLayer } from '../nn/block.ts'
import { hasStates } from '../nn/config.ts'
import { type Decoder, decoderOf, embedded, finalRows, layerStep } from '../nn/decoder.ts'
import type { Linear } from '../nn/layers.ts'
import { predictionConfig, predictionRows, predictionWeights } from '../nn/prediction.ts'
import { NO_PAST, prepareStep } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import { Experts } from './experts.ts'
import { flopsOf } from './flops.ts'
import { FrozenNames } from './frozen-names.ts'
import { gradientNorm } from './gradient-norm.ts'
import { isOfAdapter, LearnedAdapters, type LoraOptions } from './lora.ts'
import { type LastProduct, type LossOptions, lossOfRows } from './loss.ts'
import { nameOf, type Parameter, Parameters } from './parameters.ts'
import { trainingProducts } from './products.ts'
import { TrainingScratch } from './scratch.ts'
import { Tape } from './tape.ts'
import { refuseWithoutRules } from './without-rules.ts'

/** A text that a model reads as it learns. */
export interface TrainingInput {
  /** Ids, at least one. */
  readonly tokens: ArrayLike<number>
}

/** A text to learn from. */
export interface TrainingText extends TrainingInput {
  /** What is to follow each token; below 0: nothing is asked for. */
  readonly targets: ArrayLike<number>
}

export interface GradientOptions extends LossOptions {
  /** Targets that the sum of losses is divided by, where the texts are a part of a larger batch. Default: those of the texts. */
  readonly mean?: number
  /** Weight of the sequence-wise balance of experts. Default 0. */
  readonly sequenceBalance?: number
  /** Weight of the mean loss of the modules of multi-token prediction (V3, eq. 25). Default 0. */
  readonly predictionWeight?: number
}

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

/** The same, and how it is computed. */
export interface TrainerOptions extends LearnOptions {
  /** What factors of products are rounded to before they are multiplied; weights, activations and sums are f32. Default `f32`. */
  readonly compute?: Factors
  /**
   * Layers, from the first on, whose activations are not kept for the backward pass but computed again: less memory, the same bits, a part of
   * the forward pass twice. Those with experts are kept. Default 0.
   */
  readonly recompute?: number
}

/** A forward pass whose losses are to be recorded. */
export interface Pass {
  readonly ops: Operations
  readonly parameters: Parameters
  readonly scratch: TrainingScratch
  readonly last: LastProduct
  /** The stream of all tokens after the final norm, f32 [n, D]. */
  readonly x: Tensor
  /** Those that leave each layer, f32 [n, D]. */
  readonly streams: readonly Tensor[]
  /** Of x or a stream, to be added to. */
  readonly gradient: (t: Tensor) => Tensor
}

/** What a module of multi-token prediction makes of texts. */
interface Further {
  /** Those that predict, [n, D]. */
  readonly rows: Tensor
  readonly targets: Tensor
  /** Tokens of each text that is long enough. */
  readonly lengths: readonly number[]
}

/** A model that learns: its parameters, and the gradients of a loss with respect to them. */
export class Trainer {
  readonly parameters: Parameters
  /** What is learned instead of the model's own weights; null: these are. */
  readonly adapters: LearnedAdapters | null
  readonly #kernels: Kernels
  /** The kernels' operations, with the products of training. */
  readonly #ops: Operations
  readonly #model: Decoder & { readonly output: Linear }
  readonly #scratch: TrainingScratch
  readonly #tape: Tape
  readonly #experts: Experts
  readonly #recompute: number
  readonly #predictions: readonly Decoder[]
  #predictionLoss = 0

  private constructor(
    kernels: Kernels,
    model: Decoder & { readonly output: Linear },
    parameters: Parameters,
    biases: readonly (Parameter | null)[],
    adapters: LearnedAdapters | null,
    { compute = 'f32', recompute = 0 }: TrainerOptions,
    predictions: readonly Decoder[],
  ) {
    this.#recompute = recompute
    this.parameters = parameters
    this.adapters = adapters
    this.#experts = new Experts(kernels, biases)
    this.#predictions = predictions
    this.#kernels = kernels
    this.#scratch = new TrainingScratch(kernels.memory, kernels)
    this.#ops = trainingProducts(kernels, this.#scratch, compute)
    this.#model = model
    this.#tape = new Tape(this.#ops, parameters, this.#scratch)
  }

  /**
   * Reads a model's weights. The kernels stay the caller's to dispose of. Throws UnsupportedModelError for what cannot be trained, OptionError for
   * patterns and targets that nothing is called.
   */
  static async load(
    opened: OpenedModel,
    kernels: Kernels,
    { lora, freeze = [], seed = 0, predictions: further = true, learns, ...computing }: TrainerOptions = {},
  ): Promise<Trainer> {
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
    for (const { attention, mlp } of [weights, ...predictions.map(module => module.weights)].flatMap(
      ({ layers }) => layers,
    )) {
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
    return new Trainer(
      kernels,
      { ...decoderOf(config, weights), output },
      parameters,
      biases,
      adapters ?? null,
      computing,
      predictions,
    )
  }

  /** The mean loss of the targets, in nats; 0 where there are none. */
  loss(texts: readonly TrainingText[], options: LossOptions = {}): Promise<number> {
    return this.#run(texts, options, false)
  }

  /**
   * The same, and its gradients, which are added to those of the parameters. A text's tokens see those before them, and nothing of other
   * texts.
   */
  gradients(texts: readonly TrainingText[], options: GradientOptions = {}): Promise<number> {
    return this.#run(texts, options, true)
  }

  async #run(texts: readonly TrainingText[], options: GradientOptions, backward: boolean): Promise<number> {
    const kernels = this.#kernels
    const scratch = this.#scratch
    const tape = this.#tape
    const { config, output } = this.#model
    scratch.reset()
    tape.clear()
    const targets = Int32Array.from(texts.flatMap(text => Array.from(text.targets)))
    const {
      mean = targets.filter(target => target >= 0).length,
      sequenceBalance = 0,
      predictionWeight = 0,
      ...loss
    } = options
    if (mean === 0) return 0

    // Before anything is recorded: memory that operations leave may be taken again.
    const wanted = scratch.take([targets.length], 'i32')
    kernels.memory.upload(wanted, targets)
    const x = this.#rows(texts, backward)
    const further = backward && predictionWeight > 0 ? await this.#further(texts, x) : []
    const last = { output, logitScale: config.logitScale }
    const rows = { x, dx: backward ? tape.gradient(x) : null, targets: wanted }
    const losses = lossOfRows(this.#ops, scratch, this.parameters, last, rows, 1 / mean, loss)
    // Over all modules, also those for which these texts are too short: a step's other texts may not be.
    const share = 1 / (this.#predictions.length * mean)
    const later = further.map(({ rows, targets }) => {
      const learned = { x: rows, dx: tape.gradient(rows), targets }
      return lossOfRows(this.#ops, scratch, this.parameters, last, learned, predictionWeight * share, loss)
    })
    if (backward) {
      if (sequenceBalance > 0) {
        const own = config.layers.filter(({ mlp }) => mlp.kind === 'moe').map(() => lengthsOf(texts))
        const lengths = [...own, ...further.map(({ lengths }) => lengths)]
        await this.#experts.balanceSequences(tape, scratch, lengths, sequenceBalance / mean)
      }
      tape.backward()
    }
    await kernels.submit()
    if (backward) await this.#experts.count(tape.routes)
    for (const losses of later) this.#predictionLoss += (await this.#sum(losses)) * share
    return (await this.#sum(losses)) / mean
  }

  async #sum(losses: Tensor): Promise<number> {
    return ((await this.#kernels.memory.read(losses)) as Float32Array).reduce((sum, value) => sum + value, 0)
  }

  /** Of each module of multi-token prediction in turn. `x`: the model's final rows of all tokens. */
  async #further(texts: readonly TrainingText[], x: Tensor): Promise<Further[]> {
    const kernels = this.#kernels
    const scratch = this.#scratch
    const { ops } = this.#tape
    let [left, hidden] = [texts, x]
    const found: Further[] = []
    for (const module of this.#predictions) {
      let at = 0
      const index = left.flatMap(({ tokens }) => {
        at += tokens.length
        return Array.from({ length: tokens.length - 1 }, (_, i) => at - tokens.length + i)
      })
      if (index.length === 0) break
      left = left.filter(({ tokens }) => tokens.length > 1).map(withoutFirst)
      // What is uploaded below may take memory that operations have left.
      await kernels.submit()
      const before = scratch.take([index.length, x.shape[1] as number])
      ops.gatherRows(before, hidden, this.#numbers(index))
      const keys = contiguousKeys(ops, scratch)
      const step = prepareStep(kernels.memory, scratch, left.map(inputOf), keys, module)
      const rows = predictionRows({ ops, scratch, keys }, module, step, before)
      const targets = this.#numbers(left.flatMap(({ targets }) => Array.from(targets)))
      found.push({ rows, targets, lengths: lengthsOf(left) })
      hidden = rows
    }
    return found
  }

  #numbers(numbers: readonly number[]): Tensor {
    const made = this.#scratch.take([numbers.length], 'i32')
    this.#kernels.memory.upload(made, Int32Array.from(numbers))
    return made
  }

  /** The log-probabilities of each text's targets, summed. */
  logProbabilities(texts: readonly TrainingText[]): Promise<number[]> {
    return this.#weighted(texts, null)
  }

  /**
   * The same, and gradients of the sum of -log-probabilities, each times its weight, which are added to those of the parameters. `weights` gets the
   * log-probabilities.
   */
  weightedGradients(
    texts: readonly TrainingText[],
    weights: (found: readonly number[]) => number[],
  ): Promise<number[]> {
    return this.#weighted(texts, weights)
  }

  /** Logits are computed twice where there are weights: these depend on all of a text's. */
  async #weighted(
    texts: readonly TrainingText[],
    weights: ((found: readonly number[]) => number[]) | null,
  ): Promise<number[]> {
    const kernels = this.#kernels
    const scratch = this.#scratch
    const tape = this.#tape
    scratch.reset()
    tape.clear()
    const targets = Int32Array.from(texts.flatMap(text => Array.from(text.targets)))
    const wanted = scratch.take([targets.length], 'i32')
    kernels.memory.upload(wanted, targets)
    const x = this.#rows(texts, weights !== null)
    const last = { output: this.#model.output, logitScale: this.#model.config.logitScale }
    const all = lossOfRows(this.#ops, scratch, this.parameters, last, { x, dx: null, targets: wanted }, 1)
    await kernels.submit()
    const losses = (await kernels.memory.read(all)) as Float32Array
    const starts = texts.map((_, i) => texts.slice(0, i).reduce((n, text) => n + text.tokens.length, 0))
    const found = texts.map(({ tokens }, i) => {
      const from = starts[i] as number
      return -losses.subarray(from, from + tokens.length).reduce((sum, loss) => sum + loss, 0)
    })
    if (!weights) return found
    const dx = tape.gradient(x)
    for (const [i, weight] of weights(found).entries()) {
      const part = (t: Tensor) => rowsOf(t, starts[i] as number, (texts[i] as TrainingText).tokens.length)
      const rows = { x: part(x), dx: part(dx), targets: part(wanted) }
      // Logits of one text after the other, in the same memory.
      scratch.forgetting(() => lossOfRows(this.#ops, scratch, this.parameters, last, rows, weight))
    }
    tape.backward()
    await kernels.submit()
    return found
  }

  /**
   * Gradients of another loss than that of targets, which are added to those of the parameters. `begin` may run another model in the memory of the step
   * first; what it returns records the losses and their gradients, and names those that are read.
   */
  async differentiate(
    texts: readonly TrainingInput[],
    begin: (scratch: TrainingScratch) => Promise<(pass: Pass) => readonly Tensor[]>,
  ): Promise<Float32Array[]> {
    const kernels = this.#kernels
    const scratch = this.#scratch
    const tape = this.#tape
    const { config, output } = this.#model
    scratch.reset()
    tape.clear()
    const lossesOf = await begin(scratch)
    const streams: Tensor[] = []
    const x = this.#rows(texts, true, streams)
    const last = { output, logitScale: config.logitScale }
    const gradient = (t: Tensor) => tape.gradient(t)
    const losses = lossesOf({ ops: this.#ops, parameters: this.parameters, scratch, last, x, streams, gradient })
    tape.backward()
    await kernels.submit()
    const found: Float32Array[] = []
    for (const tensor of losses) found.push((await kernels.memory.read(tensor)) as Float32Array)
    return found
  }

  /** The stream of all tokens after the final norm, [n, D]. `streams` gets those that leave each layer. */
  #rows(texts: readonly TrainingInput[], backward: boolean, streams?: Tensor[]): Tensor {
    const scratch = this.#scratch
    const model = this.#model
    const { config, weights } = model
    const backendOf = (ops: Operations) => ({ ops, scratch, keys: contiguousKeys(ops, scratch) })
    const [plain, taped] = [backendOf(this.#ops), backendOf(this.#tape.ops)]
    const backend = backward ? taped : plain
    const step = prepareStep(this.#kernels.memory, scratch, texts.map(inputOf), backend.keys, model)
    let x = embedded(backend, model, step)
    for (const [i, layer] of config.layers.entries()) {
      const runIn = (at: Backend) => (x: Tensor) =>
        runLayer(layerStep(at, model, step, i), config, layer, weights.layers[i] as LayerWeights, x)
      // The choices of experts are counted after the backward pass, so that they must last.
      const kept = backward && (i >= this.#recompute || layer.mlp.kind === 'moe')
      x = kept ? runIn(taped)(x) : this.#tape.recomputed(x, runIn(plain), runIn(taped))
      streams?.push(x)
    }
    return finalRows(backend, model, x, step.logitRows)
  }

  /** Of the modules of multi-token prediction, the mean of their losses since gradients were cleared; null: there is no such module. */
  get predictionLoss(): number | null {
    return this.#predictions.length > 0 ? this.#predictionLoss : null
  }

  /** Floating-point operations of a step that learns texts of these lengths. `further`: with the modules of multi-token prediction. */
  flops(lengths: readonly number[], further: boolean): number {
    const predictions = further ? this.#predictions.length : 0
    const what = this.adapters
      ? { learned: 0, adapterNumbers: this.parameters.count }
      : { learned: this.parameters.share }
    return flopsOf(this.#model.config, lengths, { predictions, ...what })
  }

  /** The model that learns: its weights are those that steps change. */
  get decoder(): Decoder {
    return this.#model
  }

  /** Of layers with experts: what they were chosen for, and the biases of the choice. */
  get experts(): Experts {
    return this.#experts
  }

  clearGradients(): void {
    this.#predictionLoss = 0
    for (const { gradient } of this.parameters.all) this.#kernels.fill(gradient, 0)
  }

  /** The L2 norm of all gradients together, or of all values. */
  norm(what: 'values' | 'gradient'): Promise<number> {
    return gradientNorm(this.#kernels, this.parameters.all, what)
  }

  /** What is stored of a parameter's tensors now, or of their gradients: by the checkpoint's names, in its order of numbers. */
  async read(what: 'values' | 'gradient', parameter: Parameter): Promise<Map<string, Float32Array>> {
    const all = (await this.#kernels.memory.read(parameter[what])) as Float32Array
    const each = all.length / parameter.sources.length
    const added = what === 'values' ? parameter.added : 0
    return new Map(
      parameter.sources.map((source, i) => {
        const numbers = all.subarray(i * each, (i + 1) * each)
        const turned = source.transposed ? transpose(numbers, source.rows, source.cols) : numbers
        return [source.name, added === 0 ? turned : turned.map(x => x - added)]
      }),
    )
  }

  /** The model with what has been learned, to be converted or saved. */
  async trained(opened: OpenedModel): Promise<OpenedModel> {
    const { checkpoint } = opened
    const tensors = new Map(checkpoint.tensors)
    for (const parameter of [...this.parameters.all, ...this.#experts.biases]) {
      for (const [name, numbers] of await this.read('values', parameter)) {
        const shape = (tensors.get(name) as TensorEntry).shape
        const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
        const range = { source: memorySource(name, bytes), offset: 0, length: bytes.length }
        tensors.set(name, { name, dtype: 'F32', shape, bytes: range })
      }
    }
    for (const { name, of } of copiesOf(opened)) {
      const weight = of === 'embedding' ? this.#model.weights.embedding : this.#model.output.weight
      const parameter = this.parameters.of(weight)
      const original = parameter && tensors.get(nameOf(parameter))
      if (original) tensors.set(name, { ...original, name })
    }
    return modelOf(new Checkpoint({ ...checkpoint, tensors }))
  }
}

/** [rows, cols] -> [cols, rows] */
function transpose(numbers: Float32Array, rows: number, cols: number): Float32Array {
  const turned = new Float32Array(numbers.length)
  for (let n = 0; n < rows; n++) for (let k = 0; k < cols; k++) turned[k * rows + n] = numbers[n * cols + k] as number
  return turned
}

/** Texts as a step of a model reads them, whole. */
export function inputOf({ tokens }: TrainingInput) {
  const prompt = { start: 0, end: tokens.length }
  // Expanded whatever the length: the absorbed path has no backward rules.
  return { tokens, cache: NO_PAST, prompt, logits: 'all', path: 'expanded' } as const
}

function lengthsOf(texts: readonly TrainingText[]): number[] {
  return texts.map(({ tokens }) => tokens.length)
}

function withoutFirst({ tokens, targets }: TrainingText): TrainingText {
  return { tokens: Array.from(tokens).slice(1), targets: Array.from(targets).slice(1) }
}
