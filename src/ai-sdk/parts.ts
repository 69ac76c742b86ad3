/** The engine's events as the parts of the SDK's streams. */
import type { JSONObject, LanguageModelV3StreamPart, LanguageModelV3Usage } from '@ai-sdk/provider'
import type { ChatEvent, ChatResult } from '../engine/types/chat.ts'

interface OpenCall {
  readonly id: string
  readonly name: string
  json: string
}

/** Blocks of text and reasoning, and calls, each with a beginning and an end. */
export class PartWriter {
  #block: { readonly kind: 'text' | 'reasoning'; readonly id: string } | null = null
  #blocks = 0
  readonly #calls = new Map<number, OpenCall>()

  event(event: ChatEvent): LanguageModelV3StreamPart[] {
    switch (event.type) {
      case 'content':
        return this.#text('text', event.text)
      case 'reasoning':
        return this.#text('reasoning', event.text)
      case 'callStart': {
        const { index, id, name } = event
        this.#calls.set(index, { id, name, json: '' })
        return [...this.end(), { type: 'tool-input-start', id, toolName: name }]
      }
      case 'arguments':
        return this.#arguments(event.index, event.text)
      case 'callEnd':
        return this.#callEnd(event.index, event.complete)
      // Tools are executed by the SDK; log-probabilities come with the end.
      case 'toolResult':
      case 'logprobs':
        return []
    }
  }

  /** The end of the open block. */
  end(): LanguageModelV3StreamPart[] {
    if (this.#block === null) return []
    const { kind, id } = this.#block
    this.#block = null
    return [{ type: `${kind}-end`, id }]
  }

  #text(kind: 'text' | 'reasoning', delta: string): LanguageModelV3StreamPart[] {
    if (delta === '') return []
    const parts: LanguageModelV3StreamPart[] = []
    if (this.#block?.kind !== kind) {
      parts.push(...this.end())
      this.#block = { kind, id: String(this.#blocks++) }
      parts.push({ type: `${kind}-start`, id: this.#block.id })
    }
    parts.push({ type: `${kind}-delta`, id: (this.#block as { id: string }).id, delta })
    return parts
  }

  #arguments(index: number, delta: string): LanguageModelV3StreamPart[] {
    const call = this.#calls.get(index)
    if (call === undefined || delta === '') return []
    call.json += delta
    return [{ type: 'tool-input-delta', id: call.id, delta }]
  }

  /** A call that was cut off is not one: the SDK would execute it. */
  #callEnd(index: number, complete: boolean): LanguageModelV3StreamPart[] {
    const call = this.#calls.get(index)
    if (call === undefined) return []
    const { id, name: toolName, json } = call
    const end: LanguageModelV3StreamPart = { type: 'tool-input-end', id }
    return complete ? [end, { type: 'tool-call', toolCallId: id, toolName, input: json === '' ? '{}' : json }] : [end]
  }
}

const UNIFIED = {
  toolCalls: 'tool-calls',
  rounds: 'tool-calls',
  stop: 'stop',
  length: 'length',
  context: 'length',
  aborted: 'other',
} as const

/** The last part of an answer. */
export function finishOf(result: ChatResult): LanguageModelV3StreamPart & { type: 'finish' } {
  const { finishReason, usage, timings, seed, logprobs } = result
  const metadata = { seed, timings: { ...timings }, ...(logprobs && { logprobs: structuredClone(logprobs) }) }
  return {
    type: 'finish',
    finishReason: { unified: UNIFIED[finishReason], raw: finishReason },
    usage: usageOf(usage),
    providerMetadata: { latentkit: metadata as unknown as JSONObject },
  }
}

function usageOf(usage: ChatResult['usage']): LanguageModelV3Usage {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens } = usage
  return {
    inputTokens: {
      total: promptTokens,
      noCache: promptTokens - cachedTokens,
      cacheRead: cachedTokens,
      cacheWrite: undefined,
    },
    outputTokens: { total: completionTokens, text: completionTokens - reasoningTokens, reasoning: reasoningTokens },
    raw: { ...usage },
  }
}

/** The end of an answer that failed. */
export const FAILED: LanguageModelV3StreamPart = {
  type: 'finish',
  finishReason: { unified: 'error', raw: undefined },
  usage: {
    inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: undefined, text: undefined, reasoning: undefined },
  },
}
