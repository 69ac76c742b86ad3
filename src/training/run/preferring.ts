import { textsOfPair } from '../pairs.ts'
import type { NumberedDocument } from '../pieces.ts'
import { type Preference, preference, weightsOf } from '../preferences.ts'
import type { Trainer } from '../trainer.ts'

/** DPO of a run: what the reference thinks of each pair, which is the model as the run begins with it, and what the policy learns. */
export class Preferring {
  readonly #trainer: Trainer
  readonly #beta: number
  readonly #microTokens: number
  /** By the pair's number. */
  readonly #reference = new Map<number, readonly number[]>()

  constructor(trainer: Trainer, beta: number, microTokens: number) {
    this.#trainer = trainer
    this.#beta = beta
    this.#microTokens = microTokens
  }

  /** Before anything is learned: an adapter begins as none. Throws the signal's reason. */
  async prepare(pairs: Iterable<NumberedDocument>, signal: AbortSignal | undefined): Promise<void> {
    for (const { index, document } of pairs) {
      signal?.throwIfAborted()
      this.#reference.set(index, await this.#trainer.logProbabilities(textsOfPair(document)))
    }
  }

  /** Adds the gradients of the mean loss. */
  gradients(pairs: readonly NumberedDocument[]): Promise<Preference> {
    return this.#run(pairs, (texts, reference) =>
      this.#trainer.weightedGradients(texts, policy => weightsOf(policy, reference, this.#beta, pairs.length)),
    )
  }

  measure(pairs: Iterable<NumberedDocument>): Promise<Preference> {
    return this.#run(pairs, texts => this.#trainer.logProbabilities(texts))
  }

  async #run(
    pairs: Iterable<NumberedDocument>,
    compute: (texts: ReturnType<typeof textsOfPair>[number][], reference: readonly number[]) => Promise<number[]>,
  ): Promise<Preference> {
    const policy: number[] = []
    const reference: number[] = []
    for (const part of this.#parts(pairs)) {
      const known = part.flatMap(({ index }) => this.#reference.get(index) as readonly number[])
      const texts = part.flatMap(({ document }) => textsOfPair(document))
      policy.push(...(await compute(texts, known)))
      reference.push(...known)
    }
    return preference(policy, reference, this.#beta)
  }

  /** Pairs that are computed at a time. */
  *#parts(pairs: Iterable<NumberedDocument>): Generator<NumberedDocument[], void, void> {
    let part: NumberedDocument[] = []
    let tokens = 0
    for (const pair of pairs) {
      const { length } = pair.document.tokens
      if (part.length > 0 && tokens + length > this.#microTokens) {
        yield part
        part = []
        tokens = 0
      }
      part.push(pair)
      tokens += length
    }
    if (part.length > 0) yield part
  }
}
