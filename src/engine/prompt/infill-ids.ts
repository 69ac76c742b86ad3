import { UnsupportedModelError } from '../../errors.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import { ContextLengthError } from '../types/errors.ts'
import type { InfillText } from '../types/options.ts'
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
  const after = encode(suffix)
  const bos = addSpecialTokens && tokenizer.startsWithBos ? [tokenizer.bosId as number] : []
  const gap = Math.min(maxTokens ?? contextLength * GAP_SHARE.default, contextLength * GAP_SHARE.most)
  const room = contextLength - Math.ceil(gap) - bos.length - 3
  if (room < 0) {
    throw new ContextLengthError(
      `The context is ${contextLength} tokens; the marks of a gap and the text in it do not fit. Load the model with a larger contextLength.`,
      { tokens: bos.length + 3 + Math.ceil(gap), contextLength },
    )
  }
  const forAfter = Math.min(after.length, Math.max(Math.floor(room * SUFFIX_SHARE), room - before.length))
  const forBefore = Math.min(before.length, room - forAfter)
  const start = [marks.prefix, ...before.slice(before.length - forBefore)]
  const rest = [marks.suffix, ...after.slice(0, forAfter)]
  const ids = [...bos, ...(marks.suffixFirst ? [...rest, ...start] : [...start, ...rest]), marks.middle]
  const cutTokens = before.length - forBefore + after.length - forAfter
  return { ids, continues: false, ends: marks.ends, cutTokens }
}
