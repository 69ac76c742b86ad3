import { REASONING_MARKS } from '../../formats/table/reasoning-marks.ts'
import type { ReasoningMarks } from '../../sampling/text-rules.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'

/** Those that are tokens of the model; else those that its chat template writes; null: it marks no reasoning. */
export function findReasoningMarks(tokenizer: Tokenizer): ReasoningMarks | null {
  const isToken = (mark: string) => tokenizer.tokenToId(mark) !== undefined
  const template = tokenizer.chatTemplate() ?? ''
  const found =
    REASONING_MARKS.find(({ begin, end }) => isToken(begin) && isToken(end)) ??
    REASONING_MARKS.find(({ end }) => template.includes(end))
  if (!found) return null
  const encode = (mark: string) => tokenizer.encode(mark, { addSpecialTokens: false })
  return { open: encode(found.begin), close: encode(found.end) }
}
