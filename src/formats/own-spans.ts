import type { AssistantMessage, ConversationMessage } from './messages.ts'
import type { OwnAnswer } from './own-answers.ts'

/** A range of a prompt's text that is given as ids. */
export interface OwnSpan {
  readonly at: number
  readonly end: number
  readonly ids: readonly number[]
}

export interface OwnSpansOptions {
  readonly conversation: readonly ConversationMessage[]
  /** For each message, the answer of ours that it is. */
  readonly answers: readonly (OwnAnswer | null)[]
  /** Renders messages; `open`: with the opening of an answer. Throws where the template refuses. */
  readonly render: (messages: readonly ConversationMessage[], open: boolean) => string
  /** Whether two texts are the same answer, though written otherwise (blanks in JSON). */
  readonly same: (shown: string, own: string) => boolean
}

const SENTINEL = 'sentinelAnswer7'

/**
 * Where a prompt shows answers of ours as they were written, from the beginning on. After the first that it shows otherwise
 * (without its reasoning, say) nothing is cached, so the others do not matter.
 */
export function ownSpans(prompt: string, options: OwnSpansOptions): OwnSpan[] {
  const { conversation, answers } = options
  const spans: OwnSpan[] = []
  for (const [i, own] of answers.entries()) {
    if (own === null || own.ids.length === 0 || conversation[i]?.role !== 'assistant') continue
    const span = spanOf(prompt, i, own, options)
    if (span === null) break
    spans.push(span)
  }
  return spans
}

function spanOf(prompt: string, i: number, own: OwnAnswer, options: OwnSpansOptions): OwnSpan | null {
  const { conversation, render, same } = options
  try {
    const before = render(conversation.slice(0, i), true)
    if (!prompt.startsWith(before)) return null
    const at = before.length
    const turn = turnEnd(conversation.slice(0, i), render)
    if (turn !== '' && prompt.startsWith(own.text + turn, at)) return { at, end: at + own.text.length, ids: own.ids }
    const whole = render(conversation.slice(0, i + 1), false)
    if (turn === '' || !prompt.startsWith(whole) || !whole.endsWith(turn)) return null
    const end = whole.length - turn.length
    return end >= at && same(whole.slice(at, end), own.text) ? { at, end, ids: own.ids } : null
  } catch {
    return null
  }
}

/** What the template writes after an answer. */
function turnEnd(before: readonly ConversationMessage[], render: OwnSpansOptions['render']): string {
  const answer: AssistantMessage = { role: 'assistant', content: SENTINEL }
  const text = render([...before, answer], false)
  const at = text.lastIndexOf(SENTINEL)
  return at < 0 ? '' : text.slice(at + SENTINEL.length)
}
