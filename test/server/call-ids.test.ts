/** Ids of calls: unique for the server, and the engine's own again in a history, so that answers stay cached. */
import { expect, test } from 'vitest'
import { engineCallIds, wireCallId } from '../../apps/server/answers/call-ids.ts'
import type { ConversationMessage } from '../../src/index.ts'
import { post, testServer, WEATHER } from './support.ts'

const server = await testServer()
const asked = { tools: [WEATHER], tool_choice: 'required', parallel_tool_calls: false, max_tokens: 400, seed: 1 }

type Message = { role: string; tool_calls: [{ id: string; function: { name: string; arguments: string } }] }
type Answer = { choices: [{ message: Message }]; usage: { prompt_tokens: number; completion_tokens: number } }

async function chat(messages: readonly object[], more: object = {}) {
  const { status, body } = await post(server, '/v1/chat/completions', { ...asked, messages, ...more })
  expect(status).toBe(200)
  return body as Answer & { usage: { prompt_tokens_details: { cached_tokens: number } } }
}

const question = { role: 'user', content: 'How is the weather in Rome?' }

test('two conversations, two ids; sent back, the answer is found in the cache as it was written', async () => {
  const [a, b] = [await chat([question]), await chat([question])]
  const [first, second] = [a, b].map(({ choices }) => choices[0].message.tool_calls[0])
  expect(first?.id).not.toBe(second?.id)
  expect(first?.id).toMatch(/^[\w-]{1,40}$/)
  expect(first?.function).toEqual(second?.function)
  const result = (id: string | undefined) => ({ role: 'tool', tool_call_id: id, content: 'Sun' })
  const next = async (message: Message, id: string | undefined) =>
    (await chat([question, message, result(id)], { max_tokens: 1 })).usage
  const usage = await next(a.choices[0].message, first?.id)
  // All of both but what a block's end and the last token of the answer leave.
  const written = a.usage.prompt_tokens + a.usage.completion_tokens
  expect(usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(written - 64)
  expect((await next(b.choices[0].message, second?.id)).prompt_tokens).toBe(usage.prompt_tokens)
})

const call = (id: string): ConversationMessage => ({
  role: 'assistant',
  content: null,
  toolCalls: [{ id, name: 'a', arguments: {} }],
})
const answer = (toolCallId: string): ConversationMessage => ({ role: 'tool', toolCallId, content: 'x' })

test('the engine has its ids back; those of others, and of joined histories, stay', () => {
  const [a, b] = [wireCallId('call00000'), wireCallId('call00000')]
  const messages = [call(a), answer(a), call(b), answer(b), call('toolu_1'), answer('toolu_1'), answer('none')]
  expect(engineCallIds(messages)).toEqual([
    ...[call('call00000'), answer('call00000'), call(b), answer(b), call('toolu_1'), answer('toolu_1'), answer('none')],
  ])
})

test("Kimi's are as the model writes them", () => {
  expect(wireCallId('functions.get_weather:12')).toBe('functions.get_weather:12')
})
