import type { PromptExtent } from '../../nn/attention/path.ts'
import type { Parts } from '../load/load-parts.ts'
import type { ReuseOptions } from '../past/reusable-rows.ts'
import type { Timeline } from '../past/timeline.ts'
import type { HostPromptOptions } from '../types/protocol.ts'
import { checkPromptIds, checkResumedIds, type PromptIds } from './prompt-ids.ts'

export interface PreparedPrompt {
  /** It adds nothing to a generated text, which goes on. */
  readonly resumes: boolean
  /** Of the tokens to run; null: the last one, in the role that it had. */
  readonly extent: PromptExtent | null
}

/**
 * Makes the timeline hold the rows that a prompt can reuse, and no others. `learns`: the logits of resumed ids are needed, so their
 * rows are computed again. Throws ContextLengthError, OptionError.
 */
export function reusePrefix(
  { model }: Pick<Parts, 'model'>,
  timeline: Timeline,
  { ids, continues, source }: PromptIds,
  options: HostPromptOptions,
  learns = false,
): PreparedPrompt {
  const { vocabSize } = model.config
  const { maxTokens } = timeline.cache
  checkPromptIds(ids, vocabSize, maxTokens)
  const resumed = options.resume?.tokenIds ?? []
  checkResumedIds(resumed, ids.length, vocabSize, maxTokens)
  if (source) timeline.readFrom(model.source(source))
  const known = learns ? [] : resumed
  const given = { ...reuseOptions(options), ...(known.length > 0 && { promptLength: ids.length }) }
  const { rows, extent } = reuses(options) ? timeline.reuse([...ids, ...known], given) : timeline.anew(ids)
  const resumes = continues && ids.length === timeline.tokens.length && timeline.endsGenerated
  // Going on without new text: the last token keeps its role, so that the text is the one without a pause.
  return { resumes, extent: resumes && rows >= ids.length - 1 ? null : extent }
}

/** Whether a prompt takes what is cached. */
export function reuses({ reuse = true, useCache = true }: HostPromptOptions): boolean {
  return reuse && useCache
}

export function reuseOptions({ strict = false, attentionPath: path }: HostPromptOptions): ReuseOptions {
  return { strict, ...(path && { path }) }
}
