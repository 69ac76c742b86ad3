import { ChannelParser } from './channel-parser.ts'
import type { ReplyEvent } from './events.ts'
import { ReplyParser } from './reply-parser.ts'
import type { ReplyReader, ReplyReaderOptions } from './reply-reader.ts'

/** A call as it was read. */
export interface ReadCall {
  readonly id: string
  readonly name: string
  /** JSON of an object, as the model wrote it but without blanks. */
  readonly json: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** False: it was cut off or is damaged. */
  readonly complete: boolean
}

/** An answer as it was read. */
export interface Reply {
  readonly reasoning: string
  readonly content: string
  readonly toolCalls: readonly ReadCall[]
}

/** Adds events up to an answer. */
export class ReplyBuilder {
  #reasoning = ''
  #content = ''
  readonly #calls: { id: string; name: string; json: string; complete: boolean }[] = []

  add(events: readonly ReplyEvent[]): void {
    for (const event of events) {
      switch (event.type) {
        case 'reasoning':
          this.#reasoning += event.text
          break
        case 'content':
          this.#content += event.text
          break
        case 'callStart':
          this.#calls[event.index] = { id: event.id, name: event.name, json: '', complete: false }
          break
        case 'arguments':
          this.#call(event.index).json += event.text
          break
        case 'callEnd':
          this.#call(event.index).complete = event.complete
          break
      }
    }
  }

  get reply(): Reply {
    return {
      reasoning: this.#reasoning,
      content: this.#content,
      toolCalls: this.#calls.map(call => ({ ...call, arguments: argumentsOf(call.json) })),
    }
  }

  #call(index: number): { json: string; complete: boolean } {
    return this.#calls[index] as { json: string; complete: boolean }
  }
}

/** What reads answers of the format. */
export function replyReader(options: ReplyReaderOptions): ReplyReader {
  return options.format.channels ? new ChannelParser(options) : new ReplyParser(options)
}

/** Reads a whole answer. */
export function readReply(text: string, options: ReplyReaderOptions): Reply {
  const parser = replyReader(options)
  const builder = new ReplyBuilder()
  builder.add(parser.feed(text))
  builder.add(parser.finish())
  return builder.reply
}

/** Of a call that is still being written: what has come of its arguments may be no JSON yet. */
function argumentsOf(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
  } catch {
    return {}
  }
}
