import { OptionError } from '../../errors.ts'
import { type DraftModel, DraftProposer } from '../../speculation/draft-model.ts'
import { type PredictionModel, PredictionProposer } from '../../speculation/prediction.ts'
import { promptLookup } from '../../speculation/prompt-lookup.ts'
import { Speculation } from '../../speculation/speculation.ts'
import type { Parts } from '../load/load-parts.ts'
import type { SpeculationKind } from '../types/options/prompt.ts'

/** How a session's texts guess ahead. What a model that drafts has read of it stays for its next prompt. */
export class SessionSpeculation {
  readonly #draft: DraftModel | null
  readonly #prediction: PredictionModel | null
  readonly #salt: string
  #drafts: DraftProposer | null = null
  #predictions: PredictionProposer | null = null

  /** `salt`: with whom the session shares what it has read. */
  constructor({ draft, prediction }: Pick<Parts, 'draft' | 'prediction'>, salt: string) {
    this.#draft = draft
    this.#prediction = prediction
    this.#salt = salt
  }

  /** For one text; null: it does not guess. Default: with what there is, a draft model first. Throws OptionError. */
  begin(kind: SpeculationKind = this.#usual): Speculation | null {
    switch (kind) {
      case 'off':
        return null
      case 'ngram':
        return new Speculation(promptLookup)
      case 'draft':
        if (!this.#draft) {
          throw new OptionError('speculation is "draft", but the engine has no draft model: give Engine.load a `draft`')
        }
        this.#drafts ??= new DraftProposer(this.#draft)
        return new Speculation(this.#drafts)
      case 'mtp':
        if (!this.#prediction) {
          throw new OptionError(
            'speculation is "mtp", but the engine was loaded without the model\'s module of multi-token prediction: give ' +
              'Engine.load mtp: "on"',
          )
        }
        this.#predictions ??= new PredictionProposer(this.#prediction, this.#salt)
        return new Speculation(this.#predictions)
    }
  }

  /** Lets go of the rows of models that draft until they are needed. */
  forget(): void {
    this.#drafts?.forget()
    this.#predictions?.forget()
  }

  dispose(): void {
    this.#drafts?.dispose()
    this.#predictions?.dispose()
  }

  get #usual(): SpeculationKind {
    return this.#draft ? 'draft' : this.#prediction ? 'mtp' : 'off'
  }
}
