import type { Around } from '../../formats/table/format.ts'
import { ANALYSIS, REASONING_MARKS } from '../../formats/table/reasoning-marks.ts'
import type { ReasoningMarks } from '../../sampling/text-rules.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'

/** Those that are tokens of the model; else those that its chat template writes; null: it marks no reasoning. */
export function findReasoningMarks(tokenizer: Tokenizer): ReasoningMarks | null {
  const isToken = (mark: string) => tokenizer.tokenToId(mark) !== undefined
  const template = tokenizer.chatTemplate() ?? ''
  // R1 knows the end mark alone; that of channels ends other messages too.
  const shows = ({ begin, end }: Around) => template.includes(end === ANALYSIS.end ? begin : end)
  const found = REASONING_MARKS.find(({ begin, end }) => isToken(begin) && isToken(end)) ?? REASONING_MARKS.find(shows)
  if (!found) return null
  const encode = (mark: string) => tokenizer.encode(mark, { addSpecialTokens: false })
  return { open: encode(found.begin), close: encode(found.end) }
}
