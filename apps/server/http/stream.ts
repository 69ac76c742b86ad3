/** Responses that are streams: writes until the answer ends, fails, or the client leaves. */
import { Failure, failureOf } from '../failure.ts'
import type { Dialect } from './dialect.ts'
import { EventWriter, type EventWriterOptions, SSE_COMMENT } from './event-writer.ts'
import type { Exchange } from './exchange.ts'
import { failureFields } from './log.ts'

export interface StreamOptions extends Partial<Pick<EventWriterOptions, 'form' | 'ping'>> {
  readonly dialect: Pick<Dialect, 'failed'>
  readonly pingMs: number
  /** The name of the event that says what went wrong, for SSE. Default: it has none. */
  readonly errorEvent?: string
}

/**
 * Answers with a stream that `write` fills. What it throws becomes an event in the dialect's words, and the stream ends; where the client
 * has gone, the exchange is aborted and nobody is told.
 */
export function stream(
  exchange: Exchange,
  { dialect, pingMs, form = 'sse', ping = () => (form === 'sse' ? SSE_COMMENT : ''), errorEvent }: StreamOptions,
  write: (writer: EventWriter) => Promise<void>,
): Response {
  const lost = (reason: Error) => exchange.abort(new Failure('gone', reason.message, { code: 'aborted' }))
  const writer = new EventWriter({ form, pingMs, ping, lost })
  const run = async () => {
    try {
      await write(writer)
    } catch (error) {
      const failure = failureOf(error)
      exchange.note(failureFields(failure))
      exchange.abort(failure)
      await writer.send(dialect.failed(failure), errorEvent)
    } finally {
      writer.end()
    }
  }
  exchange.hold(run())
  return writer.response
}
