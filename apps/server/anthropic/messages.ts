/** /v1/messages and /v1/messages/count_tokens */
import type { AnswerEvent } from '../answers/events.ts'
import { type Dialect, type Endpoint, endpoint } from '../http/dialect.ts'
import { type EventWriter, sse } from '../http/event-writer.ts'
import { json, withIgnored } from '../http/respond.ts'
import { stream } from '../http/stream.ts'
import { READY_MS, type Service } from '../service/service.ts'
import { MessageFrame, type WireEvent } from './frame.ts'
import { readBody, readInput } from './read-body.ts'
import { CountBody, MessagesBody } from './request.ts'

const PING: WireEvent = { type: 'ping' }

export function messagesEndpoint(service: Service, dialect: Pick<Dialect, 'failed'>): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/v1/messages',
    summary: "Answers a conversation (Anthropic's API)",
    body: MessagesBody,
    run: async exchange => {
      const { body } = exchange
      const { asked, ignored } = readBody(body)
      const { model, events, ready } = service.begin(exchange, asked)
      const frame = new MessageFrame(model)
      if (!body.stream) return withIgnored(json(await whole(events, frame)), ignored)
      await ready(READY_MS)
      const pings = {
        pingMs: service.pingMs,
        ping: () => sse(PING, PING.type),
      }
      const response = stream(exchange, { dialect, ...pings, errorEvent: 'error' }, async writer => {
        await send(writer, events, frame)
      })
      return withIgnored(response, ignored)
    },
  })
}

export function countEndpoint(service: Service): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/v1/messages/count_tokens',
    summary: "Counts the tokens of a conversation (Anthropic's API)",
    body: CountBody,
    run: async exchange => {
      const { body } = exchange
      const { asked: input, ignored } = readInput(body)
      const { tokens } = await service.countChat(exchange, { model: body.model, input })
      return withIgnored(json({ input_tokens: tokens }), ignored)
    },
  })
}

async function whole(events: AsyncIterable<AnswerEvent>, frame: MessageFrame): Promise<unknown> {
  let message: unknown
  for await (const event of events) {
    for (const _ of frame.events(event)) {
      // They add up in the frame.
    }
    if (event.type === 'usage') message = frame.whole(event.usage)
  }
  return message
}

/** The message begins when the engine has its prompt: until then there are pings. */
async function send(writer: EventWriter, events: AsyncIterable<AnswerEvent>, frame: MessageFrame): Promise<void> {
  const write = (event: WireEvent) => writer.send(event, event.type)
  let isBegun = false
  for await (const event of events) {
    const made = [...frame.events(event)]
    if (!isBegun && event.type === 'progress') {
      isBegun = true
      await write(frame.start())
      await write(PING)
    }
    for (const one of made) await write(one)
  }
}
