/** The SDK's prompts as the engine's messages. */
import type {
  LanguageModelV3FilePart,
  LanguageModelV3Message,
  LanguageModelV3Prompt,
  LanguageModelV3ToolResultPart,
} from '@ai-sdk/provider'
import { OptionError } from '../errors.ts'
import type { AssistantMessage, ConversationMessage, ToolCall } from '../formats/index.ts'

/** Throws OptionError for parts that are no text. */
export function messagesOf(prompt: LanguageModelV3Prompt): ConversationMessage[] {
  return prompt.flatMap(messageOf)
}

function messageOf(message: LanguageModelV3Message): ConversationMessage[] {
  switch (message.role) {
    case 'system':
      return [{ role: 'system', content: message.content }]
    case 'user':
      return [
        { role: 'user', content: message.content.map(p => (p.type === 'text' ? p.text : textOfFile(p))).join('') },
      ]
    case 'assistant':
      return assistant(message)
    case 'tool':
      return message.content.filter(part => part.type === 'tool-result').map(result)
  }
}

function assistant({ content }: LanguageModelV3Message & { role: 'assistant' }): ConversationMessage[] {
  const texts: string[] = []
  const reasoning: string[] = []
  const toolCalls: ToolCall[] = []
  const results: ConversationMessage[] = []
  for (const part of content) {
    if (part.type === 'text') texts.push(part.text)
    else if (part.type === 'reasoning') reasoning.push(part.text)
    else if (part.type === 'file') texts.push(textOfFile(part))
    else if (part.type === 'tool-result') results.push(result(part))
    else toolCalls.push({ id: part.toolCallId, name: part.toolName, arguments: objectOf(part.input) })
  }
  const message: AssistantMessage = {
    role: 'assistant',
    content: texts.length === 0 && toolCalls.length > 0 ? null : texts.join(''),
    ...(reasoning.length > 0 && { reasoning: reasoning.join('') }),
    ...(toolCalls.length > 0 && { toolCalls }),
  }
  return [message, ...results]
}

/** The SDK keeps arguments that were damaged as the text that they were. */
function objectOf(input: unknown): Readonly<Record<string, unknown>> {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return { ...input }
  if (typeof input !== 'string') return {}
  try {
    const parsed: unknown = JSON.parse(input)
    return typeof parsed === 'string' ? {} : objectOf(parsed)
  } catch {
    return {}
  }
}

function result({ toolCallId, output }: LanguageModelV3ToolResultPart): ConversationMessage {
  return { role: 'tool', toolCallId, content: textOfOutput(output) }
}

function textOfOutput(output: LanguageModelV3ToolResultPart['output']): string {
  switch (output.type) {
    case 'text':
      return output.value
    case 'json':
      return JSON.stringify(output.value)
    case 'error-text':
      return `Error: ${output.value}`
    case 'error-json':
      return `Error: ${JSON.stringify(output.value)}`
    case 'execution-denied':
      return `Error: the user did not allow this call${output.reason === undefined ? '' : `: ${output.reason}`}`
    case 'content':
      return output.value
        .map(part => {
          if (part.type === 'text') return part.text
          throw new OptionError(`a tool's result has a part of type ${part.type}; this model reads text only`)
        })
        .join('')
  }
}

/** A file of text is part of the message. */
function textOfFile({ mediaType, data, filename }: LanguageModelV3FilePart): string {
  const isText = /^text\/|^application\/(json|xml|x?yaml)$/.test(mediaType)
  if (!isText || data instanceof URL) {
    const met = `a file of type ${mediaType}${data instanceof URL ? ' by its address' : ''}`
    throw new OptionError(`the prompt has ${met}; this model reads text only: give text, or a text file's content`)
  }
  const bytes = typeof data === 'string' ? Buffer.from(data, 'base64') : data
  return `${filename === undefined ? '' : `${filename}:\n`}${new TextDecoder().decode(bytes)}`
}
