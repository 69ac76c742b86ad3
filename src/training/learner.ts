import { Workbench } from '../attention/workbench.ts'
import { memorySource } from '../checkpoint/source/memory-source.ts'
import { OptionError } from '../errors.ts'
import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Weight } from '../kernels/contract/weights.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { AdamW } from './adamw.ts'
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
}

/**
 * A workbench whose layers and weights learn: what is computed on it has gradients. Make all weights first, then compute logits and call `learn`,
 * which clears the tensors. Not for models in files: those `train` trains.
 */
export class Learner extends Workbench {
  readonly #kernels: Kernels
  readonly #parameters: Parameters
  readonly #tape: Tape
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
    const loss = await this.backward(logits, targets)
    const norm = await gradientNorm(kernels, all)
    if (!Number.isFinite(norm))
      throw new OptionError(`The gradients have no norm at a rate of ${rate}; try a lower one`)
    await this.#optimiser.step(rate, norm > clip ? clip / norm : 1)
    await this.clear()
    return loss
  }

  /** @internal The loss; its gradients are those of the parameters now. */
  async backward(logits: Tensor, targets: ArrayLike<number>): Promise<number> {
    for (const { gradient } of this.#parameters.all) this.#kernels.fill(gradient, 0)
    const { losses, asked } = this.#losses(logits, this.#tape.gradient(logits), targets)
    this.#tape.backward()
    return (await this.read(losses)).reduce((sum, loss) => sum + loss, 0) / asked
  }

  /** @internal d loss / d weight of every weight, in the order in which they were made. */
  async gradients(): Promise<Float32Array[]> {
    const found: Float32Array[] = []
    for (const { gradient } of this.#parameters.all)
      found.push((await this.#kernels.memory.read(gradient)) as Float32Array)
    return found
  }

  #losses(logits: Tensor, gradient: Tensor, targets: ArrayLike<number>): { losses: Tensor; asked: number } {
    const [n, V] = [logits.shape[0] as number, logits.shape[1] as number]
    if (targets.length !== n)
      throw new OptionError(`targets has ${targets.length} entries; expected ${n}, the rows of logits`)
    // Kernels write where a target says.
    const bad = Array.from(targets).find(target => !Number.isInteger(target) || target >= V)
    if (bad !== undefined)
      throw new OptionError(`targets has ${bad}; expected whole numbers below ${V}, the columns of logits`)
    const asked = Array.from(targets).filter(target => target >= 0).length
    if (asked === 0) throw new OptionError('targets are all below 0; expected at least one')
    const losses = this.scratch.take([n])
    this.#kernels.crossEntropy(losses, gradient, logits, this.integers(targets), { scale: 1 / asked })
    return { losses, asked }
  }

  #begun(name: string): void {
    if (this.#optimiser) throw new OptionError(`${name} was made after the first step; expected all weights before it`)
  }
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
