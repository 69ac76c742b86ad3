import { UnsupportedModelError } from '../../errors.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import { ContextLengthError } from '../types/errors.ts'
import type { InfillText } from '../types/options/input.ts'
import type { HostPromptOptions } from '../types/protocol.ts'
import type { PromptIds } from './prompt-ids.ts'

/** Share of the context that is left for the gap where maxTokens is not given, and at most. */
const GAP_SHARE = { default: 1 / 4, most: 1 / 2 }
/** Of the room for both texts: what the suffix may take even if the prefix would fill it all. */
const SUFFIX_SHARE = 1 / 4

/**
 * The ids of a prompt that asks for the text between two others, by the family's marks. What the context does not hold is cut at
 * the far ends: the beginning of the prefix, the end of the suffix. Throws UnsupportedModelError for a model without such marks.
 */
export function infillIds(
  tokenizer: Tokenizer,
  { prefix, suffix }: InfillText,
  options: HostPromptOptions,
  { name, contextLength }: { readonly name: string; readonly contextLength: number },
): PromptIds {
  const marks = tokenizer.infill
  if (!marks) {
    throw new UnsupportedModelError(
      `${name} has no marks of a gap (such as <|fim_prefix|>, <|fim_suffix|> and <|fim_middle|>), so it cannot fill one; ` +
        'use a model that was trained to, such as Qwen2.5-Coder, DeepSeek-Coder-V2, StarCoder2 or CodeGemma.',
    )
  }
  const { parseSpecial = false, addSpecialTokens = true, maxTokens } = options
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false, parseSpecial })
  const before = encode(prefix)
  const after = marks.suffixContinues ? continued(encode, suffix) : encode(suffix)
  const bos = addSpecialTokens && tokenizer.startsWithBos ? [tokenizer.bosId as number] : []
  const gap = Math.min(maxTokens ?? contextLength * GAP_SHARE.default, contextLength * GAP_SHARE.most)
  const middle = marks.middle === null ? [] : [marks.middle]
  const marked = 2 + middle.length
  const room = contextLength - Math.ceil(gap) - bos.length - marked
  if (room < 0) {
    throw new ContextLengthError(
      `The context is ${contextLength} tokens; the marks of a gap and the text in it do not fit. Load the model with a larger contextLength.`,
      { tokens: bos.length + marked + Math.ceil(gap), contextLength },
    )
  }
  const forAfter = Math.min(after.length, Math.max(Math.floor(room * SUFFIX_SHARE), room - before.length))
  const forBefore = Math.min(before.length, room - forAfter)
  const start = [marks.prefix, ...before.slice(before.length - forBefore)]
  const rest = [marks.suffix, ...after.slice(0, forAfter)]
  const ids = [...bos, ...(marks.suffixFirst ? [...rest, ...start] : [...start, ...rest]), ...middle]
  const cutTokens = before.length - forBefore + after.length - forAfter
  return { ids, continues: false, ends: marks.ends, cutTokens }
}

/** What no text begins with, so that it stays a token of its own. */
const LEAD = '☺'

/** A text as the rest of another: its ids without the space that a tokenizer puts before a text. */
function continued(encode: (text: string) => readonly number[], text: string): readonly number[] {
  const lead = encode(LEAD)
  const ids = encode(LEAD + text)
  return lead.every((id, i) => ids[i] === id) ? ids.slice(lead.length) : encode(text)
}
