import type { PromptEnd } from '../read/reply-reader.ts'
import type { ChatFormat } from '../table/format.ts'

/** What is known of where a prompt is from. */
interface PromptSource {
  /** Source of the chat template. */
  readonly template?: string | undefined
  /** The model's name. */
  readonly model?: string
  /** The text of the message that the prompt goes on with. Default: none, it begins an answer. */
  readonly continued?: string
}

const R1 = /(^|[^a-z\d])r1([^a-z\d]|$)/i

/**
 * How a rendered prompt ends: inside a block of reasoning, after a closed one (or inside an answer), or without any. DeepSeek-R1 begins to
 * think without an opening mark where its template, as the first one, knows the end mark alone; others with such a template need not think.
 */
export function promptEnd(
  prompt: string,
  { reasoning: { begin, end }, channels }: Pick<ChatFormat, 'reasoning' | 'channels'>,
  { template = '', model = '', continued = '' }: PromptSource = {},
): PromptEnd {
  const text = prompt.trimEnd()
  if (channels) return channelEnd(text)
  if (text.endsWith(begin) || continued.lastIndexOf(begin) > continued.lastIndexOf(end)) return 'open'
  if (text.endsWith(end)) return 'closed'
  return R1.test(model) && template.includes(end) && !template.includes(begin) ? 'open' : 'none'
}

/** In which message's text it ends, if in one. */
function channelEnd(text: string): PromptEnd {
  const last = text.slice(Math.max(text.lastIndexOf('<|start|>'), 0))
  const [header, message] = last.split('<|message|>')
  if (message === undefined) return 'none'
  return /<\|channel\|>\s*analysis/.test(header as string) ? 'open' : 'closed'
}
