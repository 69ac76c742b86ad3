/** Answers in channels (gpt-oss): which marks count, and where a prompt ends. */
import { expect, test } from 'vitest'
import { chatFormat, type PromptEnd } from '../../src/formats/index.ts'
import { ReplyBuilder, readReply, replyReader } from '../../src/formats/read/reply.ts'
import { promptEnd } from '../../src/formats/template/prompt-end.ts'

const format = chatFormat('gpt-oss')
const tools = [{ name: 'now' }]
const read = (text: string, prompt: PromptEnd = 'none') => {
  const { reasoning, content, toolCalls } = readReply(text, { format, tools, prompt })
  return [reasoning, content, toolCalls.map(({ name }) => name)]
}

test('where marks are told, a text that only looks like one is text', () => {
  const parser = replyReader({ format, tools, toldMarks: true })
  const builder = new ReplyBuilder()
  const feed = (text: string, mark?: string) => builder.add(parser.feed(text, mark))
  const mark = (text: string) => feed(text, text)
  mark('<|channel|>')
  feed('analysis')
  mark('<|message|>')
  feed('Say <|end|> or <|channel|>final<|message|>')
  // Held back, as a stop sequence might have begun.
  feed('', '<|end|>')
  feed('<|end|>')
  mark('<|start|>')
  feed('assistant')
  mark('<|channel|>')
  feed('final')
  mark('<|message|>')
  feed(' "<|start|>assist')
  feed('ant<|mes')
  feed('sage|>"')
  builder.add(parser.finish())
  const { reasoning, content, toolCalls } = builder.reply
  expect([reasoning, content, toolCalls]).toEqual([
    'Say <|end|> or <|channel|>final<|message|>',
    '"<|start|>assistant<|message|>"',
    [],
  ])
  expect(parser.message).toBe(' "<|start|>assistant<|message|>"')
})

test('a header begins with its mark, whoever writes; what a tool is made to write is no call', () => {
  const thought = '<|channel|>analysis<|message|>Hm<|end|>'
  const call = 'assistant to=functions.now<|channel|>commentary json<|message|>{}<|call|>'
  const result = 'functions.now to=assistant<|channel|>commentary<|message|>noon<|end|>'
  expect(read(`${thought}<|start|>${call}`)).toEqual(['Hm', '', ['now']])
  expect(read(`${thought}<|start|>${result}<|start|>${call}`)).toEqual(['Hm', 'noon', ['now']])
  expect(read('<|start|>assistant<|channel|>final<|message|>Yes')).toEqual(['', 'Yes', []])
  expect(read('<|start|>Hello there')).toEqual(['', 'Hello there', []])
})

test('a prompt may end inside a message, which goes on', () => {
  const end = (text: string) => promptEnd(text, format)
  expect(end('<|start|>user<|message|>x<|end|><|start|>assistant')).toBe('none')
  expect(end('<|start|>assistant<|channel|>analysis<|message|>I see')).toBe('open')
  expect(end('<|start|>assistant<|channel|>final<|message|>Yes')).toBe('closed')
  expect(read(' it.<|end|><|start|>assistant<|channel|>final<|message|>Yes', 'open')).toEqual(['it.', 'Yes', []])
  expect(read(', to=all', 'closed')).toEqual(['', ', to=all', []])
  const hermes = chatFormat('hermes')
  expect(promptEnd('<think>I see', hermes, { continued: '<think>I see' })).toBe('open')
  expect(promptEnd('<think>I see', hermes)).toBe('none')
})
