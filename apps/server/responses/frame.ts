/** A response: the object, and its events with their numbers. */
import type { AnswerEvent, TokenCounts } from '../answers/events.ts'
import type { Failure } from '../failure.ts'
import { newId, now } from '../http/stamp.ts'
import { type Numberless, Output } from './output.ts'
import { wantsLogprobs } from './read-body.ts'
import type { ResponsesBody } from './request.ts'

/** Each event has its type as its name. */
export type WireEvent = { readonly type: string; readonly sequence_number: number; readonly [field: string]: unknown }

export class ResponseFrame {
  readonly id = newId('resp_')
  readonly #created = now()
  readonly #model: string
  readonly #body: ResponsesBody
  readonly #output: Output
  #sequence = 0
  #status = 'in_progress'
  #incomplete: { readonly reason: string } | null = null
  #error: { readonly code: string; readonly message: string } | null = null
  #usage: unknown = null

  constructor(model: string, body: ResponsesBody) {
    this.#model = model
    this.#body = body
    const { summary } = body.reasoning ?? {}
    this.#output = new Output({ summary: Boolean(summary), logprobs: wantsLogprobs(body) })
  }

  get output(): Output['items'] {
    return this.#output.items
  }

  start(): readonly WireEvent[] {
    return [this.#about('created'), this.#about('in_progress')]
  }

  /** Agents count events and not bytes. Within an item, one client takes no other news of the response. */
  ping(): WireEvent {
    return this.#output.hasBegun ? this.#numbered({ type: 'keepalive' }) : this.#about('in_progress')
  }

  *events(event: AnswerEvent): Iterable<WireEvent> {
    for (const one of this.#output.events(event)) yield this.#numbered(one)
    if (event.type === 'finished') {
      const isWhole = event.reason === 'stop' || event.reason === 'calls'
      this.#status = isWhole ? 'completed' : 'incomplete'
      this.#incomplete = isWhole ? null : { reason: 'max_output_tokens' }
    }
    if (event.type === 'usage') {
      this.#usage = usageOf(event.usage)
      yield this.#about(this.#status)
    }
  }

  failed({ code, message }: Failure): WireEvent {
    this.#status = 'failed'
    this.#error = { code, message }
    return this.#about('failed')
  }

  /** As it stands. */
  response(): Readonly<Record<string, unknown>> {
    const body = this.#body
    return {
      id: this.id,
      object: 'response',
      created_at: this.#created,
      status: this.#status,
      background: false,
      error: this.#error,
      incomplete_details: this.#incomplete,
      instructions: body.instructions ?? null,
      max_output_tokens: body.max_output_tokens ?? null,
      max_tool_calls: null,
      model: this.#model,
      output: structuredClone(this.#output.items),
      parallel_tool_calls: body.parallel_tool_calls ?? true,
      previous_response_id: body.previous_response_id ?? null,
      prompt_cache_key: body.prompt_cache_key ?? null,
      reasoning: { effort: body.reasoning?.effort ?? null, summary: body.reasoning?.summary ?? null },
      safety_identifier: null,
      service_tier: 'default',
      store: body.store ?? true,
      temperature: body.temperature ?? null,
      text: { format: body.text?.format ?? { type: 'text' }, verbosity: body.text?.verbosity ?? 'medium' },
      tool_choice: body.tool_choice ?? 'auto',
      tools: body.tools ?? [],
      top_logprobs: body.top_logprobs ?? 0,
      top_p: body.top_p ?? null,
      truncation: 'disabled',
      usage: this.#usage,
      user: body.user ?? null,
      metadata: body.metadata ?? {},
    }
  }

  #about(what: string): WireEvent {
    return this.#numbered({ type: `response.${what}`, response: this.response() })
  }

  #numbered(event: Numberless): WireEvent {
    return { ...event, sequence_number: this.#sequence++ }
  }
}

function usageOf({ prompt, cached, completion, reasoning }: TokenCounts) {
  return {
    input_tokens: prompt,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: completion,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: prompt + completion,
  }
}
