/** From a body of chat to what is asked. */
import type { ConversationMessage, ToolCall, ToolChoice } from '../../../src/index.ts'
import { readCalls, readTools } from '../answers/tools.ts'
import { invalid } from '../failure.ts'
import type { Question } from '../service/service.ts'
import { readQuestion, readThink, refuseImages } from './read-options.ts'
import type { ChatBody, OllamaMessage } from './request.ts'

/** Null: nothing is asked. Throws Failure naming the field. */
export function readChat(body: ChatBody): Question | null {
  const { messages } = body
  if (!messages || messages.length === 0) return null
  const { tools } = readTools(
    (body.tools ?? []).map((tool, i) => ({
      ...tool.function,
      ...{ where: `tools[${i}].function.name`, foreign: null },
    })),
  )
  return readQuestion(body, {
    kind: 'chat',
    messages: readMessages(messages),
    ...readCalls(tools, readChoice(body.tool_choice)),
    ...readThink(body.think),
    // An answer that the client has begun.
    ...(isBegun(messages.at(-1)) && { continueFinalMessage: true }),
  })
}

function isBegun(message: OllamaMessage | undefined): boolean {
  return message?.role === 'assistant' && Boolean(message.content) && (message.tool_calls ?? []).length === 0
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

function takeCall(
  open: ToolCall[],
  { tool_call_id: id, tool_name: tool, name: older }: OllamaMessage,
  i: number,
): string {
  const name = tool ?? older
  const found = open.findIndex(call => (id ? call.id === id : name ? call.name === name : true))
  const [call] = found < 0 ? [] : open.splice(found, 1)
  if (call) return call.id
  const wanted = id ? ` with the id ${JSON.stringify(id)}` : name ? ` of ${JSON.stringify(name)}` : ''
  throw invalid(`messages[${i}] is a tool's result, but no earlier call${wanted} waits for one`, `messages[${i}]`)
}

function readChoice(choice: ChatBody['tool_choice']): ToolChoice | undefined {
  return typeof choice === 'object' && choice ? { name: choice.function.name } : (choice ?? undefined)
}
