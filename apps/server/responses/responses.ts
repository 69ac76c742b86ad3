/** /v1/responses and /v1/responses/input_tokens */
import type { ConversationMessage } from '../../../src/index.ts'
import type { AnswerEvent } from '../answers/events.ts'
import { type Endpoint, endpoint } from '../http/dialect.ts'
import { type EventWriter, sse } from '../http/event-writer.ts'
import type { Exchange } from '../http/exchange.ts'
import { json, withIgnored } from '../http/respond.ts'
import { stream } from '../http/stream.ts'
import { READY_MS, type Service } from '../service/service.ts'
import { ResponseFrame, type WireEvent } from './frame.ts'
import type { KeptResponses } from './kept.ts'
import { readBody, readInput } from './read-body.ts'
import { type Known, readItems } from './read-items.ts'
import { CountBody, ResponsesBody } from './request.ts'

export function responsesEndpoint(service: Service, kept: KeptResponses): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/v1/responses',
    summary: "Answers a conversation (OpenAI's newer API)",
    body: ResponsesBody,
    run: async exchange => {
      const { body, owner } = exchange
      const { asked, said, ignored } = readBody(body, knownTo(exchange, kept))
      const { model, events, ready } = service.begin(exchange, asked)
      const frame = new ResponseFrame(model, body)
      const keep = () => {
        if (body.store !== false)
          kept.keep(frame.id, owner, { response: frame.response(), said: answered(said, frame) })
      }
      if (!body.stream) {
        for await (const event of events) add(event, frame)
        keep()
        return withIgnored(json(frame.response()), ignored)
      }
      await ready(READY_MS)
      const ways = {
        dialect: { failed: frame.failed.bind(frame) },
        errorEvent: 'response.failed',
        pingMs: service.pingMs,
        ping: () => {
          const event = frame.ping()
          return sse(event, event.type)
        },
      }
      const response = stream(exchange, ways, async writer => {
        await send(writer, events, frame)
        keep()
      })
      return withIgnored(response, ignored)
    },
  })
}

export function countEndpoint(service: Service, kept: KeptResponses): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/v1/responses/input_tokens',
    summary: "Counts the tokens of a conversation (OpenAI's newer API)",
    body: CountBody,
    run: async exchange => {
      const { asked: input, ignored } = readInput(exchange.body, knownTo(exchange, kept))
      const { tokens } = await service.countChat(exchange, { model: exchange.body.model, input })
      return withIgnored(json({ object: 'response.input_tokens', input_tokens: tokens }), ignored)
    },
  })
}

export function keptEndpoints(kept: KeptResponses): readonly Endpoint[] {
  const path = '/v1/responses/:id'
  return [
    endpoint({
      method: 'GET',
      path,
      summary: 'A response that was kept',
      run: ({ params, owner }) => json(kept.find(params.id ?? '', owner, 'id').response),
    }),
    endpoint({
      method: 'DELETE',
      path,
      summary: 'Forgets a response',
      run: ({ params, owner }) => {
        kept.forget(params.id ?? '', owner)
        return json({ id: params.id, object: 'response', deleted: true })
      },
    }),
  ]
}

function knownTo({ body, owner }: Exchange<CountBody>, kept: KeptResponses): Known {
  const { previous_response_id: id } = body
  return {
    said: id ? kept.find(id, owner, 'previous_response_id').said : [],
    item: id => kept.item(id, owner),
  }
}

/** The conversation with this answer, as it would come back. */
function answered(said: readonly ConversationMessage[], { output }: ResponseFrame): readonly ConversationMessage[] {
  const known = { said, item: () => undefined }
  return [
    ...said,
    ...readItems(
      output.map(item => ({ ...item })),
      known,
    ).messages,
  ]
}

function add(event: AnswerEvent, frame: ResponseFrame): void {
  for (const _ of frame.events(event)) {
    // They add up in the frame.
  }
}

async function send(writer: EventWriter, events: AsyncIterable<AnswerEvent>, frame: ResponseFrame): Promise<void> {
  const write = (event: WireEvent) => writer.send(event, event.type)
  for (const event of frame.start()) await write(event)
  for await (const event of events) {
    for (const one of frame.events(event)) await write(one)
  }
}
