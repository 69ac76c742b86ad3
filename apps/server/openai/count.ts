/** What a conversation would be, without answering it: /v1/chat/completions/input_tokens and /apply-template. */
import type { CountedChat } from '../../../src/index.ts'
import { type Endpoint, endpoint } from '../http/dialect.ts'
import type { Exchange } from '../http/exchange.ts'
import { json, withIgnored } from '../http/respond.ts'
import type { Service } from '../service/service.ts'
import { readChat } from './read-chat.ts'
import { ChatBody } from './request.ts'

export function countEndpoints(service: Service): readonly Endpoint[] {
  const counted = (path: string, summary: string, shown: (counted: CountedChat) => unknown) =>
    endpoint({
      method: 'POST',
      path,
      summary,
      body: ChatBody,
      run: async (exchange: Exchange<ChatBody>) => {
        const { asked, ignored } = readChat(exchange.body)
        return withIgnored(json(shown(await service.countChat(exchange, asked))), ignored)
      },
    })
  return [
    counted('/v1/chat/completions/input_tokens', 'Counts the tokens of a conversation', ({ tokens }) => ({
      object: 'response.input_tokens',
      input_tokens: tokens,
    })),
    counted('/apply-template', 'A conversation as the model reads it', ({ text }) => ({ prompt: text })),
  ]
}
