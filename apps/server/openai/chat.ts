/** /v1/chat/completions */
import type { AnswerEvent, DrawnToken } from '../answers/events.ts'
import { wireLogprob } from '../answers/logprobs.ts'
import { timingsOf } from '../answers/timings.ts'
import { type WholeText, whole } from '../answers/whole.ts'
import { type Dialect, type Endpoint, endpoint } from '../http/dialect.ts'
import { json, withIgnored } from '../http/respond.ts'
import { newId, now } from '../http/stamp.ts'
import { stream } from '../http/stream.ts'
import { type Begun, READY_MS, type Service } from '../service/service.ts'
import { finishReason, usageOf } from './parts.ts'
import { rawReasoning } from './raw-reasoning.ts'
import { readChat } from './read-chat.ts'
import { ChatBody } from './request.ts'

export function chatEndpoint(service: Service, dialect: Pick<Dialect, 'failed'>): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/v1/chat/completions',
    summary: 'Answers a conversation',
    body: ChatBody,
    run: async exchange => {
      const { body } = exchange
      const { asked, ignored } = readChat(body)
      const begun = service.begin(exchange, asked)
      const frame = new ChatFrame(begun, body)
      const events = body.reasoning_format === 'none' ? rawReasoning(begun.events) : begun.events
      if (!body.stream) return withIgnored(json(await wholeChat(events, frame)), ignored)
      await begun.ready(READY_MS)
      const response = stream(exchange, { dialect, pingMs: service.pingMs }, async writer => {
        for (let choice = 0; choice < (body.n ?? 1); choice++) await writer.send(frame.role(choice))
        for await (const event of events) {
          for (const chunk of frame.chunks(event)) await writer.send(chunk)
        }
        await writer.send('[DONE]')
      })
      return withIgnored(response, ignored)
    },
  })
}

async function wholeChat(events: Begun['events'], frame: ChatFrame): Promise<unknown> {
  const { texts, usage, timings } = await whole(events)
  return {
    ...frame.head('chat.completion'),
    choices: texts.map((text, index) => ({
      index,
      message: frame.message(text),
      logprobs: frame.logprobs(text.tokens),
      finish_reason: finishReason(text.reason),
    })),
    usage: usageOf(usage),
    timings: timingsOf(usage, timings),
  }
}

/** What all chunks of one answer share, and how its events become chunks. */
class ChatFrame {
  readonly #id = newId('chatcmpl-')
  readonly #created = now()
  readonly #model: string
  readonly #body: ChatBody
  /** Of each choice, tokens whose text is still to come. */
  readonly #drawn: DrawnToken[][] = []

  constructor({ model }: Begun, body: ChatBody) {
    this.#model = model
    this.#body = body
  }

  head(object: 'chat.completion' | 'chat.completion.chunk') {
    return {
      ...{ id: this.#id, object, created: this.#created, model: this.#model },
      system_fingerprint: 'latentkit',
    }
  }

  message({ reasoning, text, calls }: WholeText) {
    return {
      role: 'assistant',
      content: text === '' && calls.length > 0 ? null : text,
      refusal: null,
      ...(reasoning !== '' && { reasoning_content: reasoning }),
      ...(calls.length > 0 && {
        tool_calls: calls.map(({ id, name, arguments: given }) => {
          return { id, type: 'function', function: { name, arguments: given } }
        }),
      }),
    }
  }

  logprobs(tokens: readonly DrawnToken[]) {
    return this.#body.logprobs ? { content: tokens.map(wireLogprob), refusal: null } : null
  }

  role(choice: number): unknown {
    return this.#chunk(choice, { role: 'assistant', content: '', refusal: null })
  }

  *chunks(event: AnswerEvent): Iterable<unknown> {
    switch (event.type) {
      case 'progress':
        if (this.#body.return_progress) yield this.#progress(event)
        break
      case 'logprobs':
        this.#drawn[event.choice] = [...(this.#drawn[event.choice] ?? []), ...event.tokens]
        break
      case 'reasoning':
        yield this.#chunk(event.choice, { reasoning_content: event.text })
        break
      case 'text':
        yield this.#chunk(event.choice, { content: event.text })
        break
      case 'call-begun': {
        const { choice, call: index, id, name } = event
        yield this.#chunk(choice, { tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }] })
        break
      }
      case 'call-arguments': {
        const { choice, call: index, text } = event
        yield this.#chunk(choice, { tool_calls: [{ index, function: { arguments: text } }] })
        break
      }
      case 'finished':
        yield this.#chunk(event.choice, {}, finishReason(event.reason))
        break
      case 'usage':
        if (!this.#body.stream_options?.include_usage) break
        yield {
          ...this.head('chat.completion.chunk'),
          choices: [],
          usage: usageOf(event.usage),
          timings: timingsOf(event.usage, event.timings),
        }
    }
  }

  #chunk(index: number, delta: object, finish_reason: string | null = null): unknown {
    const drawn = this.#drawn[index] ?? []
    this.#drawn[index] = []
    const logprobs = drawn.length > 0 ? this.logprobs(drawn) : null
    return {
      ...this.head('chat.completion.chunk'),
      choices: [{ index, delta, logprobs, finish_reason }],
      ...(this.#body.stream_options?.include_usage && { usage: null }),
    }
  }

  #progress({ tokens, total }: AnswerEvent & { type: 'progress' }): unknown {
    return {
      ...this.head('chat.completion.chunk'),
      choices: [{ index: 0, delta: {}, logprobs: null, finish_reason: null }],
      prompt_progress: { total, processed: tokens },
    }
  }
}
