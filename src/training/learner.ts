import type { ExpertLayer, ExpertResult } from '../attention/experts.ts'
import { expectNumbers } from '../attention/shapes.ts'
import { Workbench } from '../attention/workbench.ts'
import { memorySource } from '../checkpoint/source/memory-source.ts'
import { OptionError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { ExpertWeights, Weight } from '../kernels/contract/weights.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import { AdamW } from './adamw.ts'
import { balancedBias, loadsOf } from './balance.ts'
import { gradientNorm } from './gradient-norm.ts'
import { Parameters } from './parameters.ts'
import { trainingProducts } from './products.ts'
import { TrainingScratch } from './scratch.ts'
import { Tape } from './tape.ts'

/** Options of `Learner.learn`. */
export interface LearnStepOptions {
  /** The learning rate. */
  readonly rate: number
  /** The norm that gradients are scaled down to. Default 1. */
  readonly clip?: number
  /** Decay of matrices. Default 0. */
  readonly weightDecay?: number
  /** How often each row's loss counts; below 0, what was written becomes less likely (a policy gradient). Default: once. */
  readonly weights?: ArrayLike<number>
}

/**
 * A workbench whose layers and weights learn: what is computed on it has gradients. Make all weights first, then compute logits and call `learn`,
 * which clears the tensors. Not for models in files: those `train` trains.
 */
export class Learner extends Workbench {
  readonly #kernels: Kernels
  readonly #parameters: Parameters
  readonly #tape: Tape
  readonly #fixed: Tensor[] = []
  #inference: Workbench | null = null
  #optimiser: AdamW | null = null
  #weightDecay = 0

  /** @internal Use `openLearner`. `kernels`: with the operations of training. */
  constructor(kernels: Kernels) {
    const parameters = new Parameters(kernels)
    const scratch = new TrainingScratch(kernels.memory, kernels)
    const tape = new Tape(trainingProducts(kernels, scratch, 'f32'), parameters, scratch)
    const reset = () => {
      scratch.reset()
      tape.clear()
    }
    super({ kernels, ops: tape.ops, scratch: { ...scratchOf(scratch), reset } })
    this.#kernels = kernels
    this.#parameters = parameters
    this.#tape = tape
  }

  /** @internal */
  override get learns(): boolean {
    return true
  }

  /** Numbers that are learned. */
  get parameters(): number {
    return this.#parameters.count
  }

  /**
   * A workbench on the same weights that keeps nothing for gradients, to write texts with what was learned: it has caches and both paths of MLA.
   * Its tensors are its own; it ends with the learner.
   */
  get inference(): Workbench {
    this.#inference ??= new Inference({ kernels: this.kernels })
    return this.#inference
  }

  /**
   * How many of the tokens of `expertMlp` chose each expert; and balance without an auxiliary loss (DeepSeek-V3, arXiv 2412.19437, section 2.1.2): the bias
   * of the choice falls by `rate` for experts that more than the mean chose, and rises for the others. Call it before `learn`, which clears the choice.
   */
  async balance(layer: ExpertLayer, { chosen }: ExpertResult, rate: number): Promise<Int32Array> {
    const { memory } = this.kernels
    await this.#kernels.submit()
    const loads = loadsOf((await memory.read(chosen)) as Int32Array, layer.config.nExperts)
    const { selectionBias } = layer.weights
    memory.upload(selectionBias, balancedBias((await memory.read(selectionBias)) as Float32Array, loads, rate))
    return loads
  }

  /** All weights as they are now, in the order in which they were made; then the biases of layers with experts. */
  async numbers(): Promise<Float32Array[]> {
    await this.kernels.submit()
    const found: Float32Array[] = []
    for (const values of this.#values) found.push((await this.#kernels.memory.read(values)) as Float32Array)
    return found
  }

  /** Puts what `numbers` returned in place of what the weights have. Throws OptionError unless they are as many. */
  async restore(numbers: readonly ArrayLike<number>[]): Promise<void> {
    const all = this.#values
    if (numbers.length !== all.length)
      throw new OptionError(`numbers has ${numbers.length} weights; expected ${all.length}, those that were made`)
    const checked = all.map((to, i) => expectNumbers(`numbers[${i}]`, numbers[i] as ArrayLike<number>, to.shape))
    await this.kernels.submit()
    for (const [i, to] of all.entries()) this.#kernels.memory.upload(to, checked[i] as Float32Array)
  }

  /** @internal */
  override weight(name: string, numbers: Float32Array, rows: number, cols: number): Weight {
    this.#begun(name)
    return this.#parameters.matrixOf(sourceOf(name, numbers, rows, cols), numbers)
  }

  /** @internal */
  override kept(numbers: Float32Array, shape: readonly number[]): Tensor {
    this.#begun('a vector')
    return this.#parameters.vectorOf(sourceOf('vector', numbers, 1, numbers.length), numbers, shape)
  }

  /** @internal */
  override fixed(numbers: Float32Array, shape: readonly number[]): Tensor {
    const made = super.fixed(numbers, shape)
    this.#fixed.push(made)
    return made
  }

  /** @internal */
  override experts(name: string, numbers: Float32Array, experts: number, rows: number, cols: number): ExpertWeights {
    this.#begun(name)
    return this.#parameters.expertsOf(sourceOf(name, numbers, experts * rows, cols), numbers, [experts, rows, cols])
  }

  /** The mean loss of logits [n, V] against their targets, in nats, without learning; below 0: no target. Clears the tensors. */
  async loss(logits: Tensor, targets: ArrayLike<number>): Promise<number> {
    const { losses, asked } = this.#losses(logits, this.scratch.take(logits.shape), targets)
    const sum = (await this.read(losses)).reduce((sum, loss) => sum + loss, 0)
    await this.clear()
    return sum / asked
  }

  /** The same, and one step of AdamW against its gradients. */
  async learn(logits: Tensor, targets: ArrayLike<number>, options: LearnStepOptions): Promise<number> {
    const { rate, clip = 1, weightDecay = 0 } = options
    if (!(rate > 0)) throw new OptionError(`rate is ${rate}; expected a number above 0`)
    if (this.#optimiser && weightDecay !== this.#weightDecay) {
      throw new OptionError(
        `weightDecay is ${weightDecay}, and was ${this.#weightDecay}; expected the same in all steps`,
      )
    }
    this.#weightDecay = weightDecay
    const kernels = this.#kernels
    const all = this.#parameters.all
    this.#optimiser ??= new AdamW(kernels, all, { weightDecay })
    const loss = await this.backward(logits, targets, options.weights)
    const norm = await gradientNorm(kernels, all)
    if (!Number.isFinite(norm))
      throw new OptionError(`The gradients have no norm at a rate of ${rate}; try a lower one`)
    await this.#optimiser.step(rate, norm > clip ? clip / norm : 1)
    await this.clear()
    return loss
  }

  /** @internal The loss; its gradients are those of the parameters now. */
  async backward(logits: Tensor, targets: ArrayLike<number>, weights?: ArrayLike<number>): Promise<number> {
    for (const { gradient } of this.#parameters.all) this.#kernels.fill(gradient, 0)
    const { losses, asked } = this.#losses(logits, this.#tape.gradient(logits), targets, weights)
    this.#tape.backward()
    return (await this.read(losses)).reduce((sum, loss, i) => sum + loss * (weights?.[i] ?? 1), 0) / asked
  }

  /** @internal d loss / d weight of every weight, in the order in which they were made. */
  async gradients(): Promise<Float32Array[]> {
    const found: Float32Array[] = []
    for (const { gradient } of this.#parameters.all)
      found.push((await this.#kernels.memory.read(gradient)) as Float32Array)
    return found
  }

  get #values(): readonly Tensor[] {
    return [...this.#parameters.all.map(({ values }) => values), ...this.#fixed]
  }

  #losses(logits: Tensor, gradient: Tensor, targets: ArrayLike<number>, weights?: ArrayLike<number>) {
    const [n, V] = [logits.shape[0] as number, logits.shape[1] as number]
    if (targets.length !== n)
      throw new OptionError(`targets has ${targets.length} entries; expected ${n}, the rows of logits`)
    // Kernels write where a target says.
    const bad = Array.from(targets).find(target => !Number.isInteger(target) || target >= V)
    if (bad !== undefined)
      throw new OptionError(`targets has ${bad}; expected whole numbers below ${V}, the columns of logits`)
    const asked = Array.from(targets).filter(target => target >= 0).length
    if (asked === 0) throw new OptionError('targets are all below 0; expected at least one')
    if (weights && weights.length !== n)
      throw new OptionError(`weights has ${weights.length} entries; expected ${n}, one for each target`)
    const losses = this.scratch.take([n])
    const ids = this.integers(targets)
    for (const { start, count, weight } of runsOf(weights, n)) {
      const part = (t: Tensor) => rowsOf(t, start, count)
      this.#kernels.crossEntropy(part(losses), part(gradient), part(logits), part(ids), { scale: weight / asked })
    }
    return { losses, asked }
  }

  #begun(name: string): void {
    if (this.#optimiser) throw new OptionError(`${name} was made after the first step; expected all weights before it`)
  }
}

/** Ends with its learner only. */
class Inference extends Workbench {
  override close(): Promise<void> {
    return this.clear()
  }
}

/** Neighbouring rows whose loss counts alike. */
function runsOf(weights: ArrayLike<number> | undefined, n: number) {
  const runs: { start: number; count: number; weight: number }[] = []
  for (let i = 0; i < n; i++) {
    const weight = weights?.[i] ?? 1
    if (!Number.isFinite(weight)) throw new OptionError(`weights has ${weight}; expected numbers`)
    const last = runs.at(-1)
    if (last?.weight === weight) last.count++
    else runs.push({ start: i, count: 1, weight })
  }
  return runs
}

function scratchOf(scratch: TrainingScratch) {
  return {
    take: (shape: readonly number[], dtype?: 'f32' | 'i32') => scratch.take(shape, dtype),
    replacing: (x: Tensor) => scratch.replacing(x),
    mark: () => scratch.mark(),
    release: () => scratch.release(),
  }
}

function sourceOf(name: string, numbers: Float32Array, rows: number, cols: number) {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  return {
    name,
    dtype: 'f32',
    rows,
    cols,
    bytes: { source: memorySource(name, bytes), offset: 0, length: bytes.length },
  } as const
}
