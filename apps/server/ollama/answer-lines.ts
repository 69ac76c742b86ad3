/** Events of an answer as Ollama's objects, one a line or all as one. */
import type { AnswerEvent, DrawnToken, EndReason } from '../answers/events.ts'
import { wireLogprob } from '../answers/logprobs.ts'
import { type WholeCall, whole } from '../answers/whole.ts'
import type { Exchange } from '../http/exchange.ts'
import { json } from '../http/respond.ts'
import { stream } from '../http/stream.ts'
import { type Question, READY_MS, type Service } from '../service/service.ts'
import { failed } from './failed.ts'
import { loadOnly } from './load-only.ts'
import { head, ns } from './parts.ts'
import type { Asked } from './request.ts'

/** A part of an answer. */
export interface Piece {
  readonly text: string
  readonly thinking?: string
  readonly calls?: readonly WireCall[]
}

export interface WireCall {
  readonly id: string
  readonly function: { readonly index: number; readonly name: string; readonly arguments: unknown }
}

/** Where a piece goes in an object: `message` of chat, `response` of generate. */
export type Put = (piece: Piece) => object

const DONE: Readonly<Record<EndReason, string>> = { stop: 'stop', length: 'length', context: 'length', calls: 'stop' }

/** Answers what is asked; null: nothing is, and the model is only loaded. */
export async function answerLines(
  service: Service,
  exchange: Exchange<Asked>,
  question: Question | null,
  put: Put,
): Promise<Response> {
  const { model, stream: streams } = exchange.body
  if (!question) return loadOnly(service, exchange, put({ text: '' }))
  const begun = service.begin(exchange, question)
  const start = performance.now()
  const line = (piece: Piece, tokens: readonly DrawnToken[] = []) => ({
    ...head(model),
    ...put(piece),
    done: false,
    ...(tokens.length > 0 && { logprobs: tokens.map(wireLogprob) }),
  })
  if (streams === false) {
    const answer = await whole(begun.events)
    const [text] = answer.texts
    if (!text) throw new Error('the answer has no text')
    const calls = text.calls.flatMap((call, index) => (call.complete ? [wireCall(call, index)] : []))
    const piece = { text: text.text, thinking: text.reasoning, calls }
    return json({ ...line(piece, text.tokens), ...lastOf(start, text.reason, answer) })
  }
  await begun.ready(READY_MS)
  return stream(exchange, { dialect: { failed }, form: 'ndjson', pingMs: service.pingMs }, async writer => {
    const calls: WholeCall[] = []
    let tokens: readonly DrawnToken[] = []
    let reason: EndReason = 'stop'
    const send = (piece: Piece) => {
      const drawn = tokens
      tokens = []
      return writer.send(line(piece, drawn))
    }
    for await (const event of begun.events) {
      if (event.type === 'text') await send({ text: event.text })
      else if (event.type === 'reasoning') await send({ text: '', thinking: event.text })
      else if (event.type === 'logprobs') tokens = [...tokens, ...event.tokens]
      else if (event.type === 'finished') reason = event.reason
      else if (event.type === 'usage')
        await writer.send({ ...line({ text: '' }, tokens), ...lastOf(start, reason, event) })
      else {
        const call = collect(calls, event)
        if (call) await send({ text: '', calls: [call] })
      }
    }
  })
}

/** A call is sent when its arguments are whole: they are an object here. */
function collect(calls: WholeCall[], event: AnswerEvent): WireCall | null {
  if (event.type === 'call-begun') {
    calls[event.call] = { id: event.id, name: event.name, arguments: '', complete: false }
  } else if (event.type === 'call-arguments') {
    const call = calls[event.call]
    if (call) call.arguments += event.text
  } else if (event.type === 'call-ended' && event.complete) {
    const call = calls[event.call]
    if (call) return wireCall(call, event.call)
  }
  return null
}

function wireCall({ id, name, arguments: given }: WholeCall, index: number): WireCall {
  return { id, function: { index, name, arguments: JSON.parse(given === '' ? '{}' : given) } }
}

function lastOf(start: number, reason: EndReason, { usage, timings }: Omit<AnswerEvent & { type: 'usage' }, 'type'>) {
  const total = performance.now() - start
  const { promptMs, generationMs } = timings
  return {
    done: true,
    done_reason: DONE[reason],
    total_duration: ns(total),
    // Waiting and loading: what is neither reading nor writing.
    load_duration: ns(Math.max(0, total - promptMs - generationMs)),
    prompt_eval_count: usage.prompt,
    prompt_eval_duration: ns(promptMs),
    eval_count: usage.completion,
    eval_duration: ns(generationMs),
  }
}
