import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { balancedBias, loadsOf, sequenceBalance } from './balance.ts'
import { found, nameOf, type Parameter } from './parameters.ts'
import type { TrainingScratch } from './scratch.ts'
import type { Route, Tape } from './tape.ts'

/** What training does with experts beside their gradients: it counts how often each is chosen, and balances them. */
export class Experts {
  readonly #kernels: Kernels
  /** Of each layer with experts: the bias of its choice. */
  readonly #biases: readonly (Parameter | null)[]
  #loads: Int32Array[] = []

  constructor(kernels: Kernels, biases: readonly (Parameter | null)[]) {
    this.#kernels = kernels
    this.#biases = biases
  }

  get biases(): readonly Parameter[] {
    return this.#biases.filter(bias => bias !== null)
  }

  /** Of each layer with experts, tokens that chose each since `balance`. */
  get loads(): readonly Int32Array[] {
    return this.#loads
  }

  /** Adds the choices of a forward pass that has run. */
  async count(routes: readonly Route[]): Promise<void> {
    for (const [layer, { indices, logits }] of routes.entries()) {
      const more = loadsOf((await this.#kernels.memory.read(indices)) as Int32Array, logits.shape[1] as number)
      this.#loads[layer] = this.#loads[layer]?.map((load, e) => load + (more[e] as number)) ?? more
    }
  }

  /** Begins to count again; before, each bias is moved by `rate` against the loads. 0: biases stay as they are. */
  async balance(rate: number): Promise<void> {
    for (const [layer, loads] of this.#loads.entries()) {
      const bias = this.#biases[layer]
      if (rate === 0 || !bias) continue
      const now = (await this.#kernels.memory.read(bias.values)) as Float32Array
      this.#kernels.memory.upload(bias.values, balancedBias(now, loads, rate))
    }
    this.#loads = []
  }

  /**
   * Adds the gradients of the sequence-wise loss to those of the routers' logits. `routed`: of each router, the lengths of its texts. The forward
   * pass may still have to run.
   */
  async balanceSequences(
    tape: Tape,
    scratch: TrainingScratch,
    routed: readonly (readonly number[])[],
    weight: number,
  ): Promise<void> {
    const kernels = this.#kernels
    await kernels.submit()
    for (const [i, { indices, logits, options }] of tape.routes.entries()) {
      const lengths = routed[i] as readonly number[]
      const [topK, experts] = [indices.shape[1] as number, logits.shape[1] as number]
      const numbers = (await kernels.memory.read(logits)) as Float32Array
      const { gradient } = sequenceBalance(numbers, experts, { topK, scoring: options.scoring, lengths, weight })
      const more: Tensor = scratch.take(logits.shape)
      kernels.memory.upload(more, gradient)
      const sum = tape.gradient(logits)
      kernels.axpby(sum, 1, sum, 1, more)
    }
  }

  /** The biases by name, for `restore`. */
  async numbers(): Promise<Map<string, Float32Array>> {
    const numbers = new Map<string, Float32Array>()
    for (const bias of this.biases) {
      numbers.set(`bias ${nameOf(bias)}`, (await this.#kernels.memory.read(bias.values)) as Float32Array)
    }
    return numbers
  }

  restore(numbers: ReadonlyMap<string, Float32Array>): void {
    for (const bias of this.biases)
      this.#kernels.memory.upload(bias.values, found(numbers, `bias ${nameOf(bias)}`, bias.values))
  }
}
