/** Distillation (arXiv 1503.02531): a model learns what another one, its teacher, makes of texts. The teacher runs without gradients. */
import type { Kernels } from '../kernels/contract/kernels.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import { runLayer } from '../nn/block.ts'
import { type Decoder, embedded, finalRows, layerStep, writeLogits } from '../nn/decoder.ts'
import type { Linear } from '../nn/layers.ts'
import { prepareStep } from '../nn/step.ts'
import type { LayerWeights } from '../nn/weights.ts'
import { rowsOf, type Tensor } from '../tensor/tensor.ts'
import { lossOfLogits, rowsAtATime } from './loss.ts'
import type { Pass } from './pass.ts'
import type { TrainingScratch } from './scratch.ts'
import type { Trainer } from './trainer.ts'
import { inputOf, type TrainingInput } from './training-texts.ts'

/** Means over tokens. */
export interface Distilled {
  /** KL(teacher || student), nats per token. */
  readonly kl: number
  /** Mean over layers of |x' - x|^2 / |x|^2, x the stream that leaves a layer of the teacher; 0 where it is not asked for. */
  readonly hidden: number
}

/** What the teacher makes of texts, in the memory of a step. */
interface Taught {
  /** Its stream of all tokens after the final norm, [n, D]. */
  readonly x: Tensor
  /** Those that leave each layer, [n, D]. */
  readonly streams: readonly Tensor[]
}

export class Distillation {
  readonly #trainer: Trainer
  readonly #kernels: Kernels
  readonly #teacher: Decoder & { readonly weights: { readonly output: Linear } }
  readonly #hidden: number

  /**
   * `teacher`: on the trainer's kernels, with the student's vocabulary, layers and width. `hidden`: weight of the streams' error, the loss being KL plus so much of
   * it. Its products are the trainer's. Throws TypeError for an encoder.
   */
  constructor(trainer: Trainer, kernels: Kernels, teacher: Decoder, hidden: number) {
    if (!teacher.weights.output) throw new TypeError('Distillation: the teacher has no output')
    this.#trainer = trainer
    this.#kernels = kernels
    this.#teacher = teacher as Decoder & { readonly weights: { readonly output: Linear } }
    this.#hidden = hidden
  }

  /**
   * Adds the gradients of the loss of all tokens, which is divided by `mean`: the tokens of these texts, or of a larger batch that they are a part of.
   * Returns sums over the tokens.
   */
  async gradients(texts: readonly TrainingInput[], mean: number): Promise<Distilled> {
    const losses = await this.#trainer.differentiate(texts, async scratch => {
      const taught = this.#teach(scratch, texts)
      // What the student's step uploads may take memory that operations have left.
      await this.#kernels.submit()
      return pass => [this.#divergence(pass, taught, 1 / mean), ...this.#errors(pass, taught, 1 / mean)]
    })
    const [kl, ...errors] = losses.map(rows => rows.reduce((sum, loss) => sum + loss, 0)) as [number, ...number[]]
    return { kl, hidden: errors.reduce((sum, error) => sum + error, 0) / Math.max(1, errors.length) }
  }

  #teach(scratch: TrainingScratch, texts: readonly TrainingInput[]): Taught {
    const kernels = this.#kernels
    const teacher = this.#teacher
    const { config, weights } = teacher
    const keys = contiguousKeys(kernels, scratch)
    const backend = { ops: this.#trainer.ops, scratch, keys }
    const step = prepareStep(kernels.memory, scratch, texts.map(inputOf), keys, teacher)
    let x = embedded(backend, teacher, step)
    const streams: Tensor[] = []
    for (const [i, layer] of config.layers.entries()) {
      const kept = scratch.take(x.shape)
      scratch.forgetting(() => {
        const at = layerStep(backend, teacher, step, i)
        kernels.copy(kept, runLayer(at, config, layer, weights.layers[i] as LayerWeights, x))
      })
      x = kept
      streams.push(x)
    }
    return { x: finalRows(backend, teacher, x, step.logitRows), streams }
  }

  #divergence({ ops, scratch, parameters, last, x, gradient }: Pass, taught: Taught, scale: number): Tensor {
    const { config, weights } = this.#teacher
    const { output } = weights
    const n = x.shape[0] as number
    const wanted = scratch.take([rowsAtATime(n, output.weight.rows), output.weight.rows])
    const rows = { x, dx: gradient(x) }
    return lossOfLogits(ops, scratch, parameters, last, rows, (losses, logits, row, count) => {
      const asked = rowsOf(wanted, 0, count)
      writeLogits({ ops, scratch }, asked, rowsOf(taught.x, row, count), output, config)
      ops.divergence(losses, logits, logits, asked, scale)
    })
  }

  /** Of each layer's stream. */
  #errors({ ops, scratch, streams, gradient }: Pass, taught: Taught, scale: number): Tensor[] {
    if (this.#hidden === 0) return []
    const by = (scale * this.#hidden) / streams.length
    return streams.map((x, i) => {
      const losses = scratch.take([x.shape[0] as number])
      ops.relativeError(losses, gradient(x), x, taught.streams[i] as Tensor, by)
      return losses
    })
  }
}
