import { randomUUID } from 'node:crypto'
import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3Content,
  LanguageModelV3GenerateResult,
  LanguageModelV3StreamPart,
} from '@ai-sdk/provider'
import type { Engine } from '../engine/host/node/engine.ts'
import { type Call, readCall } from './call.ts'
import { FAILED, finishOf, PartWriter } from './parts.ts'

/** `open` is called with each answer: the model may not be loaded yet. */
export function languageModel(modelId: string, open: () => Promise<Engine>): LanguageModelV3 {
  return {
    specificationVersion: 'v3',
    provider: 'latentkit',
    modelId,
    supportedUrls: {},
    doGenerate: options => generate(modelId, open, options),
    doStream: async options => {
      const call = readCall(options)
      const engine = await open()
      return { stream: streamOf(modelId, engine, call) }
    },
  }
}

async function generate(
  modelId: string,
  open: () => Promise<Engine>,
  options: LanguageModelV3CallOptions,
): Promise<LanguageModelV3GenerateResult> {
  const call = readCall(options)
  const content: LanguageModelV3Content[] = []
  for await (const part of answer(await open(), call)) {
    if (part.type === 'text-start') content.push({ type: 'text', text: '' })
    else if (part.type === 'reasoning-start') content.push({ type: 'reasoning', text: '' })
    else if (part.type === 'text-delta' || part.type === 'reasoning-delta') append(content, part.delta)
    else if (part.type === 'tool-call') content.push(part)
    else if (part.type === 'finish') {
      const { type: _, ...finish } = part
      return { content, ...finish, response: responseOf(modelId), warnings: call.warnings }
    }
  }
  throw new Error('the answer did not end')
}

/** Deltas belong to the block that began last. */
function append(content: LanguageModelV3Content[], delta: string): void {
  const last = content.at(-1)
  if (last?.type === 'text' || last?.type === 'reasoning') last.text += delta
}

function responseOf(modelId: string) {
  return { id: randomUUID(), timestamp: new Date(), modelId }
}

/** Errors are parts of the stream; an abort ends it. */
function streamOf(modelId: string, engine: Engine, call: Call): ReadableStream<LanguageModelV3StreamPart> {
  const left = new AbortController()
  const { signal } = call.options
  const both = signal ? AbortSignal.any([signal, left.signal]) : left.signal
  const parts = answer(engine, { ...call, options: { ...call.options, signal: both } })
  const before: LanguageModelV3StreamPart[] = [
    { type: 'stream-start', warnings: call.warnings },
    { type: 'response-metadata', ...responseOf(modelId) },
  ]
  return new ReadableStream<LanguageModelV3StreamPart>({
    start: controller => {
      for (const part of before) controller.enqueue(part)
    },
    pull: async controller => {
      try {
        const { done, value } = await parts.next()
        if (done) controller.close()
        else controller.enqueue(value)
      } catch (error) {
        if (both.aborted) throw error
        controller.enqueue({ type: 'error', error })
        controller.enqueue(FAILED)
        controller.close()
      }
    },
    cancel: async () => {
      left.abort()
      await parts.return(undefined)
    },
  })
}

/** One answer, in a session of its own: the engine's cache keeps what conversations have in common. */
async function* answer(engine: Engine, { messages, options }: Call): AsyncGenerator<LanguageModelV3StreamPart, void> {
  const session = engine.session()
  try {
    const writer = new PartWriter()
    const chat = session.chat(messages, options)
    for await (const event of chat) yield* writer.event(event)
    const result = await chat
    yield* writer.end()
    yield finishOf(result)
  } finally {
    await session.dispose()
  }
}
