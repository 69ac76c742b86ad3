import { describe, expect, test } from 'vitest'
import { TemplateError } from '../../src/tokenizer/errors.ts'
import { parseTemplate, runTemplate, TEMPLATE_BOUNDS } from '../../src/tokenizer/jinja-bounds.ts'
import { templateGlobals } from '../../src/tokenizer/jinja-globals.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { readFixture, readJson, vocabularyFolder } from './load.ts'

const tokenizer = readJson('test/fixtures/tokenizers/small-320/tokenizer.json')
const render = (chatTemplate: string, messages = [{ role: 'user', content: 'hi' }]) =>
  createTokenizer({ tokenizer, chatTemplate }).applyChatTemplate(messages)

/** A fortieth of the real bounds, so that many ways to exceed them can be tried quickly. */
const SMALL = { steps: 50_000, characters: 1 << 18, items: 20_000 }
const stop = (template: string) => runTemplate(parseTemplate(template), templateGlobals(new Date(0)), SMALL)

/** Doubles `ns.x` 15 times and then runs `body` with the result as `x`. */
const grown = (start: string, body: string) =>
  `{% set ns = namespace(x=${start}) %}{% for i in range(15) %}{% set ns.x = ns.x + ns.x %}{% endfor %}` +
  `{% set x = ns.x %}${body}`
const forever = (body: string) => `{% for i in range(4000) %}{% for j in range(4000) %}${body}{% endfor %}{% endfor %}`

describe('a template that would not end is stopped', () => {
  test.each([
    ['nested empty loops', forever('')],
    ['nested loops over one list', '{% set r = range(4000) %}{% for i in r %}{% for j in r %}{% endfor %}{% endfor %}'],
    ['nested loops', forever('x')],
    ['searching a list again and again', "{% set r = range(4000) %}{% for i in r %}{{ 'x' in r }}{% endfor %}"],
    ['sorting a list again and again', '{% set r = range(4000) %}{% for i in r %}{% set a = r | sort %}{% endfor %}'],
    ['writing a list again and again', '{% set r = range(4000) %}{% for i in r %}{{ r }}{% endfor %}'],
    ['concatenating a list', '{% set r = range(4000) %}{% for i in r %}{% set a = r ~ "a" %}{% endfor %}'],
    ['a text that doubles', grown('"aaaaaaaaaaaaaaaaaaaa"', '{{ x }}')],
    ['a list that doubles', grown('[1]', '{{ x }}')],
    ['slicing a long text', grown('"aaaa"', forever('{% set y = x[1:] %}'))],
    ['copying a long text', grown('"aaaa"', forever('{% set y = x | upper %}'))],
    ['replacing in a long text', grown('"aaaa"', '{{ x.replace("a", x) }}')],
    [
      'lists that share their items',
      '{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}',
    ],
    [
      'namespaces that share theirs',
      '{% set ns = namespace(x=1) %}{% for i in range(99) %}{% set n = namespace(a=ns.x, b=ns.x) %}{% set ns.x = n %}{% endfor %}{{ ns }}',
    ],
    [
      'a list whose namespace grows later',
      '{% set n = namespace() %}{% set l = [n] %}{% set n.x = range(4000) %}{{ [l, l, l, l, l, l] | tojson }}',
    ],
    ['a namespace that holds itself', '{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}'],
    [
      'a macro that calls itself twice',
      '{%- macro f(x) -%}{%- if x > 0 -%}{{ f(x - 1) }}{{ f(x - 1) }}{%- endif -%}{%- endmacro -%}{{ f(60) }}',
    ],
    ['a range beyond bounds', '{{ range(1000000000) }}'],
    ['a range without an end', '{{ range(0, 1, 0) }}'],
    ['deep parentheses', `{{ ${'('.repeat(100000)} }}`],
    ['deep blocks', '{% if a %}'.repeat(20000)],
    ['many blanks', `${' '.repeat(100000)}x`],
    ['a template of megabytes', 'x'.repeat(2 ** 20)],
  ])('%s', (_, template) => {
    const started = performance.now()
    expect(() => stop(template)).toThrow(
      /needs more than|range\(\)|blanks in a row|1048576 characters|string length|stack/,
    )
    // A fraction of a second on an idle core; the bound leaves room for a busy one.
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  test('and its tokenizer says so in one sentence', () => {
    expect(() => render(forever('x'))).toThrow(
      new TemplateError('the chat template needs more than 2000000 steps of work; latentkit stops it there'),
    )
    expect(() => render(`{{ ${'('.repeat(100000)} }}`)).toThrow(
      'The chat template "default" cannot be rendered: it nests or grows beyond all bounds',
    )
  })
})

test.each(['deepseek-v3', 'qwen-3', 'gemma-3'])('%s: a long conversation takes a small part of the bounds', name => {
  const config = readJson(`${vocabularyFolder(readFixture(name))}tokenizer_config.json`) as { chat_template: string }
  const program = parseTemplate(config.chat_template)
  const steps = (messages: unknown[]) =>
    runTemplate(program, { ...templateGlobals(new Date()), bos_token: '', messages, tools: null }).steps
  const turns = Array.from({ length: 2000 }, (_, i) => ({ role: i % 2 ? 'assistant' : 'user', content: `turn ${i}` }))
  expect(steps(turns)).toBeLessThan(TEMPLATE_BOUNDS.steps / 5)
  // A million tokens in one message.
  expect(steps([{ role: 'user', content: 'hello '.repeat(700_000) }])).toBeLessThan(TEMPLATE_BOUNDS.steps / 5)
})

describe('errors are one sentence', () => {
  test.each([
    ['{{ messages[0].content.nope() }}', /^The chat template "default" cannot be rendered: [^\n]+$/],
    ['{% if %}', /^The chat template "default" cannot be rendered: [^\n]+$/],
    ['{{ "abc', /^The chat template "default" cannot be rendered: [^\n]+$/],
    ["{{ raise_exception('Only users speak!') }}", /^Only users speak!$/],
  ])('%s', (template, message) => {
    expect(() => render(template)).toThrow(message)
  })

  test('what the template raises is marked as its own', () => {
    const thrown = (template: string) => {
      try {
        return render(template)
      } catch (error) {
        return error
      }
    }
    expect(thrown("{{ raise_exception('no') }}")).toMatchObject({ raised: true, code: 'bad_template' })
    expect(thrown('{{ 1 / }}')).toMatchObject({ raised: false, code: 'bad_template' })
  })
})
