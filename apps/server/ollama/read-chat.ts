/** From a body of chat to what is asked. */
import type { ChatTool, ConversationMessage, ToolCall } from '../../../src/index.ts'
import type { ChatInput } from '../answers/ask.ts'
import { invalid } from '../failure.ts'
import type { Question } from '../service/service.ts'
import { readKeepAlive } from './keep-alive.ts'
import { readOptions, readThink, refuseImages } from './read-options.ts'
import type { ChatBody, OllamaMessage, OllamaTool } from './request.ts'

/** Throws Failure naming the field. */
export function readChat(body: ChatBody, messages: readonly OllamaMessage[]): Question {
  const tools = readTools(body.tools ?? [])
  const keepAlive = readKeepAlive(body.keep_alive)
  const input: ChatInput = {
    kind: 'chat',
    messages: readMessages(messages),
    ...(tools && { tools, ...readChoice(body.tool_choice) }),
    ...readThink(body.think),
  }
  return { model: body.model, input, options: readOptions(body), ...(keepAlive !== undefined && { keepAlive }) }
}

/** Calls may come without ids; then each result belongs to the first call of its name that has none yet. */
function readMessages(messages: readonly OllamaMessage[]): readonly ConversationMessage[] {
  const open: ToolCall[] = []
  return messages.map((message, i): ConversationMessage => {
    const { role, thinking } = message
    const content = message.content ?? ''
    refuseImages(message.images, `messages[${i}].images`)
    switch (role) {
      case 'system':
      case 'user':
        return { role, content }
      case 'assistant': {
        const toolCalls = (message.tool_calls ?? []).map(
          ({ id, function: { name, arguments: given } }, c): ToolCall => {
            return { id: id || `call_${i}_${c}`, name, arguments: given ?? {} }
          },
        )
        open.push(...toolCalls)
        return { role, content, ...(thinking && { reasoning: thinking }), ...(toolCalls.length > 0 && { toolCalls }) }
      }
      case 'tool':
        return { role, toolCallId: takeCall(open, message, i), content }
      default:
        throw invalid(
          `messages[${i}].role is ${JSON.stringify(role)}; expected system, user, assistant or tool`,
          `messages[${i}].role`,
        )
    }
  })
}

function takeCall(open: ToolCall[], { tool_call_id: id, tool_name: name }: OllamaMessage, i: number): string {
  const found = open.findIndex(call => (id ? call.id === id : name ? call.name === name : true))
  const [call] = found < 0 ? [] : open.splice(found, 1)
  if (call) return call.id
  const wanted = id ? ` with the id ${JSON.stringify(id)}` : name ? ` of ${JSON.stringify(name)}` : ''
  throw invalid(`messages[${i}] is a tool's result, but no earlier call${wanted} waits for one`, `messages[${i}]`)
}

function readChoice(choice: ChatBody['tool_choice']): Pick<ChatInput, 'toolChoice' | 'parallel'> {
  if (choice === null || choice === undefined) return {}
  // Who names one tool wants one call.
  return typeof choice === 'string'
    ? { toolChoice: choice }
    : { toolChoice: { name: choice.function.name }, parallel: false }
}

function readTools(given: readonly OllamaTool[]): Readonly<Record<string, ChatTool>> | undefined {
  if (given.length === 0) return undefined
  const tools = new Map<string, ChatTool>()
  for (const [i, { function: tool }] of given.entries()) {
    const { name, description, parameters } = tool
    if (tools.has(name))
      throw invalid(`tools[${i}] has the name ${JSON.stringify(name)}, as an earlier one`, `tools[${i}]`)
    tools.set(name, { ...(description && { description }), ...(parameters && { parameters }) })
  }
  return Object.fromEntries(tools)
}
