import { describe, expect, test } from 'vitest'
import { TemplateError } from '../../src/templates/errors.ts'
import { Template } from '../../src/templates/template.ts'

const NOW = new Date(2024, 2, 7, 15, 5, 9)
const render = (template: string, variables: Record<string, unknown> = {}) =>
  new Template(template).render(variables, NOW).text

describe.each([
  [
    'values print as Python prints them',
    [
      [
        '{{ [true, none, 1, 1.0, "it\'s", (2,), {"a": undefined}] }}',
        "[True, None, 1, 1.0, \"it's\", (2,), {'a': Undefined}]",
      ],
      [
        '{{ 1e16 }} {{ 1e-5 }} {{ 0.1 + 0.2 }} {{ 10 ** 20 }} {{ 7 / 7 }}',
        '1e+16 1e-05 0.30000000000000004 100000000000000000000 1.0',
      ],
      ['{{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** -1 }} {{ -2 ** 2 }} {{ true + 1 }}', '-4 2 0.5 4 2'],
      ['{{ "a\\n\\x07é\\u200b" | pprint }}', "'a\\n\\x07é\\u200b'"],
    ],
  ],
  ['numbers from JavaScript', [['{{ whole }} {{ half }} {{ huge }} {{ nan }}', '3 0.5 1e+300 nan']]],
  [
    'text is counted in characters and cut as Python cuts it',
    [
      ['{{ emoji | length }}{{ emoji[0] }}{{ emoji[-1] }}{{ emoji[::-1] }}{{ emoji.find("b") }}', '3😀b' + 'ba😀2'],
      ['[{{ "..a.." .strip(".") }}|{{ "--x--" | trim("-") }}|{{ "\\x1c a\\ufeff" | trim }}]', '[a|x|a\ufeff]'],
      [
        '{{ "a b  c".split() }}{{ "a,b,c".rsplit(",", 1) }}{{ "k:v:w".partition(":") }}',
        "['a', 'b', 'c']['a,b', 'c']('k', ':', 'v:w')",
      ],
    ],
  ],
  [
    'formats',
    [
      ['{{ "%5.1f|%-4d|%05d|%x|%r|%s" % (1.25, 3, -4, 255, "a", none) }}', "  1.2|3   |-0004|ff|'a'|None"],
      ['{{ "{:>5}|{:,}|{:.3}|{a[k]}|{!r}".format("x", 1234567, 1.0, "q", a={"k": 1}) }}', "    x|1,234,567|1.0|1|'q'"],
      ['{{ {"b": [1.0, true, none], "a": "<é>\\n"} | tojson }}', '{"b": [1.0, true, null], "a": "<é>\\n"}'],
      ['{{ [1, {"a": []}] | tojson(indent=1) }}', '[\n 1,\n {\n  "a": []\n }\n]'],
    ],
  ],
  [
    'what is undefined',
    [
      [
        '[{{ x }}{{ x | upper }}{{ x | length }}{% for i in x %}i{% endfor %}{{ x == none }}{{ x is defined }}]',
        '[0FalseFalse]',
      ],
      ['{{ x | default("d") }}{{ "" | default("d", true) }}{{ none | d("e") }}', 'ddNone'],
    ],
  ],
  [
    'scopes',
    [
      ['{% set x = 1 %}{% for i in [2] %}{% set x = i %}{{ x }}{% endfor %}{{ x }}', '21'],
      ['{% macro f() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ f() }}', '1'],
      ['{% set n = namespace(a=1) %}{% for i in [2, 3] %}{% set n.a = n.a + i %}{% endfor %}{{ n.a }}', '6'],
      ['{% if true %}{% set x = 1 %}{% endif %}{% with x = 2 %}{{ x }}{% endwith %}{{ x }}', '21'],
      [
        '{% for i in range(9) if i % 2 %}{{ loop.index }}{% if loop.index == 3 %}{% break %}{% endif %},{% else %}none{% endfor %}',
        '1,2,3',
      ],
      ['{% set l = [1] | map("string") %}{{ l | list }}{{ l | list }}', "['1'][]"],
    ],
  ],
  [
    'blanks',
    [
      ['a\n  {% if true %}\nb\n  {%+ if true %}c{% endif +%}\nd{% endif %}\n', 'a\nb\n  c\nd'],
      ['a  {{- 1 -}}  b {#- c -#} d\r\ne', 'a1bd\ne'],
      ['{% raw -%}  {{ x }}{% endraw %}', '{{ x }}'],
    ],
  ],
  [
    'strftime in English, as Python on Linux',
    [
      [
        "{{ strftime_now('%Y-%m-%d %H:%M:%S|%y %B %b %A %a|%I%p|%j|%F %T|%-d %-m %-I|%e|100%%') }}",
        '2024-03-07 15:05:09|24 March Mar Thursday Thu|03PM|067|2024-03-07 15:05:09|7 3 3| 7|100%',
      ],
      ["{{ strftime_now('%D %R %u %w %U %W %V %G %C %k|%l|%n') }}", '03/07/24 15:05 4 4 09 10 10 2024 20 15| 3|\n'],
    ],
  ],
] as [string, [string, string][]][])('%s', (_, cases) => {
  test.each(cases)('%s', (template, text) => {
    expect(render(template, { whole: 3, half: 0.5, huge: 1e300, nan: Number.NaN, emoji: '😀ab' })).toBe(text)
  })
})

