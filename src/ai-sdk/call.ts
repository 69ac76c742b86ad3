/** Options of one call: the SDK's as the engine's, and warnings for what the engine does not have. */
import type { LanguageModelV3CallOptions, SharedV3Warning } from '@ai-sdk/provider'
import type { ChatOptions, ChatTool } from '../engine/types/options/chat.ts'
import { OptionError } from '../errors.ts'
import type { ConversationMessage } from '../formats/index.ts'
import type { JsonSchema } from '../grammar/schema/json-schema.ts'
import { messagesOf } from './prompt.ts'

/**
 * `providerOptions: { latentkit: … }`: every option of `session.chat` that is JSON and that the SDK has no name of its own for, such as
 * `minP`, `dry`, `reasoningEffort`, `thinkingBudget`, `parallel`, `logprobs`.
 */
export interface LatentkitCallOptions
  extends Omit<ChatOptions, 'tools' | 'toolChoice' | 'signal' | 'onPromptProgress' | 'regex' | 'maxRounds'> {
  /** Whether the model is shown the schema that its answer is held to, in a system message. Default true. */
  readonly schemaInPrompt?: boolean
}

export interface Call {
  readonly messages: readonly ConversationMessage[]
  readonly options: ChatOptions
  readonly warnings: SharedV3Warning[]
}

/** Throws OptionError for what cannot be said to this model. */
export function readCall(call: LanguageModelV3CallOptions): Call {
  const { schemaInPrompt = true, ...own } = (call.providerOptions?.latentkit ?? {}) as LatentkitCallOptions
  const warnings: SharedV3Warning[] = []
  const messages = messagesOf(call.prompt)
  const format = call.responseFormat
  const options: ChatOptions = {
    ...own,
    ...drawing(call),
    ...tools(call, warnings),
    ...(format?.type === 'json' && (format.schema ? { schema: format.schema as JsonSchema } : { json: true })),
    // As other providers do: an answer that has begun is continued.
    ...(messages.at(-1)?.role === 'assistant' && { continueFinalMessage: true }),
    ...(call.abortSignal && { signal: call.abortSignal }),
  }
  const instruction = schemaInPrompt && format?.type === 'json' ? instructionFor(format) : null
  return { messages: instruction === null ? messages : withInstruction(messages, instruction), options, warnings }
}

function drawing(call: LanguageModelV3CallOptions): ChatOptions {
  const { maxOutputTokens, temperature, topP, topK, presencePenalty, frequencyPenalty, stopSequences, seed } = call
  return {
    ...(maxOutputTokens !== undefined && { maxTokens: maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(topK !== undefined && { topK }),
    ...(presencePenalty !== undefined && { presencePenalty }),
    ...(frequencyPenalty !== undefined && { frequencyPenalty }),
    ...(stopSequences !== undefined && stopSequences.length > 0 && { stopSequences }),
    ...(seed !== undefined && { seed }),
  }
}

function tools(call: LanguageModelV3CallOptions, warnings: SharedV3Warning[]): ChatOptions {
  const described: Record<string, ChatTool> = {}
  for (const tool of call.tools ?? []) {
    if (tool.type === 'provider') {
      const details = 'tools that a provider executes are not there; define a function with that name'
      warnings.push({ type: 'unsupported', feature: `tool ${tool.id}`, details })
      continue
    }
    const { name, description, inputSchema, strict, inputExamples } = tool
    if (inputExamples !== undefined && inputExamples.length > 0) {
      const details = 'the model is not shown them; write them into the description'
      warnings.push({ type: 'unsupported', feature: `inputExamples of tool ${name}`, details })
    }
    described[name] = {
      parameters: inputSchema as Readonly<Record<string, unknown>>,
      ...(description !== undefined && { description }),
      ...(strict !== undefined && { strict }),
    }
  }
  const choice = call.toolChoice
  if (Object.keys(described).length === 0) {
    if (choice?.type !== 'required' && choice?.type !== 'tool') return {}
    throw new OptionError(`toolChoice is ${JSON.stringify(choice.type)}, but there is no tool that can be called`)
  }
  return {
    tools: described,
    ...(choice && { toolChoice: choice.type === 'tool' ? { name: choice.toolName } : choice.type }),
  }
}

function instructionFor(format: LanguageModelV3CallOptions['responseFormat'] & { type: 'json' }): string {
  const { schema, name, description } = format
  const what = [name, description].filter(text => text !== undefined).join(': ')
  const about = what === '' ? '' : ` (${what})`
  if (schema === undefined) return `Answer with JSON only${about}.`
  return `Answer with JSON only${about}, by this JSON schema:\n${JSON.stringify(schema)}`
}

/** At the end of the system message, so that everything after it stays in the cache. */
function withInstruction(messages: readonly ConversationMessage[], instruction: string): ConversationMessage[] {
  const [first, ...rest] = messages
  if (first?.role !== 'system' || typeof first.content !== 'string') {
    return [{ role: 'system', content: instruction }, ...messages]
  }
  return [{ ...first, content: `${first.content}\n\n${instruction}` }, ...rest]
}
