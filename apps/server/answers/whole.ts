/** An answer as a whole, for those who do not stream. */
import type { AnswerEvent, AnswerTimings, DrawnToken, EndReason, TokenCounts } from './events.ts'

export interface WholeCall {
  readonly id: string
  readonly name: string
  /** JSON. */
  arguments: string
  complete: boolean
}

export interface WholeText {
  reasoning: string
  text: string
  readonly calls: WholeCall[]
  readonly tokens: DrawnToken[]
  reason: EndReason
  stopSequence: string | null
  seed: number
}

export interface WholeAnswer {
  /** One for each choice. */
  readonly texts: readonly WholeText[]
  readonly usage: TokenCounts
  readonly timings: AnswerTimings
}

/** Throws what the answer throws. */
export async function whole(events: AsyncIterable<AnswerEvent>): Promise<WholeAnswer> {
  const texts: WholeText[] = []
  const at = (choice: number): WholeText => {
    texts[choice] ??= { reasoning: '', text: '', calls: [], tokens: [], reason: 'stop', stopSequence: null, seed: 0 }
    return texts[choice]
  }
  let end: Pick<WholeAnswer, 'usage' | 'timings'> | null = null
  for await (const event of events) {
    switch (event.type) {
      case 'reasoning':
        at(event.choice).reasoning += event.text
        break
      case 'text':
        at(event.choice).text += event.text
        break
      case 'logprobs':
        at(event.choice).tokens.push(...event.tokens)
        break
      case 'call-begun':
        at(event.choice).calls[event.call] = { id: event.id, name: event.name, arguments: '', complete: false }
        break
      case 'call-arguments':
        callOf(at(event.choice), event.call).arguments += event.text
        break
      case 'call-ended':
        callOf(at(event.choice), event.call).complete = event.complete
        break
      case 'finished': {
        const { reason, stopSequence, seed } = event
        Object.assign(at(event.choice), { reason, stopSequence, seed })
        break
      }
      case 'usage':
        end = event
        break
    }
  }
  if (!end) throw new Error('the answer ended without its usage')
  return { texts, usage: end.usage, timings: end.timings }
}

function callOf({ calls }: WholeText, index: number): WholeCall {
  const call = calls[index]
  if (!call) throw new Error(`call ${index} goes on, but has not begun`)
  return call
}