describe('what raises in Jinja raises here, and says where', () => {
  test.each([
    ['a\n{{ "x" + [1] }}', 'line 2: can only concatenate str (not "list") to str'],
    ['{{ x.y }}', "line 1: 'x' is undefined"],
    ['{{ m.a.b }}', "line 1: 'dict object' has no attribute 'a'"],
    ['{{ 1 / 0 }}', 'line 1: division by zero'],
    ['{{ [1, "a"] | sort }}', "line 1: '<' not supported between instances of 'str' and 'int'"],
    ['\n{% break %}', "line 2: 'break' outside loop"],
    [
      '{% for i in [1] %}{% macro f() %}{% continue %}{% endmacro %}{% endfor %}',
      "line 1: 'continue' not properly in loop",
    ],
    ['{{ 1 | nope }}', "line 1: No filter named 'nope'."],
    [
      '{% if a %}',
      "line 1: Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'.",
    ],
    ['{% include "x" %}', "line 1: 'include' asks for another template, but a chat template stands alone"],
    ["{{ strftime_now('%q') }}", 'line 1: strftime does not know the code "%q"'],
  ])('%j', (template, message) => {
    expect(() => render(template, { m: {} })).toThrow(new TemplateError(message))
  })
})

describe('nothing leads out of a template', () => {
  test.each([
    "{{ m.__class__ }}{{ m['__proto__'] }}{{ m.constructor }}{{ ''.constructor }}{{ [].length }}{{ m.hasOwnProperty }}",
    '{{ range.constructor }}{{ namespace.prototype }}{{ "".at }}{{ [].map }}{{ m.__proto__ }}',
  ])('%s is undefined', template => {
    expect(render(template, { m: {} })).toBe('')
  })

  test.each([
    ['{{ m.__class__.__mro__ }}', "access to attribute '__class__' of 'dict' object is unsafe."],
    ['{{ [].append(1) }}', "access to attribute 'append' of 'list' object is unsafe."],
    ['{{ m.update({}) }}', "access to attribute 'update' of 'dict' object is unsafe."],
    ['{% set n = namespace(_a=1) %}', 'underscore-prefixed'],
    ['{{ "{0.__class__.x}".format(1) }}', 'is unsafe'],
    ['{{ constructor() }}', "'constructor' is undefined"],
  ])('%s raises', (template, message) => {
    expect(() => render(template, { m: {} })).toThrow(message)
  })
})
