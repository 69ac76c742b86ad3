import type { ToolCall } from '../messages.ts'
import type { Body, ChatFormat } from './format.ts'
import { withKey, withName } from './with-name.ts'

/** The calls of a message as the family writes them. `before`: calls in the conversation before these. */
export function writeCalls(format: ChatFormat, calls: readonly ToolCall[], before = 0): string {
  const { text } = format.calls
  const written = calls.map((call, i) => {
    const number = /:(\d+)$/.exec(call.id)?.[1] ?? String(before + i)
    const begin = withName(
      text.begin.replace('IDX', () => number),
      call.name,
    )
    return `${begin}${writeArguments(format, call.arguments)}${text.end}`
  })
  return `${text.open}${written.join(text.between)}${text.close}`
}

function writeArguments(format: ChatFormat, given: ToolCall['arguments']): string {
  const { text, body } = format.calls
  const { argument } = text
  if (argument === undefined) return jsonText(given)
  return Object.entries(given)
    .map(([name, value]) => {
      const isText = body.kind !== 'python' && typeof value === 'string'
      const { begin, end } = isText ? argument.text : argument.json
      const shown = isText ? value : valueText(value, body)
      return `${withKey(begin, name, body.kind)}${shown}${end}`
    })
    .join(argument.between)
}

function valueText(value: unknown, body: Body): string {
  if (body.kind === 'python') return pythonText(value)
  return body.kind === 'quoted' ? quotedText(value, body.quote) : jsonText(value)
}

/** With bare keys, and texts between marks. */
function quotedText(value: unknown, quote: string): string {
  if (typeof value === 'string') return `${quote}${value}${quote}`
  if (Array.isArray(value)) return `[${value.map(item => quotedText(item, quote)).join(',')}]`
  if (typeof value !== 'object' || value === null) return jsonText(value)
  return `{${Object.entries(value)
    .map(([key, item]) => `${key}:${quotedText(item, quote)}`)
    .join(',')}}`
}

/** JSON as Python's json.dumps prints it, which is what models were trained on. */
export function jsonText(value: unknown): string {
  return printed(value, { true: 'true', false: 'false', null: 'null' })
}

function pythonText(value: unknown): string {
  return printed(value, { true: 'True', false: 'False', null: 'None' })
}

function printed(value: unknown, words: Readonly<Record<string, string>>): string {
  if (value === null || value === undefined) return words.null as string
  if (Array.isArray(value)) return `[${value.map(item => printed(item, words)).join(', ')}]`
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined)
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}: ${printed(item, words)}`).join(', ')}}`
  }
  return typeof value === 'boolean' ? (words[String(value)] as string) : JSON.stringify(value)
}
