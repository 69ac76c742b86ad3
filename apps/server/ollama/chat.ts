/** /api/chat */
import { type Endpoint, endpoint } from '../http/dialect.ts'
import type { Service } from '../service/service.ts'
import { answerLines, type Piece } from './answer-lines.ts'
import { readChat } from './read-chat.ts'
import { ChatBody } from './request.ts'

export function chatEndpoint(service: Service): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/api/chat',
    summary: 'Answers a conversation, as Ollama does',
    body: ChatBody,
    run: exchange => answerLines(service, exchange, readChat(exchange.body), message),
  })
}

function message({ text, thinking, calls }: Piece) {
  return {
    message: {
      role: 'assistant',
      content: text,
      ...(thinking && { thinking }),
      ...(calls && calls.length > 0 && { tool_calls: calls }),
    },
  }
}
