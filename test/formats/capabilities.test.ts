import { describe, expect, test } from 'vitest'
import { chatFormat } from '../../src/formats/index.ts'
import type { ConversationMessage } from '../../src/formats/messages.ts'
import { detectFormat } from '../../src/formats/table/detect.ts'
import type { Capabilities } from '../../src/formats/template/capabilities.ts'
import { normalise } from '../../src/formats/template/normalise.ts'
import { probe } from '../../src/formats/template/probe.ts'
import { TOOLS } from './answers.ts'
import { renderOf, TEMPLATES } from './templates.ts'

const probed = TEMPLATES.map(({ name, text }) => {
  const render = renderOf(text)
  return { name, render, can: probe(render), format: detectFormat({ template: text }) }
})
const plain = probed.filter(({ can }) => can.plain)

const line = (can: Capabilities) =>
  Object.entries(can)
    .filter(([, value]) => value !== false && value !== null && value !== true)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .concat(Object.keys(can).filter(key => can[key as keyof Capabilities] === true))
    .join(' ')

test('what 261 published templates accept', () => {
  expect(probed.length).toBe(261)
  expect(probed.map(({ name, can, format }) => `${name}: ${format}; ${line(can)}`)).toMatchSnapshot()
})

const CALL = (id: string, city: string) => ({ id, name: 'get_weather', arguments: { city } })

/** Conversations of all shapes; each text in capitals must be in the prompt. */
const CONVERSATIONS: Readonly<Record<string, readonly ConversationMessage[]>> = {
  'a question': [{ role: 'user', content: 'ALPHA' }],
  'instructions, twice, as system and developer': [
    { role: 'system', content: 'ALPHA' },
    { role: 'developer', content: [{ type: 'text', text: 'BETA' }] },
    { role: 'user', content: 'GAMMA' },
  ],
  'two questions in a row': [
    { role: 'user', content: 'ALPHA' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'BETA' },
        { type: 'text', text: 'GAMMA' },
      ],
    },
  ],
  'instructions in between': [
    { role: 'user', content: 'ALPHA' },
    { role: 'assistant', content: 'BETA' },
    { role: 'developer', content: 'GAMMA' },
    { role: 'user', content: 'DELTA' },
  ],
  'a call and its result': [
    { role: 'system', content: 'ALPHA' },
    { role: 'user', content: 'BETA' },
    { role: 'assistant', content: null, toolCalls: [CALL('call00001', 'GAMMA')] },
    { role: 'tool', toolCallId: 'call00001', content: 'DELTA' },
  ],
  'text beside a call, and an answer': [
    { role: 'user', content: 'ALPHA' },
    { role: 'assistant', content: 'BETA', toolCalls: [CALL('call00001', 'GAMMA')] },
    { role: 'tool', toolCallId: 'call00001', content: 'DELTA' },
    { role: 'assistant', content: 'EPSILON' },
    { role: 'user', content: 'ZETA' },
  ],
  'two calls': [
    { role: 'user', content: 'ALPHA' },
    { role: 'assistant', toolCalls: [CALL('call00001', 'BETA'), CALL('call00002', 'GAMMA')] },
    { role: 'tool', toolCallId: 'call00001', content: 'DELTA' },
    { role: 'tool', toolCallId: 'call00002', content: 'EPSILON' },
  ],
}

/** Templates for other purposes than chat: their text is fixed, or they take the last message only, or leave out texts beside calls. */
const OTHERS = /guard|nuextract|command_a_rag|command-r-plus-tool_use|gpt-?oss/

describe.each(Object.entries(CONVERSATIONS))('%s', (_, messages) => {
  test('renders by every template that renders a question, and no text is lost', () => {
    const lost: string[] = []
    for (const { name, render, can, format } of plain) {
      const { messages: shown, tools } = normalise(messages, TOOLS, can, chatFormat(format))
      try {
        const text = render(shown, { addGenerationPrompt: true, ...(tools && { tools }) })
        const words = JSON.stringify(messages).match(/\b[A-Z]{4,}\b/g) ?? []
        for (const word of words) if (!text.includes(word)) lost.push(`${name} loses ${word}`)
        if (!text.includes('write_file')) lost.push(`${name} shows no tools`)
      } catch (error) {
        lost.push(`${name}: ${String(error)}`)
      }
    }
    expect(lost.filter(loss => !OTHERS.test(loss)).join('\n')).toBe('')
  })
})
