import { OptionError } from '../../errors.ts'
import { type TextPart, textOf } from '../../formats/messages.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import { ContextLengthError } from '../types/errors.ts'
import type { Prompt, PromptTokens } from '../types/options/input.ts'
import type { HostPromptOptions } from '../types/protocol.ts'

export interface PromptIds {
  /** The whole timeline with the prompt at its end. */
  readonly ids: readonly number[]
  /** The prompt extends the timeline; false: messages replace it. */
  readonly continues: boolean
  /** Tokens that end its answer, beside the model's own. Default: none. */
  readonly ends?: readonly number[]
  /** Of an encoder-decoder: what its encoder is to read. Default: what it read last. */
  readonly source?: readonly number[]
  /** Tokens of a gap's texts that the context did not hold. Default: it is no gap. */
  readonly cutTokens?: number
}

/** The ids a prompt stands for: text and ids go on from the timeline, messages take its place. */
export function promptIds(
  tokenizer: Tokenizer,
  timeline: readonly number[],
  prompt: Prompt,
  options: HostPromptOptions,
): PromptIds {
  const parse = options.parseSpecial === undefined ? {} : { parseSpecial: options.parseSpecial }
  if (typeof prompt === 'string') {
    const begins = timeline.length === 0 && (options.addSpecialTokens ?? true)
    const added = begins
      ? tokenizer.encodePrompt(prompt, parse)
      : tokenizer.encode(prompt, { ...parse, addSpecialTokens: false })
    return { ids: [...timeline, ...added], continues: true }
  }
  if (isTokens(prompt)) return { ids: [...timeline, ...knownIds(prompt, tokenizer.vocabSize)], continues: true }
  for (const [i, { content }] of prompt.entries()) {
    // A template would print a picture's part, or leave it out.
    if (Array.isArray(content)) textOf(content as readonly TextPart[], `messages[${i}].content`)
  }
  const { tools, templateVariables: variables, continueFinalMessage = false } = options
  const ids = tokenizer.encodeChat(prompt, {
    addGenerationPrompt: !continueFinalMessage,
    continueFinalMessage,
    ...parse,
    ...(tools && { tools }),
    ...(variables && { variables }),
  })
  return { ids, continues: false }
}

function isTokens(prompt: Exclude<Prompt, string>): prompt is PromptTokens {
  return 'tokenIds' in prompt
}

/** Throws OptionError for an id that no token has. */
export function knownIds({ tokenIds }: PromptTokens, vocabSize: number): number[] {
  const ids = Array.from(tokenIds)
  const foreign = ids.findIndex(id => id >= vocabSize)
  if (foreign < 0) return ids
  throw new OptionError(
    `prompt.tokenIds[${foreign}] is ${ids[foreign]}; expected an id of the model's, 0 to ${vocabSize - 1}`,
  )
}

export function checkPromptIds(ids: readonly number[], vocabSize: number, contextLength: number): void {
  if (ids.length === 0) throw new OptionError('The prompt is empty and so is the session; give at least one token')
  if (ids.length > contextLength) {
    throw new ContextLengthError(
      `The session would hold ${ids.length} tokens with this prompt; its context is ${contextLength}. ` +
        'Shorten the prompt, reset the session or load the model with a larger contextLength.',
      { tokens: ids.length, contextLength },
    )
  }
  const foreign = ids.find(id => id >= vocabSize)
  if (foreign !== undefined) {
    throw new OptionError(
      `The text has token ${foreign}, but the model knows tokens 0 to ${vocabSize - 1}: ` +
        'its tokenizer.json belongs to another model, or the token was added without training',
    )
  }
}

/** Ids that continue a prompt of `promptLength` tokens: known to the model, and within the context. */
export function checkResumedIds(
  ids: readonly number[],
  promptLength: number,
  vocabSize: number,
  contextLength: number,
): void {
  const foreign = ids.findIndex(id => id >= vocabSize)
  if (foreign >= 0) {
    throw new OptionError(
      `resume.tokenIds[${foreign}] is ${ids[foreign]}; expected an id of the model's, 0 to ${vocabSize - 1}`,
    )
  }
  const tokens = promptLength + ids.length
  if (tokens <= contextLength) return
  throw new ContextLengthError(
    `The prompt and resume.tokenIds have ${tokens} tokens; the context is ${contextLength}. An answer of which the context has ` +
      'dropped tokens cannot be resumed: give the part that is left as a prompt, or load the model with a larger contextLength.',
    { tokens, contextLength },
  )
}
