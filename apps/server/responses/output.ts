/** The items of a response's output as they come, each with its events. */
import type { AnswerEvent, DrawnToken } from '../answers/events.ts'
import { wireLogprob } from '../answers/logprobs.ts'
import { newId } from '../http/stamp.ts'

/** An event without its number. */
export type Numberless = { readonly type: string; readonly [field: string]: unknown }

type Status = 'in_progress' | 'completed' | 'incomplete'

interface OutputText {
  readonly type: 'output_text'
  text: string
  readonly annotations: readonly never[]
  readonly logprobs: unknown[]
}

interface MessageItem {
  readonly id: string
  readonly type: 'message'
  status: Status
  readonly role: 'assistant'
  readonly content: OutputText[]
}

interface ReasoningText {
  readonly type: 'reasoning_text' | 'summary_text'
  text: string
}

interface ReasoningItem {
  readonly id: string
  readonly type: 'reasoning'
  status: Status
  readonly summary: ReasoningText[]
  readonly content: ReasoningText[]
  readonly encrypted_content: null
}

interface CallItem {
  readonly id: string
  readonly type: 'function_call'
  status: Status
  readonly call_id: string
  readonly name: string
  arguments: string
}

export type OutputItem = MessageItem | ReasoningItem | CallItem

export interface OutputOptions {
  /** Reasoning is shown as its summary: some clients show nothing else. */
  readonly summary: boolean
  readonly logprobs: boolean
}

export class Output {
  readonly #options: OutputOptions
  readonly #items: OutputItem[] = []
  #isOpen = false
  /** Tokens whose text is still to come. */
  #drawn: DrawnToken[] = []

  constructor(options: OutputOptions) {
    this.#options = options
  }

  get items(): readonly OutputItem[] {
    return this.#items
  }

  get hasBegun(): boolean {
    return this.#items.length > 0
  }

  *events(event: AnswerEvent): Iterable<Numberless> {
    switch (event.type) {
      case 'logprobs':
        if (this.#options.logprobs) this.#drawn.push(...event.tokens)
        break
      case 'reasoning':
        yield* this.#reasoning(event.text)
        break
      case 'text':
        yield* this.#text(event.text)
        break
      case 'call-begun': {
        this.#drawn = []
        yield* this.#close('completed')
        const { id: call_id, name } = event
        yield this.#open({
          id: newId('fc_'),
          type: 'function_call',
          status: 'in_progress',
          call_id,
          name,
          arguments: '',
        })
        break
      }
      case 'call-arguments': {
        const item = this.#items.at(-1)
        if (item?.type !== 'function_call') break
        item.arguments += event.text
        yield { type: 'response.function_call_arguments.delta', ...this.#at(item), delta: event.text }
        break
      }
      case 'call-ended':
        this.#drawn = []
        yield* this.#close(event.complete ? 'completed' : 'incomplete')
        break
      case 'finished':
        yield* this.#close(event.reason === 'stop' || event.reason === 'calls' ? 'completed' : 'incomplete')
    }
  }

  *#reasoning(text: string): Iterable<Numberless> {
    this.#drawn = []
    const { summary } = this.#options
    let item = this.#items.at(-1)
    if (!this.#isOpen || item?.type !== 'reasoning') {
      yield* this.#close('completed')
      item = {
        ...{ id: newId('rs_'), type: 'reasoning', status: 'in_progress', summary: [], content: [] },
        encrypted_content: null,
      }
      yield this.#open(item)
      const part: ReasoningText = { type: summary ? 'summary_text' : 'reasoning_text', text: '' }
      yield this.#part(item, 'added', part)
      item[summary ? 'summary' : 'content'].push(part)
    }
    const [part] = item[summary ? 'summary' : 'content'] as [ReasoningText]
    part.text += text
    const type = summary ? 'response.reasoning_summary_text.delta' : 'response.reasoning_text.delta'
    yield { type, ...this.#at(item), ...this.#index(item), delta: text }
  }

  *#text(text: string): Iterable<Numberless> {
    let item = this.#items.at(-1)
    if (!this.#isOpen || item?.type !== 'message') {
      yield* this.#close('completed')
      item = { id: newId('msg_'), type: 'message', status: 'in_progress', role: 'assistant', content: [] }
      yield this.#open(item)
      const part: OutputText = { type: 'output_text', text: '', annotations: [], logprobs: [] }
      yield this.#part(item, 'added', part)
      item.content.push(part)
    }
    const [part] = item.content as [OutputText]
    const logprobs = this.#drawn.map(wireLogprob)
    this.#drawn = []
    part.text += text
    part.logprobs.push(...logprobs)
    const at = { ...this.#at(item), content_index: 0 }
    yield { type: 'response.output_text.delta', ...at, delta: text, logprobs }
  }

  #open(item: OutputItem): Numberless {
    this.#items.push(item)
    this.#isOpen = true
    return { type: 'response.output_item.added', output_index: this.#items.length - 1, item: structuredClone(item) }
  }

  *#close(status: Status): Iterable<Numberless> {
    const item = this.#items.at(-1)
    if (!this.#isOpen || !item) return
    this.#isOpen = false
    item.status = status
    yield* this.#done(item)
    yield { type: 'response.output_item.done', output_index: this.#items.length - 1, item: structuredClone(item) }
  }

  *#done(item: OutputItem): Iterable<Numberless> {
    const at = this.#at(item)
    switch (item.type) {
      case 'function_call': {
        const { name, arguments: given } = item
        yield { type: 'response.function_call_arguments.done', ...at, name, arguments: given }
        break
      }
      case 'message': {
        const [part] = item.content as [OutputText]
        const { text, logprobs } = part
        yield { type: 'response.output_text.done', ...at, content_index: 0, text, logprobs: [...logprobs] }
        yield this.#part(item, 'done', part)
        break
      }
      case 'reasoning': {
        const [part] = [...item.summary, ...item.content] as [ReasoningText]
        const type = `response.${part.type === 'summary_text' ? 'reasoning_summary_text' : 'reasoning_text'}.done`
        yield { type, ...at, ...this.#index(item), text: part.text }
        yield this.#part(item, 'done', part)
      }
    }
  }

  #part(item: MessageItem | ReasoningItem, what: 'added' | 'done', part: object): Numberless {
    const group = item.type === 'reasoning' && this.#options.summary ? 'reasoning_summary_part' : 'content_part'
    return { type: `response.${group}.${what}`, ...this.#at(item), ...this.#index(item), part: structuredClone(part) }
  }

  #at({ id }: OutputItem) {
    return { item_id: id, output_index: this.#items.length - 1 }
  }

  #index({ type }: OutputItem) {
    return type === 'reasoning' && this.#options.summary ? { summary_index: 0 } : { content_index: 0 }
  }
}
