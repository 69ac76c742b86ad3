import { eventData } from './events.ts'
import { brokenStream, networkFailure, refusal, streamedError } from './failure.ts'
import { list, number, object, parse, text } from './json.ts'

/** A part of an answer as it arrives. */
export type Piece =
  /** How much of the prompt has been read, from 0 to 1. */
  | { kind: 'progress'; read: number }
  | { kind: 'text'; text: string }
  | { kind: 'reasoning'; text: string }
  | { kind: 'call'; index: number; id: string | undefined; name: string | undefined; arguments: string }
  | { kind: 'finish'; reason: string }
  | { kind: 'counts'; counts: Counts }

/** Numbers of an answer, each as far as the server reported it. */
export interface Counts {
  promptTokens?: number | undefined
  /** Tokens of the prompt that the server did not compute again. */
  cachedTokens?: number | undefined
  answerTokens?: number | undefined
  reasoningTokens?: number | undefined
  /** Tokens per second while the answer was written. */
  rate?: number | undefined
}

/** Where requests go: relative to the page, so that a server behind a path works too. */
const CHAT = 'v1/chat/completions'

export function headers(key: string): Record<string, string> {
  return key === '' ? {} : { authorization: `Bearer ${key}` }
}

/**
 * Asks for an answer and yields it piece by piece. Aborting `signal` closes the connection, and the server stops.
 * @throws Failure, with what was yielded before it still good; the abort's own error when `signal` is aborted.
 */
export async function* streamAnswer(body: object, key: string, signal: AbortSignal): AsyncGenerator<Piece> {
  let begun = false
  try {
    const response = await fetch(CHAT, {
      method: 'POST',
      headers: { ...headers(key), 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    })
    if (!response.ok || response.body === null) throw await refusal(response)
    begun = true
    let finished = false
    for await (const data of eventData(response.body)) {
      // The stream is read to its end: who hangs up at this mark looks like one who stops.
      if (data === '[DONE]') continue
      const pieces = readChunk(parse(data))
      finished ||= pieces.some(piece => piece.kind === 'finish')
      yield* pieces
    }
    if (!finished) throw brokenStream()
  } catch (cause) {
    signal.throwIfAborted()
    throw networkFailure(cause, begun)
  }
}

/** The pieces of one chunk: OpenAI's format with llama.cpp's `timings`. */
export function readChunk(value: unknown): Piece[] {
  const chunk = object(value)
  if (chunk.error !== undefined) throw streamedError(chunk.error)
  const pieces: Piece[] = []
  const choice = object(list(chunk.choices)[0])
  const delta = object(choice.delta)
  const reasoning = text(delta.reasoning_content) ?? text(delta.reasoning)
  if (reasoning) pieces.push({ kind: 'reasoning', text: reasoning })
  const content = text(delta.content)
  if (content) pieces.push({ kind: 'text', text: content })
  for (const entry of list(delta.tool_calls)) {
    const call = object(entry)
    const named = object(call.function)
    const index = number(call.index) ?? 0
    pieces.push({
      kind: 'call',
      index,
      id: text(call.id),
      name: text(named.name),
      arguments: text(named.arguments) ?? '',
    })
  }
  const progress = object(chunk.prompt_progress)
  const total = number(progress.total) ?? 0
  if (total > 0) pieces.push({ kind: 'progress', read: (number(progress.processed) ?? 0) / total })
  const counts = readCounts(chunk)
  if (counts !== undefined) pieces.push({ kind: 'counts', counts })
  const reason = text(choice.finish_reason)
  if (reason !== undefined) pieces.push({ kind: 'finish', reason })
  return pieces
}

function readCounts(chunk: Record<string, unknown>): Counts | undefined {
  const usage = object(chunk.usage)
  const timings = object(chunk.timings)
  const rate = number(timings.predicted_per_second)
  const counts: Counts = {
    promptTokens: number(usage.prompt_tokens),
    cachedTokens: number(object(usage.prompt_tokens_details).cached_tokens) ?? number(timings.cache_n),
    answerTokens: number(usage.completion_tokens) ?? number(timings.predicted_n),
    reasoningTokens: number(object(usage.completion_tokens_details).reasoning_tokens),
    // Without times of its own the server says 0: then the page measures.
    rate: rate === 0 ? undefined : rate,
  }
  const known = Object.entries(counts).filter(([, count]) => count !== undefined)
  return known.length > 0 ? Object.fromEntries(known) : undefined
}
