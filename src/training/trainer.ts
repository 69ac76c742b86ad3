import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Factors } from '../kernels/contract/operation-options.ts'
import type { Operations } from '../kernels/operations/table.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import type { Backend } from '../nn/attention/step.ts'
import { runLayer } from '../nn/block.ts'
import { type Decoder, embedded, finalRows, layerStep } from '../nn/decoder.ts'
import { prepareStep } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import { Experts } from './experts.ts'
import { flopsOf } from './flops.ts'
import { gradientNorm } from './gradient-norm.ts'
import { type LearnedModel, type LearnOptions, loadLearned } from './learned-model.ts'
import type { LearnedAdapters } from './lora.ts'
import { type LossOptions, lossOfRows } from './loss.ts'
import type { Parameter, Parameters } from './parameters.ts'
import type { Pass } from './pass.ts'
import { predictedRows } from './predicted-rows.ts'
import { trainingProducts } from './products.ts'
import { TrainingScratch } from './scratch.ts'
import { Tape } from './tape.ts'
import { storedNumbers, trainedModel } from './trained.ts'
import { inputOf, lengthsOf, type TrainingInput, type TrainingText } from './training-texts.ts'

export interface GradientOptions extends LossOptions {
  /** Targets that the sum of losses is divided by, where the texts are a part of a larger batch. Default: those of the texts. */
  readonly mean?: number
  /** Weight of the sequence-wise balance of experts. Default 0. */
  readonly sequenceBalance?: number
  /** Weight of the mean loss of the modules of multi-token prediction (V3, eq. 25). Default 0. */
  readonly predictionWeight?: number
}

/** What of a model is learned, and how it is computed. */
export interface TrainerOptions extends LearnOptions {
  /** What factors of products are rounded to before they are multiplied; weights, activations and sums are f32. Default `f32`. */
  readonly compute?: Factors
  /**
   * Layers, from the first on, whose activations are not kept for the backward pass but computed again: less memory, the same bits, a part of
   * the forward pass twice. Those with experts are kept. Default 0.
   */
  readonly recompute?: number
}

/** A model that learns: its parameters, and the gradients of a loss with respect to them. */
export class Trainer {
  readonly parameters: Parameters
  /** What is learned instead of the model's own weights; null: these are. */
  readonly adapters: LearnedAdapters | null
  /** The kernels' operations, with the products of training. */
  readonly ops: Operations
  readonly #kernels: Kernels
  readonly #model: LearnedModel['model']
  readonly #scratch: TrainingScratch
  readonly #tape: Tape
  readonly #experts: Experts
  readonly #recompute: number
  readonly #predictions: readonly Decoder[]
  #predictionLoss = 0

  private constructor(
    kernels: Kernels,
    { model, parameters, biases, adapters, predictions }: LearnedModel,
    { compute = 'f32', recompute = 0 }: TrainerOptions,
  ) {
    this.#recompute = recompute
    this.parameters = parameters
    this.adapters = adapters
    this.#experts = new Experts(kernels, biases)
    this.#predictions = predictions
    this.#kernels = kernels
    this.#scratch = new TrainingScratch(kernels.memory, kernels)
    this.ops = trainingProducts(kernels, this.#scratch, compute)
    this.#model = model
    this.#tape = new Tape(this.ops, parameters, this.#scratch)
  }

  /**
   * Reads a model's weights. The kernels stay the caller's to dispose of. Throws UnsupportedModelError for what cannot be trained, OptionError for
   * patterns and targets that nothing is called.
   */
  static async load(opened: OpenedModel, kernels: Kernels, options: TrainerOptions = {}): Promise<Trainer> {
    return new Trainer(kernels, await loadLearned(opened, kernels, options), options)
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
    const further =
      backward && predictionWeight > 0 ? await predictedRows(kernels, scratch, tape, this.#predictions, texts, x) : []
    const last = { output, logitScale: config.logitScale }
    const rows = { x, dx: backward ? tape.gradient(x) : null, targets: wanted }
    const losses = lossOfRows(this.ops, scratch, this.parameters, last, rows, 1 / mean, loss)
    // Over all modules, also those for which these texts are too short: a step's other texts may not be.
    const share = 1 / (this.#predictions.length * mean)
    const later = further.map(({ rows, targets }) => {
      const learned = { x: rows, dx: tape.gradient(rows), targets }
      return lossOfRows(this.ops, scratch, this.parameters, last, learned, predictionWeight * share, loss)
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
    const all = lossOfRows(this.ops, scratch, this.parameters, last, { x, dx: null, targets: wanted }, 1)
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
      scratch.forgetting(() => lossOfRows(this.ops, scratch, this.parameters, last, rows, weight))
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
    const losses = lossesOf({ ops: this.ops, parameters: this.parameters, scratch, last, x, streams, gradient })
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
    const [plain, taped] = [backendOf(this.ops), backendOf(this.#tape.ops)]
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
  read(what: 'values' | 'gradient', parameter: Parameter): Promise<Map<string, Float32Array>> {
    return storedNumbers(this.#kernels.memory, what, parameter)
  }

  /** The model with what has been learned, to be converted or saved. */
  trained(opened: OpenedModel): Promise<OpenedModel> {
    const learned = { model: this.#model, parameters: this.parameters }
    return trainedModel(opened, this.#kernels.memory, learned, this.#experts.biases)
  }
}
