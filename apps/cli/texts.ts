/** From flags to texts under way: one answer, several, or the best of several. */
import type { PromptOptions, Session } from '../../src/index.ts'
import { follow } from './answer.ts'
import type { Conversation } from './chat/conversation.ts'
import type { SeveralFlags } from './options/several.ts'
import type { Answer } from './output/stats.ts'

type OnText = (text: string) => Promise<void> | void

/** A text that is being written, or that was chosen among several. */
export interface Text {
  /** Where it stands. */
  readonly session: Session
  /** Hands it over as it comes. */
  tell(onText: OnText): Promise<Answer>
}

type Options = PromptOptions & { readonly seed: number; readonly signal: AbortSignal }

/** The answer to a message. */
export function answerTo(conversation: Conversation, prompt: string, options: Options): Text {
  const { seed, signal } = options
  const tell = (onText: OnText) => follow(conversation.ask(prompt, options), signal, seed, onText)
  return { session: conversation.session, tell }
}

/** What is wanted of one prompt: a text, several, or the best of several. All are written together. */
export async function textsOf(
  session: Session,
  prompt: string,
  { n, bestOf, suffix }: SeveralFlags & { readonly suffix?: string },
  options: Options,
): Promise<readonly Text[]> {
  const { seed, signal } = options
  if (bestOf !== undefined) {
    const best = await session.bestOf(prompt, bestOf, options)
    const tell = async (onText: OnText) => {
      await onText(best.completion.text)
      return best.completion
    }
    return [{ session: best.session, tell }]
  }
  if (n === undefined) {
    const generation =
      suffix === undefined ? session.prompt(prompt, options) : session.infill({ prefix: prompt, suffix }, options)
    return [{ session, tell: onText => follow(generation, signal, seed, onText) }]
  }
  const texts = await session.continuations(prompt, n, options)
  return texts.map((text, i) => ({
    session: text.session,
    tell: onText => follow(text.generation, signal, seed + i, onText),
  }))
}
