import { CacheFullError } from '../cache/pool.ts'
import type { SequenceCache } from '../cache/sequence-cache.ts'
import type { Model } from '../model/model.ts'
import { RowRunner } from '../model/row-runner.ts'
import type { StepInput } from '../nn/step.ts'
import { DraftSteps } from './draft-steps.ts'
import type { Likeliest } from './likeliest.ts'
import type { Proposer } from './proposer.ts'

/** Tokens of a long text that the draft model reads per step, so that no step of the large model waits for more. */
const READ_CHUNK = 512
/** A guess with a lower probability in the draft model is not worth a row. */
const MIN_PROBABILITY = 0.3

/** A small model that drafts for a larger one with the same vocabulary (arXiv 2211.17192). */
export class DraftModel {
  readonly model: Model
  readonly #steps: DraftSteps

  /** `vocabSize`: of the larger model, ids 0 .. vocabSize - 1. */
  constructor(model: Model, vocabSize: number) {
    this.model = model
    this.#steps = new DraftSteps(model, { vocabSize })
  }

  /** What comes after the last token, whose logits `input` wants. Concurrent requests, for several texts, run in one step. */
  async run(input: StepInput): Promise<Likeliest> {
    return (await this.#steps.run(input)).next as Likeliest
  }

  dispose(): void {
    this.model.dispose()
  }
}

/** A session's cache in the draft model, and the guesses made with it. */
export class DraftProposer implements Proposer {
  readonly most = 8
  readonly #draft: DraftModel
  readonly #cache: SequenceCache
  #isReading = false

  constructor(draft: DraftModel) {
    this.#draft = draft
    this.#cache = draft.model.sequence()
  }

  get isReading(): boolean {
    return this.#isReading
  }

  /** Greedy continuation while its tokens are likely enough. Empty while a long text is still being read. */
  async propose(tokens: readonly number[], count: number): Promise<readonly number[]> {
    this.#isReading = false
    if (tokens.length + count > this.#cache.maxTokens) return []
    try {
      const cache = this.#cache
      this.#keepCommon(tokens)
      const ids = tokens.slice(0, cache.length + READ_CHUNK)
      if (ids.slice(cache.length).some(id => id >= this.#draft.model.config.vocabSize)) return []
      const extent = ids.length - cache.length === 1 ? null : { start: cache.length, end: ids.length }
      const rows = new RowRunner({ cache, ids, extent })
      // Reserve here: in the step, a full cache would fail all sequences.
      let next = await this.#draft.run(rows.input(rows.promptLeft, 'last'))
      const found: number[] = []
      this.#isReading = cache.length < tokens.length
      if (this.#isReading) return found
      while (found.length < count) {
        const { token, probability } = next
        if (probability < MIN_PROBABILITY) break
        found.push(token)
        if (found.length === count) break
        rows.push(token)
        next = await this.#draft.run(rows.input(1, 'last'))
      }
      return found
    } catch (error) {
      if (!(error instanceof CacheFullError)) throw error
      this.forget()
      return []
    }
  }

  /** Releases its rows; they are computed again when needed. */
  forget(): void {
    this.#cache.truncate(0)
  }

  dispose(): void {
    this.#cache.dispose()
  }

  /** Truncates the cache to the prefix that it shares with the text. The last token is run again for its logits. */
  #keepCommon(tokens: readonly number[]): void {
    const { ids } = this.#cache
    let rows = 0
    while (rows < Math.min(ids.length, tokens.length - 1) && ids[rows] === tokens[rows]) rows++
    this.#cache.truncate(this.#cache.canTruncate(rows) ? rows : 0)
  }
}
