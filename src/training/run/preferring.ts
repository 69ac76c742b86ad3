import { textsOfPair } from '../pairs.ts'
import type { Document } from '../pieces.ts'
import { type Preference, preference, weightsOf } from '../preferences.ts'
import type { Trainer } from '../trainer.ts'

/** DPO of a run: what the reference thinks of each pair, which is the model as the run begins with it, and what the policy learns. */
export class Preferring {
  readonly #trainer: Trainer
  readonly #beta: number
  readonly #microTokens: number
  readonly #reference = new Map<Document, readonly number[]>()

  constructor(trainer: Trainer, beta: number, microTokens: number) {
    this.#trainer = trainer
    this.#beta = beta
    this.#microTokens = microTokens
  }

  /** Before anything is learned: an adapter begins as none. Throws the signal's reason. */
  async prepare(pairs: readonly Document[], signal: AbortSignal | undefined): Promise<void> {
    for (const pair of pairs) {
      signal?.throwIfAborted()
      this.#reference.set(pair, await this.#trainer.logProbabilities(textsOfPair(pair)))
    }
  }

  /** Adds the gradients of the mean loss. */
  gradients(pairs: readonly Document[]): Promise<Preference> {
    return this.#run(pairs, (texts, reference) =>
      this.#trainer.weightedGradients(texts, policy => weightsOf(policy, reference, this.#beta, pairs.length)),
    )
  }

  measure(pairs: readonly Document[]): Promise<Preference> {
    return this.#run(pairs, texts => this.#trainer.logProbabilities(texts))
  }

  async #run(
    pairs: readonly Document[],
    compute: (texts: ReturnType<typeof textsOfPair>[number][], reference: readonly number[]) => Promise<number[]>,
  ): Promise<Preference> {
    const policy: number[] = []
    const reference: number[] = []
    for (const part of this.#parts(pairs)) {
      const known = part.flatMap(pair => this.#reference.get(pair) as readonly number[])
      policy.push(...(await compute(part.flatMap(textsOfPair), known)))
      reference.push(...known)
    }
    return preference(policy, reference, this.#beta)
  }

  /** Pairs that are computed at a time. */
  #parts(pairs: readonly Document[]): Document[][] {
    const parts: Document[][] = []
    let tokens = 0
    for (const pair of pairs) {
      if (parts.length === 0 || tokens + pair.tokens.length > this.#microTokens) {
        parts.push([])
        tokens = 0
      }
      parts.at(-1)?.push(pair)
      tokens += pair.tokens.length
    }
    return parts
  }
}
