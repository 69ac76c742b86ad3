import { expect, test } from 'vitest'
import {
  type ConversationMessage,
  chatFormat,
  normalise,
  OwnAnswers,
  ownSpans,
  probe,
  readReply,
} from '../../src/formats/index.ts'
import { TOOLS } from './answers.ts'
import { renderOf, templateText } from './templates.ts'

const format = chatFormat('hermes')
const render = renderOf(templateText('llama-cpp-python/Qwen-Qwen3-0.6B'))
const can = probe(render)
const shown = (messages: readonly ConversationMessage[], open: boolean) => {
  const { messages: given, tools } = normalise(messages, TOOLS, can, format)
  return render(given, { addGenerationPrompt: open, ...(tools && { tools }) })
}
const read = (text: string) => readReply(text, { format, tools: TOOLS })
const same = (a: string, b: string) => {
  const [x, y] = [read(a), read(b)].map(({ reasoning, content, toolCalls }) =>
    JSON.stringify([reasoning, content, toolCalls.map(call => call.arguments)]),
  )
  return x === y
}

function returned(text: string, conversation: readonly ConversationMessage[], keepsReasoning: boolean) {
  const own = new OwnAnswers()
  const reply = read(text)
  own.remember(conversation, reply, { text, ids: [1, 2, 3], reasoning: reply.reasoning })
  const history: ConversationMessage[] = [
    ...conversation,
    {
      role: 'assistant',
      content: reply.content,
      toolCalls: reply.toolCalls,
      ...(keepsReasoning && { reasoning: reply.reasoning }),
    },
    { role: 'tool', toolCallId: reply.toolCalls[0]?.id ?? 'x', content: 'rain' },
  ]
  const prompt = shown(history, true)
  const spans = ownSpans(prompt, { conversation: history, answers: own.recall(history), render: shown, same })
  return spans.map(({ at, end, ids }) => [prompt.slice(at, end), ids])
}

const QUESTION: ConversationMessage[] = [{ role: 'user', content: 'Weather? <tool_call>' }]

test('an answer that the template shows as it was written', () => {
  const text =
    '<think>\nhm\n</think>\n\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ulm"}}\n</tool_call>'
  expect(returned(text, QUESTION, true)).toEqual([[text, [1, 2, 3]]])
})

test('one whose arguments had other blanks', () => {
  const text = '<think>\nhm\n</think>\n\n<tool_call>\n{"name":"get_weather","arguments":{"city":"Ulm"}}\n</tool_call>'
  expect(returned(text, QUESTION, true)).toEqual([[text.replace(/[:,](?=["{])/g, '$& '), [1, 2, 3]]])
})

test('one that the template shows without its reasoning is read again', () => {
  const text =
    '<think>\nhm\n</think>\n\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Ulm"}}\n</tool_call>'
  expect(returned(text, QUESTION, false)).toEqual([])
})

test('only the same conversation knows an answer, and the oldest are forgotten', () => {
  const own = new OwnAnswers(300)
  const answer = (n: number) => ({ text: 'yes', ids: [n], reasoning: `secret ${n}` })
  const reply = { reasoning: '', content: 'yes', toolCalls: [] }
  const ask = (content: string): ConversationMessage[] => [{ role: 'user', content }]
  const back = (content: string) => own.recall([...ask(content), { role: 'assistant', content: 'yes' }])[1]?.ids
  own.remember(ask('a'), reply, answer(1))
  own.remember(ask('b'), reply, answer(2))
  expect([back('a'), back('b'), back('c')]).toEqual([[1], [2], undefined])
  own.remember(ask('c'), reply, answer(3), 'another key')
  expect(back('c')).toBeUndefined()
  expect(own.recall([...ask('c'), { role: 'assistant', content: 'yes' }], 'another key')[1]?.ids).toEqual([3])
  for (let i = 0; i < 20; i++) own.remember(ask(`${i}`), reply, answer(i), `${i % 2 === 0 ? 'even' : ''}`)
  expect([back('a'), back('19')]).toEqual([undefined, [19]])
})
