import { describe, expect, test } from 'vitest'
import { TemplateError } from '../../src/templates/errors.ts'
import { Template } from '../../src/templates/template.ts'
import { TEMPLATE_BOUNDS } from '../../src/templates/work.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { readFixture, readJson, vocabularyFolder } from '../tokenizer/load.ts'

const tokenizer = readJson('test/fixtures/tokenizers/small-320/tokenizer.json')
const render = (chatTemplate: string, messages = [{ role: 'user', content: 'hi' }]) =>
  createTokenizer({ tokenizer, chatTemplate }).applyChatTemplate(messages)

/** A fortieth of the real bounds, so that many ways to exceed them can be tried quickly. */
const SMALL = { ...TEMPLATE_BOUNDS, steps: 250_000, characters: 1 << 18, items: 20_000 }
const stop = (template: string, bounds = SMALL) => new Template(template).render({}, new Date(0), bounds)

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
    ['searching a list again and again', "{% set r = range(4000) | list %}{% for i in r %}{{ 'x' in r }}{% endfor %}"],
    ['sorting a list again and again', '{% set r = range(4000) %}{% for i in r %}{% set a = r | sort %}{% endfor %}'],
    ['writing a list again and again', '{% set r = range(4000) | list %}{% for i in r %}{{ r }}{% endfor %}'],
    ['concatenating a list', '{% set r = range(4000) | list %}{% for i in r %}{% set a = r ~ "a" %}{% endfor %}'],
    ['a text that doubles', grown('"aaaaaaaaaaaaaaaaaaaa"', '{{ x }}')],
    ['a list that doubles', grown('[1]', '{{ x }}')],
    ['a tuple that doubles', grown('(1,)', '{{ x }}')],
    [
      'a number that squares',
      '{% set ns = namespace(x=99) %}{% for i in range(99) %}{% set ns.x = ns.x * ns.x %}{% endfor %}',
    ],
    ['a power', '{{ 9 ** 99999 }}'],
    ['a text, many times', '{{ "abc" * 999999999 }}'],
    ['a list, many times', '{{ [1] * 999999999 }}'],
    ['a wide format', '{{ "%999999999d" % 1 }}'],
    ['a wide field', '{{ "{:999999999}".format(1) }}'],
    ['a precise number', '{{ "%.99999999f" % 0.1 }}'],
    ['a wide center', '{{ "a" | center(999999999) }}'],
    ['a wide indent', '{{ "a\nb" | indent(999999999) }}'],
    ['a wide zfill', '{{ "a".zfill(999999999) }}'],
    ['a deep indent of JSON', '{{ [[1]] | tojson(indent=" " * 200000) }}'],
    ['wide tabs', '{{ "\t".expandtabs(999999999) }}'],
    ['a wide batch', '{{ [1] | batch(999999999, 0) | list }}'],
    ['many slices', '{{ [1] | slice(999999999) | list | length }}'],
    ['slicing a long text', grown('"aaaa"', forever('{% set y = x[1:] %}'))],
    ['copying a long text', grown('"aaaa"', forever('{% set y = x | upper %}'))],
    ['replacing in a long text', grown('"aaaa"', '{{ x.replace("a", x) }}')],
    ['joining long texts', grown('"aaaa"', '{{ ([x] * 9999) | join }}')],
    [
      'lists that share their items',
      '{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}',
    ],
    [
      'comparing lists that share their items',
      '{% set a = namespace(x=[1], y=[1]) %}{% for i in range(99) %}{% set a.x = [a.x, a.x] %}{% set a.y = [a.y, a.y] %}{% endfor %}{{ a.x == a.y }}',
    ],
    [
      'tuples that share their items as keys',
      '{% set a = namespace(x=(1,)) %}{% for i in range(99) %}{% set a.x = (a.x, a.x) %}{% endfor %}{{ {a.x: 1} }}',
    ],
    [
      'namespaces that share theirs',
      '{% set ns = namespace(x=1) %}{% for i in range(99) %}{% set n = namespace(a=ns.x, b=ns.x) %}{% set ns.x = n %}{% endfor %}{{ ns }}',
    ],
    [
      'a list whose namespace grows later',
      '{% set n = namespace() %}{% set l = [n] %}{% set n.x = range(4000) | list %}{{ [l, l, l, l, l, l] * 99 }}',
    ],
    ['a namespace that holds itself', '{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}'],
    [
      'a macro that calls itself twice',
      '{%- macro f(x) -%}{%- if x > 0 -%}{{ f(x - 1) }}{{ f(x - 1) }}{%- endif -%}{%- endmacro -%}{{ f(60) }}',
    ],
    ['a macro that calls itself for ever', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}'],
    ['a loop that calls itself for ever', '{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}'],
    ['a caller of callers', '{% macro f() %}{% call f() %}{% endcall %}{{ caller() }}{% endmacro %}{{ f() }}'],
    ['a range beyond bounds', '{{ range(1000000000) }}'],
    ['a range without an end', '{{ range(0, 1, 0) }}'],
    ['deep parentheses', `{{ ${'('.repeat(10000)}${')'.repeat(10000)} }}`],
    ['deep negation', `{{ ${'not '.repeat(10000)} a }}`],
    ['a long sum', `{{ 1${' + 1'.repeat(10000)} }}`],
    ['a long path', `{{ a${'.b'.repeat(10000)} }}`],
    ['a long chain of filters', `{{ a${' | d'.repeat(10000)} }}`],
    ['deep blocks', '{% if a %}'.repeat(20000)],
    ['a template of megabytes', 'x'.repeat(2 ** 20)],
  ])('%s', (_, template) => {
    const started = performance.now()
    expect(() => stop(template)).toThrow(
      /needs (more than|a whole number of more)|range\(\)|Range too big|1048576 characters|nests|in a row|too deeply/,
    )
    // A fraction of a second on an idle core; the bound leaves room for a busy one.
    expect(performance.now() - started).toBeLessThan(10_000)
  })

  // Each makes a text or list of real size and then works on it, again and again: the real bounds end it in seconds.
  const LONG =
    '{% set ns = namespace(x="aaaaaaaa") %}{% for i in range(19) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{% set x = ns.x %}'
  const again = (body: string) => `${LONG}{% for i in range(99999) %}${body}{% endfor %}`
  test.each([
    ['sort', again('{% set y = [x, x ~ "b", x ~ "a"] | sort %}')],
    ['in', again('{% set y = (x ~ "b") in [x ~ "c", x ~ "d"] %}')],
    ['a search that almost matches', again('{% set y = x.find("b" ~ x[:99999]) %}')],
    ['a search from the end', again('{% set y = x.rfind("b" ~ x[:99999]) %}')],
    ['title', again('{% set y = x | title %}')],
    ['replace', again('{% set y = x.replace("a", "b") %}')],
    ['tojson', again('{% set y = x | tojson %}')],
    ['print', again('{% set y = [x] | string %}')],
    ['strftime_now', again('{% set y = strftime_now(x) %}')],
    ['split', again('{% set y = x.split("a") %}')],
    ['strip', again('{% set y = x.strip("a") %}')],
    ['wordwrap', again('{% set y = x | wordwrap %}')],
    ['wordwrap of dashes', again('{% set y = x.replace("a", "-") | wordwrap %}')],
    ['wordwrap with a long text between', `${LONG}{% set y = x | wordwrap(1, wrapstring=x) %}`],
    ['striptags', again('{% set y = x.replace("a", "<") | striptags %}')],
    ['urlencode', again('{% set y = x | urlencode %}')],
    ['format', again('{% set y = (x.replace("a", "{0}")).format(x) %}')],
    ['percent', again('{% set y = (x.replace("a", "%%")) % () %}')],
    ['length', again('{% set y = x | length %}')],
    ['int', again('{% set y = x.replace("a", "1") | int %}')],
    ['equality of lists', again('{% set y = [x ~ "a"] == [x ~ "a"] %}')],
    ['keys', again('{% set y = {x ~ "a": 1, x ~ "b": 2} %}')],
    ['unique', again('{% set y = [x ~ "a", x ~ "b"] | unique | list %}')],
    ['capture', again('{% set y %}{{ x }}{{ x | upper }}{% endset %}')],
  ])('%s of a long text', (_, template) => {
    const started = performance.now()
    expect(() => stop(template, TEMPLATE_BOUNDS)).toThrow(/needs more than/)
    // About a second on an idle core.
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  test('and its tokenizer says so in one sentence', () => {
    expect(() => render(forever('x'))).toThrow(
      new TemplateError(
        'The chat template "default" cannot be rendered: the chat template needs more than 10000000 steps of work; latentkit stops it there',
      ),
    )
    expect(() => render(`{{ ${'('.repeat(10000)}${')'.repeat(10000)} }}`)).toThrow(
      'The chat template "default" cannot be rendered: the chat template nests deeper than 100 levels (line 1)',
    )
  })
})

test.each(['deepseek-v3', 'qwen-3', 'gemma-3'])('%s: a long conversation takes a small part of the bounds', name => {
  const config = readJson(`${vocabularyFolder(readFixture(name))}tokenizer_config.json`) as { chat_template: string }
  const template = new Template(config.chat_template)
  const steps = (messages: unknown[]) => template.render({ bos_token: '', messages, tools: null }).steps
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
