/** Prompts of encoder-decoders: a source text that the encoder reads, and a decoder's text that begins anew. */
import { OptionError, UnsupportedModelError } from '../../errors.ts'
import type { Parts } from '../load/load-parts.ts'
import { ContextLengthError } from '../types/errors.ts'
import type { InfillText, Prompt } from '../types/options/input.ts'
import type { HostPromptOptions } from '../types/protocol.ts'
import { knownIds, type PromptIds } from './prompt-ids.ts'

/**
 * A prompt is a source; an empty one goes on with the answer to the last. Throws UnsupportedModelError for messages, which such a model has
 * no template for, OptionError, and ContextLengthError for a source that is too long.
 */
export function sourcePrompt(
  { tokenizer, defaults, info, model }: Pick<Parts, 'tokenizer' | 'defaults' | 'info' | 'model'>,
  timeline: readonly number[],
  prompt: Prompt | InfillText,
  options: HostPromptOptions,
): PromptIds {
  // What ends every source would be one, too.
  const isEmpty = typeof prompt === 'string' && prompt === ''
  if (isEmpty && timeline.length > 0) return { ids: timeline, continues: true }
  const source = isEmpty ? [] : sourceIds(tokenizer, prompt, options, info.modelType)
  const { vocabSize, maxPositions } = model.config.source?.encoder ?? model.config
  if (source.length === 0) throw new OptionError('The prompt is empty; expected a source text of at least one token')
  if (source.length > maxPositions) {
    throw new ContextLengthError(
      `The source has ${source.length} tokens; this model reads at most ${maxPositions}. Shorten or split it.`,
      { tokens: source.length, contextLength: maxPositions },
    )
  }
  const foreign = source.find(id => id >= vocabSize)
  if (foreign !== undefined) {
    throw new OptionError(
      `The source has token ${foreign}, but the encoder knows tokens 0 to ${vocabSize - 1}: its tokenizer.json belongs to another model, or ` +
        'the token was added without training',
    )
  }
  return { ids: [defaults.startTokenId as number], continues: false, source }
}

function sourceIds(
  tokenizer: Parts['tokenizer'],
  prompt: Prompt | InfillText,
  { parseSpecial, addSpecialTokens = true }: HostPromptOptions,
  modelType: string,
): readonly number[] {
  if (typeof prompt === 'string') {
    return tokenizer.encode(prompt, { addSpecialTokens, ...(parseSpecial !== undefined && { parseSpecial }) })
  }
  if ('tokenIds' in prompt) return knownIds(prompt, tokenizer.vocabSize)
  throw new UnsupportedModelError(
    `A model of type ${modelType} is an encoder-decoder, which has no conversations and fills no gaps: give the source as a text, or its token ids.`,
  )
}
