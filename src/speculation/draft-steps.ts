import type { Model } from '../model/model.ts'
import type { StepInput } from '../nn/step.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { type Likeliest, likeliest } from './likeliest.ts'

/** What a model that drafts made of one text's tokens. */
export interface Drafted {
  /** What comes after the last token; null: no logits were wanted. */
  readonly next: Likeliest | null
  /** [D], of the last token, after the final norm; null: they were not asked for, or no logits were wanted. */
  readonly state: Float32Array | null
}

interface Request {
  readonly input: StepInput
  resolve(drafted: Drafted): void
  reject(error: unknown): void
}

interface DraftStepsOptions {
  /** What they return has states. Default false. */
  readonly withStates?: boolean
  /** Ids that may be guessed: 0 .. vocabSize - 1. Default: all. */
  readonly vocabSize?: number
}

/** Steps of a model that drafts: what several texts request at once runs together. */
export class DraftSteps {
  readonly #model: Model
  readonly #withStates: boolean
  readonly #vocabSize: number
  #requests: Request[] = []
  #turn: Promise<void> = Promise.resolve()
  /** What the last step's logits and states were read into; longer ones take their places. */
  #logits = new Float32Array(0)
  #states = new Float32Array(0)

  constructor(model: Model, { withStates = false, vocabSize = model.config.vocabSize }: DraftStepsOptions = {}) {
    this.#model = model
    this.#withStates = withStates
    this.#vocabSize = vocabSize
  }

  /** `input` wants the logits of its last token, or none. */
  run(input: StepInput): Promise<Drafted> {
    return new Promise((resolve, reject) => {
      this.#requests.push({ input, resolve, reject })
      if (this.#requests.length === 1) this.#turn = this.#turn.then(() => this.#step())
    })
  }

  async #step(): Promise<void> {
    const requests = this.#requests
    this.#requests = []
    try {
      const inputs = requests.map(({ input }) => input)
      const step = this.#withStates
        ? await this.#model.forwardStates(inputs)
        : { logits: await this.#model.forward(inputs), states: null }
      const [, vocab] = step.logits.shape as [number, number]
      this.#logits = await this.#read(step.logits, this.#logits)
      if (step.states) this.#states = await this.#read(step.states, this.#states)
      const D = this.#model.config.hiddenSize
      let [row, token] = [0, 0]
      for (const { input, resolve, reject } of requests) {
        const start = row * vocab
        const wanted = input.logits === 'last'
        token += input.tokens.length
        if (wanted) row++
        try {
          resolve({
            next: wanted ? likeliest(this.#logits.subarray(start, start + Math.min(vocab, this.#vocabSize))) : null,
            state: wanted && step.states ? this.#states.slice((token - 1) * D, token * D) : null,
          })
        } catch (error) {
          // Logits that are no numbers are the matter of their text alone.
          reject(error)
        }
      }
    } catch (error) {
      for (const { reject } of requests) reject(error)
    }
  }

  /** Into `memory` where that is long enough. */
  async #read(tensor: Tensor, memory: Float32Array<ArrayBuffer>): Promise<Float32Array<ArrayBuffer>> {
    const count = tensor.shape.reduce((product, size) => product * size, 1)
    const into = memory.length < count ? new Float32Array(count) : memory
    if (count > 0) await this.#model.kernels.memory.read(tensor, into.subarray(0, count))
    return into
  }
}
