/** An answer's events as Anthropic's, and the whole message that they add up to. */
import type { AnswerEvent, EndReason, TokenCounts } from '../answers/events.ts'
import { newId } from '../http/stamp.ts'

/** Each event has its type as its name. */
export type WireEvent = { readonly type: string; readonly [field: string]: unknown }

type Block =
  | { readonly type: 'thinking'; thinking: string; signature: string }
  | { readonly type: 'text'; text: string }
  | { readonly type: 'tool_use'; readonly id: string; readonly name: string; input: unknown }

const STOP_REASONS: Readonly<Record<EndReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  context: 'model_context_window_exceeded',
  calls: 'tool_use',
}

/** Clients send reasoning back only if it is signed; nobody checks by what. */
const SIGNATURE = 'latentkit'

export class MessageFrame {
  readonly #id = newId('msg_')
  readonly #model: string
  readonly #blocks: Block[] = []
  /** The arguments so far of the call that is open. */
  #input = ''
  #isOpen = false
  /** What the cache has of it is known before it is read. */
  #prompt: Pick<TokenCounts, 'prompt' | 'cached'> | null = null
  #end: { readonly stop_reason: string; readonly stop_sequence: string | null } | null = null

  constructor(model: string) {
    this.#model = model
  }

  /** The first event; what is read of the prompt so far says how many tokens it has. */
  start(): WireEvent {
    const message = { ...this.#head(), content: [], stop_reason: null, stop_sequence: null }
    const usage = usageOf({ prompt: 0, cached: 0, ...this.#prompt, completion: 0 })
    return { type: 'message_start', message: { ...message, usage } }
  }

  *events(event: AnswerEvent): Iterable<WireEvent> {
    switch (event.type) {
      case 'progress':
        this.#prompt ??= { prompt: event.total, cached: event.tokens }
        break
      case 'reasoning':
        yield* this.#into('thinking', { type: 'thinking', thinking: '', signature: '' })
        yield this.#delta({ type: 'thinking_delta', thinking: event.text })
        break
      case 'text':
        yield* this.#into('text', { type: 'text', text: '' })
        yield this.#delta({ type: 'text_delta', text: event.text })
        break
      case 'call-begun': {
        const { id, name } = event
        yield* this.#close()
        yield this.#open({ type: 'tool_use', id, name, input: {} })
        break
      }
      case 'call-arguments':
        yield this.#delta({ type: 'input_json_delta', partial_json: event.text })
        break
      case 'call-ended':
        yield* this.#close()
        break
      case 'finished': {
        const { reason, stopSequence } = event
        yield* this.#close()
        const stopped = reason === 'stop' && stopSequence !== null
        this.#end = { stop_reason: stopped ? 'stop_sequence' : STOP_REASONS[reason], stop_sequence: stopSequence }
        break
      }
      case 'usage':
        yield { type: 'message_delta', delta: this.#end, usage: usageOf(event.usage) }
        yield { type: 'message_stop' }
    }
  }

  /** When all events are through. */
  whole(usage: TokenCounts): unknown {
    return { ...this.#head(), content: this.#blocks, ...this.#end, usage: usageOf(usage) }
  }

  #head() {
    return { id: this.#id, type: 'message', role: 'assistant', model: this.#model }
  }

  *#into(type: Block['type'], block: Block): Iterable<WireEvent> {
    if (this.#isOpen && this.#blocks.at(-1)?.type === type) return
    yield* this.#close()
    yield this.#open(block)
  }

  #open(block: Block): WireEvent {
    // The event shows the block as it begins.
    const content_block = { ...block }
    this.#blocks.push(block)
    this.#isOpen = true
    this.#input = ''
    return { type: 'content_block_start', index: this.#blocks.length - 1, content_block }
  }

  #delta(
    delta:
      | { readonly type: 'thinking_delta'; readonly thinking: string }
      | { readonly type: 'signature_delta'; readonly signature: string }
      | { readonly type: 'text_delta'; readonly text: string }
      | { readonly type: 'input_json_delta'; readonly partial_json: string },
  ): WireEvent {
    const block = this.#blocks.at(-1)
    if (delta.type === 'input_json_delta') this.#input += delta.partial_json
    else if (delta.type === 'text_delta' && block?.type === 'text') block.text += delta.text
    else if (delta.type === 'thinking_delta' && block?.type === 'thinking') block.thinking += delta.thinking
    else if (delta.type === 'signature_delta' && block?.type === 'thinking') block.signature = delta.signature
    return { type: 'content_block_delta', index: this.#blocks.length - 1, delta }
  }

  *#close(): Iterable<WireEvent> {
    if (!this.#isOpen) return
    const block = this.#blocks.at(-1)
    if (block?.type === 'thinking') yield this.#delta({ type: 'signature_delta', signature: SIGNATURE })
    if (block?.type === 'tool_use') block.input = this.#input === '' ? {} : JSON.parse(this.#input)
    this.#isOpen = false
    yield { type: 'content_block_stop', index: this.#blocks.length - 1 }
  }
}

/** `input_tokens` are those that were not cached. */
function usageOf({ prompt, cached, completion }: Pick<TokenCounts, 'prompt' | 'cached' | 'completion'>) {
  return {
    input_tokens: prompt - cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cached,
    output_tokens: completion,
  }
}
