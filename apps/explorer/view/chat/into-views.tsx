/** Links from an answer to the views, with the conversation up to it as their text. */
import type { Numbers } from '../../numbers/numbers.ts'
import { hashOf, models, useAddress } from '../../state/address.ts'
import { useAnswer } from '../../state/use-answer.ts'
import { joined, messagesOf, type Said } from './conversation.ts'

const VIEWS = [
  ['tokens', 'its tokens'],
  ['patterns', 'its patterns'],
  ['number', 'one number'],
  ['cache', 'its cache'],
  ['latent', 'what a latent keeps of it'],
  ['next', 'what would come next'],
] as const

export function IntoViews({ numbers, said }: { numbers: Numbers; said: Said }) {
  const { params } = useAddress()
  const text = useAnswer(async () => {
    if (numbers.info.hasChatTemplate) return numbers.rendered(messagesOf(said))
    // An encoder-decoder has read what came before its answer, and no more.
    return numbers.info.source ? said.at(-2) : joined(said)
  }, [numbers, JSON.stringify(said)])
  if (text === undefined) return null
  return (
    <nav class="into" aria-label="Look into this answer">
      <span class="hint">Look into it:</span>
      {VIEWS.map(([view, label]) => (
        <a key={view} href={hashOf(view, { ...models(params), text })}>
          {label}
        </a>
      ))}
    </nav>
  )
}
