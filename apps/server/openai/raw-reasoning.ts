/** `reasoning_format: "none"`: reasoning is part of the text, between marks that clients know. */
import type { AnswerEvent } from '../answers/events.ts'

/** A block that does not come to its end has no end mark. */
export async function* rawReasoning(events: AsyncIterable<AnswerEvent>): AsyncGenerator<AnswerEvent> {
  /** Choices whose block is open. */
  const open = new Set<number>()
  for await (const event of events) {
    if (event.type === 'reasoning') {
      const { choice, text } = event
      yield { type: 'text', choice, text: open.has(choice) ? text : `<think>${text}` }
      open.add(choice)
      continue
    }
    if ((event.type === 'text' || event.type === 'call-begun') && open.delete(event.choice)) {
      yield { type: 'text', choice: event.choice, text: '</think>' }
    }
    yield event
  }
}
