import type { AssistantMessage, ToolDescription } from '../../src/formats/messages.ts'
import type { PromptEnd } from '../../src/formats/read/reply-reader.ts'
import type { ChatFormat } from '../../src/formats/table/format.ts'
import { normalise } from '../../src/formats/template/normalise.ts'
import { probe } from '../../src/formats/template/probe.ts'
import { promptEnd } from '../../src/formats/template/prompt-end.ts'
import { renderOf, templateText } from './templates.ts'

export const TOOLS: readonly ToolDescription[] = [
  {
    name: 'get_weather',
    description: 'Weather of a city',
    parameters: {
      type: 'object',
      properties: {
        city: { type: 'string' },
        days: { type: 'integer' },
        exact: { type: 'boolean' },
        deep: { type: 'object' },
        list: { type: 'array' },
        unit: { anyOf: [{ type: 'string' }, { type: 'null' }] },
        factor: { type: 'number' },
        from: { type: 'string' },
      },
      required: ['city'],
    },
  },
  { name: 'now', description: 'The time', parameters: { type: 'object', properties: {} } },
  {
    name: 'write_file',
    description: 'Writes a file',
    parameters: { type: 'object', properties: { path: { type: 'string' }, text: { type: 'string' } } },
  },
]

const call = (name: string, given: Record<string, unknown> = {}, index = 0) => ({
  id: `functions.${name}:${index}`,
  name,
  arguments: given,
})

const says = (content: string, reasoning?: string): AssistantMessage => ({
  role: 'assistant',
  content,
  ...(reasoning !== undefined && { reasoning }),
})

const calls = (...toolCalls: ReturnType<typeof call>[]): AssistantMessage => ({
  role: 'assistant',
  content: null,
  toolCalls,
})

/** Answers that every family must be able to give. No text ends in blanks: templates trim. */
export const ANSWERS: readonly AssistantMessage[] = [
  says('Hello!'),
  says('Zürich 日本語 😀👩‍👩‍👧 e\u0301 fin.'),
  says('a < b && c > d, <b>bold</b> </b> <tool <|x|> {"a": 1}'),
  says('Line one\n\n  - indented\n```ts\nconst x = `<T>`\n```'),
  says('It is "quoted" \\ and \\n escaped.'),
  says('42', 'Six times seven.\n\nThat is 42.'),
  says('Sure.', 'They ask <b>this</b> & that 😀'),
  calls(call('now')),
  calls(call('get_weather', { city: 'Bonn' })),
  calls(call('get_weather', { city: 'Zürich 日本 😀', days: 3 })),
  calls(call('get_weather', { city: 'Köln "Süd" \\ x', exact: true })),
  calls(call('get_weather', { city: 'a', days: -12, exact: false, factor: 1.5 })),
  calls(call('get_weather', { city: '42', unit: 'celsius' })),
  calls(
    call('get_weather', { city: 'x', deep: { a: [1, { b: 'c"}' }], d: null, e: '😀' }, list: [1, 'two', [3], true] }),
  ),
  calls(call('get_weather', { city: 'x', list: [], deep: {} })),
  calls(call('get_weather', { city: 'true', from: 'here' })),
  calls(
    call('write_file', { path: '/tmp/a b.ts', text: 'const a = { b: [1, 2] }\n\nif (a < 1) {\n  f("x", \'y\')\n}' }),
  ),
  calls(call('write_file', { path: 'x.html', text: '<p class="a">1 &amp; 2</p>\n<!-- <arg> -->' })),
  calls(call('write_file', { path: 'empty', text: '' })),
  calls(call('write_file', { path: 'long', text: `${'The quick brown fox. '.repeat(12)}end` })),
  calls(call('get_weather', { city: 'Bonn' }), call('get_weather', { city: 'Rom' }, 1)),
  calls(call('now'), call('get_weather', { city: 'Rom', days: 2 }, 1), call('now', {}, 2)),
  { role: 'assistant', content: 'Let me look.', toolCalls: [call('get_weather', { city: 'Ulm' })] },
  { role: 'assistant', content: 'Two things:\n1. a\n2. b', toolCalls: [call('now'), call('now', {}, 1)] },
  { role: 'assistant', content: null, reasoning: 'I must look it up.', toolCalls: [call('now')] },
]

/** What a model would write as this answer, by a published template. */
export interface Written {
  readonly text: string
  readonly prompt: PromptEnd
  /** What the template showed of the reasoning. */
  readonly reasoning: string
}

/** The text of an answer between the prompt and the end of the turn. */
export function writer(name: string, format: ChatFormat): (answer: AssistantMessage) => Written {
  const render = renderOf(templateText(name))
  const can = probe(render)
  const variables = { enable_thinking: true, thinking: true }
  return answer => {
    const question = { role: 'user', content: 'QUESTION' } as const
    const before = normalise([question], TOOLS, can, format)
    const after = normalise([question, answer], TOOLS, can, format)
    const tools = before.tools ? { tools: before.tools } : {}
    const open = render(before.messages, { ...tools, variables, addGenerationPrompt: true })
    const whole = render(after.messages, { ...tools, variables })
    // Templates that show a history otherwise than what the model wrote leave out the block of reasoning.
    const { begin, end } = format.reasoning
    const bare = open.trimEnd().endsWith(begin) ? open.trimEnd().slice(0, -begin.length) : open
    if (!whole.startsWith(bare)) throw new Error(`${name} writes the prompt otherwise: ${whole}`)
    const rest = whole.slice(bare.length)
    const prompt = rest.startsWith(end) ? 'open' : rest.startsWith(begin) ? 'none' : promptEnd(bare, format)
    const reasoning = answer.reasoning && whole.includes(answer.reasoning) ? answer.reasoning : ''
    return {
      text: rest.replace(
        /((?:<[|｜](?:im_end|eot_id|eom_id|end▁of▁sentence|role_end|end_of_text|message_sep|end)[|｜]>|<end_of_turn>|<turn\|>|<\|tool_response>|<\/s>)(<｜Assistant｜>)?\s*)+$/u,
        '',
      ),
      prompt,
      reasoning,
    }
  }
}
