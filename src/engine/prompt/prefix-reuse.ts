import type { PromptExtent } from '../../nn/attention/path.ts'
import type { Parts } from '../load/load-parts.ts'
import type { ReuseOptions } from '../past/provenance.ts'
import type { Timeline } from '../past/timeline.ts'
import type { HostPromptOptions, ToHost } from '../types/protocol.ts'
import { checkPromptIds, promptIds } from './prompt-ids.ts'

export interface ReusingPrompt {
  /** The whole timeline with the prompt at its end. */
  readonly ids: readonly number[]
  /** It goes on from the timeline instead of taking its place. */
  readonly continues: boolean
  /** It adds nothing to a text that was written, which goes on. */
  readonly goesOn: boolean
  /** Of the tokens to run; null: the last one, in the role that it had. */
  readonly extent: PromptExtent | null
}

/** Makes the timeline hold what a prompt can stand on. Throws ContextLengthError, OptionError. */
export function reusePrefix(
  { tokenizer, model }: Pick<Parts, 'tokenizer' | 'model'>,
  timeline: Timeline,
  { prompt, options }: Pick<ToHost & { type: 'prompt' }, 'prompt' | 'options'>,
): ReusingPrompt {
  const { ids, continues } = promptIds(tokenizer, timeline.tokens, prompt, options)
  checkPromptIds(ids, model.config.vocabSize, timeline.cache.maxTokens)
  const { rows, extent } = options.reuse === false ? timeline.anew(ids) : timeline.reuse(ids, reuseOptions(options))
  const goesOn = continues && ids.length === timeline.tokens.length && timeline.endsGenerated
  // Going on without new text: the last token keeps its role, so that the text is the one without a pause.
  return { ids, continues, goesOn, extent: goesOn && rows === ids.length - 1 ? null : extent }
}

export function reuseOptions({ strict = false, attentionPath: path }: HostPromptOptions): ReuseOptions {
  return { strict, ...(path && { path }) }
}
