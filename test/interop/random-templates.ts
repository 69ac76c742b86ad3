/** Random templates of the language's own parts: for comparison with jinja2. */

export const VARIABLES = {
  messages: [
    { role: 'system', content: 'Be brief. ', n: 1 },
    { role: 'user', content: '  Hi "there"\nß 😀 x_y ', n: 2.5, tags: ['b', 'A', 'a'] },
    { role: 'assistant', content: null, n: -3, calls: [{ name: 'f', args: { z: 1, a: [1, 'é', null, true] } }] },
    { role: 'user', content: 'A-b c\td', n: 1 },
  ],
  words: ['pear', 'Apple', 'fig', 'apple', ''],
  numbers: [3, -1, 2.5, 10, 0, 7],
  d: { b: 1, a: 'x', C: [1, 2], items: 'own' },
  text: 'Hello, World! <b>&amp; "q" it\'s</b>\r\nline two\n\n  three ',
  emoji: '😀a🚀é',
  empty: '',
  yes: true,
  no: false,
  nil: null,
  big: 123456789,
  pi: 3.25,
} as const

export class RandomTemplates {
  #state: number
  #depth = 0

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1
  }

  #next(below: number): number {
    // xorshift32
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % below
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#next(list.length)]!
  }

  #maybe(text: () => string, odds = 2): string {
    return this.#next(odds) === 0 ? text() : ''
  }

  template(): string {
    this.#depth = 0
    return this.#body(1 + this.#next(4))
  }

  #body(count: number): string {
    let result = ''
    for (let i = 0; i < count; i++) result += this.#statement()
    return result
  }

  #blanks(): string {
    return this.#pick(['', '', ' ', '\n', '\n  ', ' \n', '\r\n', '\t', 'x', ' a b ', '\n\n'])
  }

  #tag(inside: string): string {
    const open = this.#pick(['{%', '{%', '{%', '{%-', '{%+'])
    const close = this.#pick(['%}', '%}', '%}', '-%}', '+%}'])
    return `${open} ${inside} ${close}`
  }

  #print(expression: string): string {
    return `${this.#pick(['{{ ', '{{ ', '{{- '])}${expression}${this.#pick([' }}', ' }}', ' -}}'])}`
  }

  #inside(make: () => string): string {
    this.#depth++
    const result = this.#depth > 3 ? this.#print(this.#simple()) : make()
    this.#depth--
    return result
  }

  #statement(): string {
    const e = () => this.#expression()
    const inner = () => this.#inside(() => this.#body(1 + this.#next(2)))
    const b = () => this.#blanks()
    switch (this.#next(22)) {
      case 0:
        return (
          b() +
          this.#tag(`if ${e()}`) +
          b() +
          inner() +
          this.#maybe(() => this.#tag('else') + inner()) +
          this.#tag('endif') +
          b()
        )
      case 1:
        return (
          b() +
          this.#tag(`for ${this.#pick(['i', 'x', 'm'])} in ${this.#iterable()}${this.#maybe(() => ` if ${e()}`, 4)}`) +
          b() +
          inner() +
          this.#maybe(() =>
            this.#print(
              `loop.${this.#pick(['index', 'index0', 'first', 'last', 'length', 'revindex', 'revindex0', 'previtem', 'nextitem', 'depth', "cycle('a', 'b')", 'changed(i)'])}`,
            ),
          ) +
          this.#maybe(
            () => this.#tag(`if ${e()}`) + this.#tag(this.#pick(['break', 'continue'])) + this.#tag('endif'),
            4,
          ) +
          this.#maybe(() => this.#tag('else') + inner(), 3) +
          this.#tag('endfor') +
          b()
        )
      case 2:
        return this.#tag(`set ${this.#pick(['x', 'y', 'i'])} = ${e()}`) + b()
      case 3:
        return (
          this.#tag(`set ${this.#pick(['x', 'y'])}${this.#maybe(() => ' | upper', 3)}`) +
          b() +
          inner() +
          this.#tag('endset') +
          b()
        )
      case 4:
        return this.#tag(`with ${this.#pick(['x', 'y'])} = ${e()}`) + inner() + this.#tag('endwith')
      case 5:
        return (
          this.#tag(`macro f(a, b=${e()})`) +
          this.#print('a') +
          inner() +
          this.#print(this.#pick(['b', 'a', 'varargs', 'kwargs', 'x'])) +
          this.#tag('endmacro') +
          this.#print(`f(${this.#pick(['', e(), `${e()}, ${e()}`, `1, 2, ${e()}`, `b=${e()}`, `a=1, c=${e()}`])})`)
        )
      case 6:
        return (
          this.#tag(`filter ${this.#pick(['upper', 'trim', 'title', "replace('a', 'b')", 'indent(2)'])}`) +
          b() +
          inner() +
          this.#tag('endfilter')
        )
      case 7:
        return `{#${this.#pick(['', '-'])} ${b()} {{ no }} ${this.#pick(['', '-'])}#}${b()}`
      case 8:
        return `${this.#tag('raw') + b()}{{ x }}{% y %}${b()}${this.#tag('endraw')}${b()}`
      case 9:
        return (
          this.#tag(`set ns = namespace(a=${e()}, b=0)`) +
          this.#tag('for i in range(3)') +
          this.#tag(`set ns.b = ns.b + ${this.#pick(['i', '1', e()])}`) +
          this.#tag('endfor') +
          this.#print('ns.a') +
          this.#print('ns.b')
        )
      case 10:
        return (
          this.#tag(`macro g()`) +
          '<' +
          this.#print(`caller(${this.#pick(['', e()])})`) +
          '>' +
          this.#tag('endmacro') +
          this.#tag(`call${this.#pick(['', '(u)', '(u=1)'])} g()`) +
          inner() +
          this.#tag('endcall')
        )
      case 11:
        return (
          this.#tag(
            `for k, v in ${this.#pick(['d.items()', 'd | items', 'd | dictsort', '[(1, 2), (3, 4)]', 'messages', 'd | dictsort(by="value")', "messages | groupby('role')"])}`,
          ) +
          this.#print('k') +
          '=' +
          this.#print('v') +
          ';' +
          this.#tag('endfor')
        )
      case 12:
        return (
          this.#tag(`for i in ${this.#pick(['[1, [2, [3]]]', '[[], [1]]'])} recursive`) +
          this.#print('loop.depth') +
          this.#tag('if i is iterable') +
          this.#print('loop(i)') +
          this.#tag('else') +
          this.#print('i') +
          this.#tag('endif') +
          this.#tag('endfor')
        )
      case 13:
        return this.#tag(
          `set ${this.#pick(['x, y', '(x, y)', 'x, (y, i)'])} = ${this.#pick(['1, 2', e(), '[1, [2, 3]]', '"ab"'])}`,
        )
      default:
        return b() + this.#print(e()) + b()
    }
  }

  #iterable(): string {
    return this.#pick([
      'messages',
      'words',
      'numbers',
      'd',
      'text',
      'emoji',
      'range(4)',
      'range(5, 0, -2)',
      'missing',
      'words | sort',
      'messages | selectattr("content")',
      '[]',
      this.#expression(),
    ])
  }

  #simple(): string {
    const quote = (text: string) => this.#pick([`'${text}'`, `"${text}"`])
    switch (this.#next(12)) {
      case 0:
        return this.#pick(['0', '1', '-1', '2', '7', '10', '1_000', '0x1F', '3', '100000000000000000000'])
      case 1:
        return this.#pick(['0.5', '2.0', '1e3', '1.5e-7', '-0.0', '1e22', '3.14159', '2.5', '1e16', '123456.789'])
      case 2:
        return quote(
          this.#pick([
            '',
            'a',
            'ab',
            ' a b ',
            'x,y',
            'é',
            '😀',
            'A-b',
            '\\n',
            '\\t',
            'ß',
            '%s',
            '{}',
            '1',
            ' 42 ',
            '2.5',
          ]),
        )
      case 3:
        return this.#pick(['true', 'false', 'none', 'True', 'None'])
      case 4:
        return this.#pick(['missing', 'd.missing', 'messages[9]', 'messages[0].nope'])
      case 5:
        return `messages[${this.#pick(['0', '1', '-1', '2'])}]${this.#pick(['', '.content', '.role', "['n']", '.tags', '.calls', '.calls[0].args'])}`
      default:
        return this.#pick([
          'words',
          'numbers',
          'd',
          'text',
          'emoji',
          'empty',
          'yes',
          'no',
          'nil',
          'big',
          'pi',
          'x',
          'i',
          'd.a',
          'd.C',
          "d['b']",
          'd.items',
          'words[0]',
          'm',
          'y',
        ])
    }
  }

  #expression(): string {
    this.#depth++
    const result = this.#depth > 4 || this.#next(3) === 0 ? this.#simple() : this.#compound()
    this.#depth--
    return result
  }

  #compound(): string {
    const e = () => this.#expression()
    switch (this.#next(24)) {
      case 0:
        return `${e()} ${this.#pick(['+', '-', '*', '/', '//', '%', '**', '~', '+', '~'])} ${e()}`
      case 1:
        return `${e()} ${this.#pick(['==', '!=', '<', '<=', '>', '>=', 'in', 'not in'])} ${e()}`
      case 2:
        return `${e()} ${this.#pick(['and', 'or'])} ${e()}`
      case 3:
        return `${this.#pick(['not ', '-', '+', 'not not '])}${e()}`
      case 4:
        return `(${e()} if ${e()}${this.#maybe(() => ` else ${e()}`)})`
      case 5:
        return `(${e()}${this.#pick(['', ',', `, ${e()}`])})`
      case 6:
        return `[${this.#pick(['', e(), `${e()}, ${e()}`, `${e()}, ${e()}, ${e()}`])}]`
      case 7:
        return `{${this.#pick(['', `${this.#simple()}: ${e()}`, `'k': ${e()}, 1: ${e()}`])}}`
      case 8:
        return `${this.#named()}[${this.#pick(['0', '-1', '1:', ':2', '::-1', '1:3', '::2', '-3:-1', '5:1:-2', e(), ':', `${e()}:`])}]`
      case 9:
        return `${this.#operand()} is ${this.#pick(['', 'not '])}${this.#test()}`
      case 10:
      case 11:
      case 12:
        return `${this.#next(4) > 0 ? this.#textual() : this.#operand()}.${this.#method()}`
      case 13:
      case 14:
      case 15:
      case 16:
      case 17:
        return `${this.#operand()} | ${this.#filter()}${this.#maybe(() => ` | ${this.#filter()}`, 3)}`
      case 18:
        return `'${this.#pick(['%s', '%d', '%5.2f', '%r', '%x', '%-5s|', '%05d', '%e', '%g', '%%', '%c', '%+d', '%s-%s', '%(a)s', '%.3s', '%i', '%#x', '%10.3e', '%o'])}' % ${e()}`
      case 19:
        return `'${this.#pick(['{}', '{0}', '{!r}', '{:>8}', '{:.2f}', '{:05}', '{:,}', '{a}', '{0[0]}', '{0.role}', '{:^7}', '{:x}', '{:e}', '{:%}', '{:g}', '{:+}', '{{}}', '{:_}', '{:<5}|', '{:*^9}', '{:#x}', '{} {}', '{:.3}', '{:b}', '{:n}', '{:08.3f}', '{!s:>5}'])}'.format(${this.#pick([e(), `${e()}, ${e()}`, `a=${e()}`])})`
      default:
        return this.#simple()
    }
  }

  /** What Jinja cannot compute beforehand: it slices a constant in another way. */
  #named(): string {
    return this.#pick([
      'text',
      'words',
      'numbers',
      'messages',
      'emoji',
      'words[0]',
      'd',
      'big',
      'nil',
      'missing',
      'd.C',
      'range(7)',
    ])
  }

  #textual(): string {
    return this.#pick([
      'text',
      'emoji',
      'words[0]',
      'messages[1].content',
      'messages[3].content',
      "'a,b  c'",
      "'Hello'",
      'empty',
      'd.a',
    ])
  }

  #operand(): string {
    if (this.#next(3) > 0)
      return this.#pick([
        'text',
        'words',
        'numbers',
        'messages',
        'd',
        'emoji',
        'words[0]',
        'messages[1].content',
        'big',
        'pi',
        "'a b'",
      ])
    const simple = this.#simple()
    return this.#next(3) === 0 ? `(${this.#expression()})` : /^-/.test(simple) ? `(${simple})` : simple
  }

  #test(): string {
    return this.#pick(
      [
        'defined',
        'undefined',
        'none',
        'string',
        'mapping',
        'sequence',
        'iterable',
        'number',
        'integer',
        'float',
        'boolean',
        'true',
        'false',
        'odd',
        'even',
        'lower',
        'upper',
        'callable',
        'divisibleby(2)',
        'divisibleby 3',
        'in words',
        "in 'abc'",
        'sameas none',
        'eq 1',
        "equalto('a')",
        'gt 2',
        'le 1',
        'ne none',
        'escaped',
        'filter',
        '== 1',
      ].filter(test => test !== '== 1'),
    )
  }

  #method(): string {
    const e = () => this.#expression()
    return this.#pick([
      'strip()',
      "strip('a ')",
      'lstrip()',
      "rstrip('\\n')",
      'split()',
      "split(',')",
      "split(' ', 1)",
      "rsplit('a', 1)",
      "split('a', maxsplit=1)",
      'splitlines()',
      'splitlines(true)',
      'upper()',
      'lower()',
      'title()',
      'capitalize()',
      'swapcase()',
      'casefold()',
      "replace('a', 'b')",
      "replace('a', 'b', 1)",
      "replace('', '-')",
      "find('a')",
      "rfind('l')",
      "index('a')",
      "count('l')",
      "count('')",
      "startswith('A')",
      "startswith(('a', 'H'))",
      "endswith('e')",
      "partition(' ')",
      "rpartition(' ')",
      "removeprefix('H')",
      "removesuffix('e')",
      'isdigit()',
      'isalpha()',
      'isalnum()',
      'isspace()',
      'isupper()',
      'islower()',
      'istitle()',
      'isnumeric()',
      'isdecimal()',
      'isidentifier()',
      'isprintable()',
      'isascii()',
      'zfill(6)',
      "ljust(8, '.')",
      'rjust(8)',
      "center(9, '*')",
      'join(words)',
      `join(${e()})`,
      'expandtabs(4)',
      'keys() | list',
      'values() | list',
      'items() | list',
      "get('a')",
      "get('zz', 5)",
      `get(${e()})`,
      'copy()',
      'append(1)',
      'pop()',
      'update({})',
      'index(1)',
      'count(1)',
      'real',
      'is_integer()',
      'bit_length()',
      '__class__',
      'nope',
      'nope()',
      `strip(${e()})`,
      `split(${e()})`,
      `startswith(${e()})`,
      `find('a', 2)`,
      `find('a', -3, -1)`,
      'items',
      'keys()',
    ])
  }

  #filter(): string {
    const e = () => this.#expression()
    return this.#pick([
      'upper',
      'lower',
      'title',
      'capitalize',
      'trim',
      "trim('a')",
      'length',
      'list',
      'first',
      'last',
      'string',
      'int',
      'int(7)',
      'float',
      'abs',
      'round',
      'round(1)',
      "round(1, 'floor')",
      'sum',
      'max',
      'min',
      'sort',
      'sort(reverse=true)',
      'sort(case_sensitive=true)',
      'reverse | list',
      'reverse',
      'unique | list',
      "join(', ')",
      'join',
      `join(${e()})`,
      "default('dd')",
      "default('dd', true)",
      `d(${e()})`,
      'tojson',
      'tojson(indent=2)',
      'tojson(sort_keys=true)',
      "tojson(separators=(',', ':'))",
      'tojson(ensure_ascii=true)',
      "replace('a', 'zz')",
      "replace('l', '', 1)",
      'wordcount',
      'indent',
      'indent(2, true)',
      "indent('>', blank=true)",
      'center(12)',
      'truncate(9)',
      "truncate(9, true, '~')",
      'truncate(5, leeway=0)',
      'wordwrap(10)',
      'e',
      'escape',
      'safe',
      'forceescape',
      'striptags',
      'urlencode',
      'items | list',
      'dictsort',
      'dictsort(reverse=true)',
      'batch(2) | list',
      "batch(2, 'z') | list",
      'slice(2) | list',
      "slice(2, 'z') | list",
      "map('upper') | list",
      "map(attribute='role') | list",
      "map(attribute='n', default=0) | list",
      "map(attribute='calls.0.name') | list",
      "select('string') | list",
      'select | list',
      "reject('none') | list",
      "selectattr('content') | list",
      "selectattr('n', 'gt', 1) | list",
      "rejectattr('role', 'equalto', 'user') | list",
      "groupby('role')",
      "sort(attribute='n')",
      "sum(attribute='n')",
      "max(attribute='n')",
      'filesizeformat',
      'xmlattr',
      "attr('role')",
      'format(1)',
      'pprint',
      'count',
      'nope',
      `batch(${e()}) | list`,
      'int(base=16)',
      'first | upper',
      "sort(attribute='role,n')",
      'list | length',
      'tojson | length',
      'select("odd") | list',
      'map("int") | list',
      "map('default', 'q') | list",
      'string | length',
    ])
  }
}
