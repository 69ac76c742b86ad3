/** How calls of tools are shown. */
import type { ChatEvent } from '../../../src/index.ts'

/** Characters of a result that are shown. */
const SHOWN = 200

/** Turns the events of a chat into text as it comes: reasoning in its marks, the answer, and each call on a line of its own. */
export class ToolView {
  #part: 'reasoning' | 'content' | 'call' | null = null
  /** Of the answer so far. */
  #calls = 0

  /** What the event adds to the text. */
  text(event: ChatEvent): string {
    switch (event.type) {
      case 'reasoning':
        return this.#begin('reasoning', '<think>\n') + event.text
      case 'content':
        return this.#begin('content', '') + event.text
      case 'callStart':
        this.#calls++
        return `${this.#begin('call', '')}${this.#calls > 1 ? '\n' : ''}${event.name}(`
      case 'arguments':
        return event.text
      case 'callEnd':
        return event.complete ? ')' : ') (cut off)'
      case 'toolResult':
        this.#calls = 0
        return `\n${event.name}: ${shortened(event.content)}`
      case 'logprobs':
        return ''
    }
  }

  #begin(part: 'reasoning' | 'content' | 'call', opening: string): string {
    const before = this.#part
    this.#part = part
    if (before === part) return ''
    if (before === 'reasoning') return `\n</think>\n\n${opening}`
    return (before === null ? '' : '\n') + opening
  }
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line
}
