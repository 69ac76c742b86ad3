import { OptionError } from '../../errors.ts'
import { type DraftModel, DraftProposer } from '../../speculation/draft-model.ts'
import { promptLookup } from '../../speculation/prompt-lookup.ts'
import { Speculation } from '../../speculation/speculation.ts'
import type { SpeculationKind } from '../types/options.ts'

/** How a session's texts guess ahead. What a draft model has read of it stays for its next prompt. */
export class SessionSpeculation {
  readonly #draft: DraftModel | null
  #proposer: DraftProposer | null = null

  constructor(draft: DraftModel | null) {
    this.#draft = draft
  }

  /** For one text; null: it does not guess. Default: with the draft model if there is one. Throws OptionError. */
  begin(kind: SpeculationKind = this.#draft ? 'draft' : 'off'): Speculation | null {
    if (kind === 'off') return null
    if (kind === 'ngram') return new Speculation(promptLookup)
    if (!this.#draft) {
      throw new OptionError('speculation is "draft", but the engine has no draft model: give Engine.load a `draft`')
    }
    this.#proposer ??= new DraftProposer(this.#draft)
    return new Speculation(this.#proposer)
  }

  /** Lets go of the draft model's rows until they are needed. */
  forget(): void {
    this.#proposer?.forget()
  }

  dispose(): void {
    this.#proposer?.dispose()
  }
}
