import { chatFormat } from '../../src/formats/index.ts'
import type { ToolCall } from '../../src/formats/messages.ts'
import type { FormatName } from '../../src/formats/table/format.ts'
import { writeCalls } from '../../src/formats/table/write-calls.ts'

/** A text that is not as a model was trained to write it, and what is read of it; a call that ends with `…` is incomplete. */
export interface Damaged {
  readonly what: string
  readonly text: string
  readonly content: string
  readonly calls: string
  readonly reasoning: string
}

const call = (name: string, given: Record<string, unknown> = {}, index = 0): ToolCall => ({
  id: `functions.${name}:${index}`,
  name,
  arguments: given,
})

const BONN = 'get_weather{"city":"Bonn","days":2}'
const WEATHER = call('get_weather', { city: 'Bonn', days: 2 })

/** What models do to their calls, in the words of the format: the same for each. */
export function damagesOf(name: FormatName): Damaged[] {
  const format = chatFormat(name)
  const { kind } = format.calls.body
  const { begin: think, end: thought } = format.reasoning
  const { open, close, begin, end, argument } = format.calls.text
  const write = (...calls: ToolCall[]) => writeCalls(format, calls)
  const one = write(WEATHER)
  const body = one.slice(0, one.length - close.length)
  const upTo = (word: string) => one.slice(0, one.indexOf(word))
  const marks = open + begin.slice(0, begin.indexOf('NAME'))
  // Calls without a mark are the whole answer.
  const starts = kind === 'separated' || (kind === 'object' && (open !== '') === open.startsWith('{'))
  const bare = format.calls.begin === '' && starts
  const isJson = kind === 'object' || kind === 'separated'
  const days = argument ? `${argument.json.begin.replace('KEY', 'days')}2${argument.json.end}` : '"days": 2'
  const other = writeCalls(chatFormat(name === 'kimi-k2' ? 'hermes' : 'kimi-k2'), [WEATHER])
  const two = write(WEATHER, call('get_weather', { city: 'Rom' }, 1))
  const absent = one.replace('get_weather', 'get_time')
  const wrong = { object: '"2"}', separated: '"2"}', pairs: '"two"}…', python: 'null}…', quoted: '"two"}…' }[kind]

  const rows: readonly (readonly [what: string, text: string, content: string, calls: string, reasoning?: string])[] = [
    ['text in front', `Let me see.\n\n${one}`, bare ? `Let me see.\n\n${one}` : 'Let me see.', bare ? '' : BONN],
    ['text after it', `${one}\n\nDone.`, 'Done.', BONN],
    ['blanks around it', `\n\n  ${one}\n \n`, '', BONN],
    ['written twice', `${one}\n${one}`, '', `${BONN} ${BONN}`],
    ['a line break in every mark', one.replaceAll('><', '>\n<'), '', BONN],
    ['no end of the calls', body, '', BONN],
    ['no end of the call', body.slice(0, body.length - end.length), '', kind === 'separated' ? BONN : `${BONN}…`],
    ['cut inside a text', upTo('onn'), '', 'get_weather{"city":"B"}…'],
    ['cut after a text', `${upTo('Bonn')}Bonn`, '', 'get_weather{"city":"Bonn"}…'],
    ['cut before the arguments', upTo('city'), '', 'get_weather{}…'],
    ['cut inside the name', upTo('weather'), upTo('weather'), ''],
    ['the second of two cut', two.slice(0, two.indexOf('Rom')), '', `${BONN} get_weather{"city":""}…`],
    ['the marks in front alone', marks, marks, ''],
    ['the marks behind alone', `Yes.${end}${close}`, format.channels ? 'Yes.' : `Yes.${end}${close}`, ''],
    ['another family writes it', other, other, ''],
    name === 'llama-3' || name === 'glm-4'
      ? ['a tool that there is not', absent, absent, '']
      : ['a tool that there is not', absent, '', BONN.replace('get_weather', 'get_time')],
    bare
      ? ['reasoning that has no end', `${think}hm ${one}`, '', '', `hm ${one}`]
      : ['reasoning that has no end', `${think}hm ${one}`, '', BONN, 'hm'],
    ['reasoning, and no line after it', `${think}hm${thought}${one}`, '', BONN, 'hm'],
    ['empty reasoning', `${think}\n\n${thought}\n\n${one}`, '', BONN],
    ['an end of reasoning alone', `${thought}\n\n${one}`, '', BONN],
    ['reasoning that shows the marks', `${think}I say ${marks} now${thought}Hi`, 'Hi', '', `I say ${marks} now`],
    ['no arguments', write(call('now')), '', 'now{}'],
    ['an argument twice', one.replace(days, `${days}${argument?.between ?? ', '}${days}`), '', BONN],
    ['a text where a number is due', one.replace('2', isJson ? '"2"' : 'two'), '', BONN.replace('2}', wrong)],
    ['a smile as two escapes', one.replace('Bonn', isJson ? '\\ud83d\\ude00' : '😀'), '', BONN.replace('Bonn', '😀')],
  ]
  return rows.map(([what, text, content, calls, reasoning = '']) => ({ what, text, content, calls, reasoning }))
}
