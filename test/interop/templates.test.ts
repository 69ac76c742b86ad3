import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { TemplateError } from '../../src/templates/errors.ts'
import { type ChatMessage, type ChatTemplateOptions, ChatTemplates } from '../../src/tokenizer/chat-template.ts'

type Case = ChatTemplateOptions & { readonly name: string; readonly messages: readonly ChatMessage[] }

const folder = 'test/fixtures/templates/'
const cases = JSON.parse(readFileSync(`${folder}conversations.json`, 'utf8')) as Case[]
const results = JSON.parse(readFileSync(`${folder}results.json`, 'utf8')) as Record<string, string[]>
const packed = gunzipSync(readFileSync(`${folder}templates.json.gz`)).toString()
const templates = JSON.parse(packed) as { name: string; text: string; sha256: string }[]

/** The moment that make_templates.py tells. */
const NOW = new Date(2026, 6, 3, 14, 5, 9)
const TOKENS = { bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>' }

/** As make_templates.py writes it: length and hash, or that it raises. */
function result(chat: ChatTemplates, { name: _, messages, ...options }: Case): string {
  let text: string
  try {
    text = chat.render(messages, { ...options, now: NOW })
  } catch (error) {
    expect(error).toBeInstanceOf(TemplateError)
    return 'raises'
  }
  return `${[...text].length}:${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
}

test('there are enough templates', () => {
  expect(templates.length).toBeGreaterThanOrEqual(90)
  expect(cases.length).toBeGreaterThanOrEqual(12)
  expect(Object.keys(results)).toEqual(templates.map(template => template.name))
})

describe.each(templates)('$name gives what jinja2 gives', ({ name, text, sha256 }) => {
  test('for every conversation', () => {
    expect(createHash('sha256').update(text).digest('hex')).toBe(sha256)
    const chat = new ChatTemplates(new Map([['default', text]]), TOKENS)
    const given = cases.map(one => `${one.name}: ${result(chat, one)}`)
    expect(given).toEqual(cases.map((one, i) => `${one.name}: ${results[name]![i]}`))
  })
})

const jinja = spawnSync('python3', ['-c', 'import jinja2; print(jinja2.__version__)'], { encoding: 'utf8' })
const version = jinja.status === 0 ? jinja.stdout.trim() : 'not installed'

test.skipIf(version !== '3.1.6')(
  `jinja2 itself (3.1.6; here: ${version}) still gives the committed results`,
  () => {
    const check = spawnSync('python3', ['make_templates.py', 'check'], { cwd: 'test/interop', encoding: 'utf8' })
    expect(check.stdout + check.stderr).toBe(`${templates.length} equal, 0 differ \n`)
  },
  600_000,
)
