/** How the texts of one prompt are found beside drawing them from its end: an answer that was begun elsewhere, and beams. */
import { flag, list, number, type OptionTable, whole } from '../../../options/kinds.ts'

/**
 * The beginning of an answer, as another engine wrote it. `Completion.text` and `tokenIds` are the whole answer; the iteration gives
 * only what is new, so that the text of the chunks here follows the text of the chunks there. `maxTokens` and `minTokens` count the
 * whole answer; `logprobs` are of the new tokens. Options must be those of the first call, with the seed that it reported.
 */
export interface ResumeOptions {
  /**
   * Ids that the answer has so far, in order: `Chunk.tokenId` of each chunk that came. They may end with an end-of-text token or a
   * stop sequence: then the answer is complete. Ids after its end and more than `maxTokens` are an OptionError; more than the
   * context holds, a ContextLengthError.
   */
  readonly tokenIds: readonly number[]
}

export const RESUME_OPTIONS = {
  tokenIds: { kind: list(whole(0), 'token ids'), description: 'ids that the answer has so far' },
} satisfies OptionTable<ResumeOptions>

/** Beam search instead of sampling. */
export interface BeamOptions {
  /** Texts that are followed at once, and that are found: 1 or more. */
  readonly width: number
  /**
   * Texts are compared by log-probability / tokens ** lengthPenalty. 0 favours short texts, 1 takes the mean, more favours
   * long ones. Default 1.
   */
  readonly lengthPenalty?: number
  /** End with the first `width` texts that end, instead of when no other can be expected to beat them. Default false. */
  readonly earlyStopping?: boolean
}

export const BEAM_OPTIONS = {
  width: { kind: whole(1), description: 'texts that are followed at once', flag: '--beams <n>' },
  lengthPenalty: {
    kind: number(),
    description: '0 favours short texts, above 1 long ones',
    defaultText: '1',
    flag: '--length-penalty <x>',
  },
  earlyStopping: { kind: flag, description: 'end with the first texts that end' },
} satisfies OptionTable<BeamOptions>
