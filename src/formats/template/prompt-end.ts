import type { PromptEnd } from '../read/reply-reader.ts'
import type { Around } from '../table/format.ts'

/** What is known of where a prompt is from. */
interface PromptSource {
  /** Source of the chat template. */
  readonly template?: string | undefined
  /** The model's name. */
  readonly model?: string
}

const R1 = /(^|[^a-z\d])r1([^a-z\d]|$)/i

/**
 * How a rendered prompt ends: inside a block of reasoning, after a closed one, or without any. DeepSeek-R1 begins to think without an
 * opening mark where its template, as the first one, knows the end mark alone; others with such a template need not think.
 */
export function promptEnd(
  prompt: string,
  { begin, end }: Around,
  { template = '', model = '' }: PromptSource = {},
): PromptEnd {
  const text = prompt.trimEnd()
  if (text.endsWith(begin)) return 'open'
  if (text.endsWith(end)) return 'closed'
  return R1.test(model) && template.includes(end) && !template.includes(begin) ? 'open' : 'none'
}
