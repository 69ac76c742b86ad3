import type { Model } from '../model/model.ts'
import type { StepInput } from '../nn/step.ts'

/** What a model that drafts made of one text's tokens. */
export interface Drafted {
  /** [vocab], of the last token. Empty if none were wanted. */
  readonly logits: Float32Array
  /** [tokens, D], after the final norm; null: they were not asked for. */
  readonly states: Float32Array | null
}

interface Request {
  readonly input: StepInput
  resolve(drafted: Drafted): void
  reject(error: unknown): void
}

/** Steps of a model that drafts: what several texts request at once runs together. */
export class DraftSteps {
  readonly #model: Model
  readonly #withStates: boolean
  #requests: Request[] = []
  #turn: Promise<void> = Promise.resolve()

  /** `withStates`: what they return has states. */
  constructor(model: Model, withStates: boolean) {
    this.#model = model
    this.#withStates = withStates
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
      const { kernels } = this.#model
      const step = this.#withStates
        ? await this.#model.forwardStates(inputs)
        : { logits: await this.#model.forward(inputs), states: null }
      const [wanted, vocab] = step.logits.shape as [number, number]
      const logits = wanted > 0 ? ((await kernels.memory.read(step.logits)) as Float32Array) : new Float32Array(0)
      const states = step.states && ((await kernels.memory.read(step.states)) as Float32Array)
      const D = this.#model.config.hiddenSize
      let [row, token] = [0, 0]
      for (const { input, resolve } of requests) {
        const ends = row + (input.logits === 'last' ? 1 : 0)
        const after = token + input.tokens.length
        resolve({
          logits: logits.subarray(row * vocab, ends * vocab),
          states: states?.subarray(token * D, after * D) ?? null,
        })
        row = ends
        token = after
      }
    } catch (error) {
      for (const { reject } of requests) reject(error)
    }
  }
}
