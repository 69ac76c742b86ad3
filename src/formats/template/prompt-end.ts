import type { PromptEnd } from '../read/reply-parser.ts'
import type { Around } from '../table/format.ts'

/** How a rendered prompt ends: inside a block of reasoning, after a closed one, or without any. */
export function promptEnd(prompt: string, { begin, end }: Around): PromptEnd {
  const text = prompt.trimEnd()
  if (text.endsWith(begin)) return 'open'
  return text.endsWith(end) ? 'closed' : 'none'
}
