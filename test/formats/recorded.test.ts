import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chatFormat } from '../../src/formats/index.ts'
import type { AssistantMessage } from '../../src/formats/messages.ts'
import { readReply } from '../../src/formats/read/reply.ts'
import type { FormatName } from '../../src/formats/table/format.ts'
import { writeCalls } from '../../src/formats/table/write-calls.ts'
import { ANSWERS, TOOLS, type Written, writer } from './answers.ts'
import { FAMILIES, type Family } from './families.ts'
import { inParts } from './in-parts.ts'

/** Where calls have no mark of their own, they are the whole answer. */
const BARE: readonly FormatName[] = ['llama-3', 'generic', 'gemma', 'deepseek-v2', 'kimi-vl', 'glm-4']

/** The answers that a family's template can show, as its models would write them. */
function recorded({ format: name, templates }: Family): readonly (readonly [string, AssistantMessage, Written])[] {
  const format = chatFormat(name)
  const answers = ANSWERS.filter(({ content, toolCalls }) => !(content && toolCalls && BARE.includes(name)))
  if (templates.length === 0) {
    return answers.map(answer => {
      const { begin, end } = format.reasoning
      const thought = answer.reasoning ? `${begin}\n${answer.reasoning}\n${end}\n` : ''
      const calls = answer.toolCalls ? writeCalls(format, answer.toolCalls) : ''
      const text = `${thought}${answer.content ?? ''}${calls}`
      return ['format', answer, { text, prompt: 'none', reasoning: answer.reasoning ?? '' }]
    })
  }
  return templates.flatMap(template => {
    const write = writer(template, format)
    const shown = answers.filter(({ content, toolCalls = [] }) => {
      // LFM2.5's writes texts between single quotes without escapes.
      if (template === 'trl/lfm2_2_5_v2') return !JSON.stringify(toolCalls).includes("'")
      // gpt-oss's shows a text beside calls as reasoning.
      if (name === 'gpt-oss' && toolCalls.length > 0) return !content
      // Llama's template shows one call per message.
      if (name === 'llama-3' || name.startsWith('gigachat')) return toolCalls.length < 2
      // The distilled R1's writes a text that came before calls in a turn after them.
      if (template.includes('Distill')) return !content || toolCalls.length === 0
      // DeepSeek-V3's template closes the calls after each but the first.
      return !(template.startsWith('ollama/deepseek-') && name === 'deepseek-v3' && toolCalls.length === 3)
    })
    return shown.map(answer => [template, answer, write(answer)] as const)
  })
}

const ALL = FAMILIES.map(family => [family.name, family.format, recorded(family)] as const)

describe.each(ALL)('%s (%s)', (_, format, texts) => {
  test.each(texts.map(([template, answer, written], i) => [i, template, answer, written] as const))(
    'text %i, by %s, is read as it was meant',
    (_, __, answer, written) => expectRead(format, written, answer),
  )
})

test.each(ALL)('%s has at least 20 recorded texts', (_, __, texts) => {
  expect(new Set(texts.map(([, , { text }]) => text)).size).toBeGreaterThanOrEqual(20)
})

/** Templates of a format write many texts alike: each is cut once. */
const cutBefore = new Set<string>()

function expectRead(name: FormatName, written: Written, answer: (typeof ANSWERS)[number]): void {
  const options = { format: chatFormat(name), tools: TOOLS, prompt: written.prompt }
  const reply = readReply(written.text, options)
  expect(
    { ...reply, toolCalls: reply.toolCalls.map(({ name, arguments: given, complete }) => ({ name, given, complete })) },
    written.text,
  ).toEqual({
    reasoning: written.reasoning,
    content: answer.content ?? '',
    toolCalls: (answer.toolCalls ?? []).map(({ name, arguments: given }) => ({ name, given, complete: true })),
  })
  const text = JSON.stringify([name, written.prompt, written.text])
  if (cutBefore.has(text)) return
  cutBefore.add(text)
  const ways: (number | readonly number[])[] = [1, 2, 3, 5, 8]
  for (let cut = 1; cut < written.text.length; cut++) ways.push([cut])
  const expected = JSON.stringify(reply)
  const other = ways.find(way => JSON.stringify(inParts(written.text, options, way)) !== expected)
  expect(other).toBeUndefined()
  fc.assert(
    fc.property(fc.array(fc.nat(written.text.length), { maxLength: 6 }), cuts => {
      expect(inParts(written.text, options, cuts)).toEqual(reply)
    }),
    { numRuns: 5 },
  )
}
