import { describe, expect, test } from 'vitest'
import { inJavaScript } from '../../src/tokenizer/library.ts'
import { expressionOf } from '../../src/tokenizer/pattern.ts'
import { Expression } from '../../src/tokenizer/regex/expression.ts'
import { Work } from '../../src/tokenizer/work.ts'
import { Rng } from '../support/rng.ts'

const find = (expression: Expression, text: string) => expression.findAll(text, new Work(text.length))
const native = (source: string, text: string) =>
  [...text.matchAll(new RegExp(source, 'gu'))].flatMap(found => [found.index, found.index + found[0].length])

/** Cuts of texts that were published with models, in Oniguruma's syntax. */
const PUBLISHED: Record<string, string> = {
  'GPT-2': "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  'Llama 3, cl100k':
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  'cl100k with possessive quantifiers':
    "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}++|\\p{N}{1,3}+| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*+|\\s++$|\\s*[\\r\\n]|\\s+(?!\\S)|\\s",
  o200k:
    "[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  'Qwen 2':
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  'DeepSeek, numbers': '\\p{N}{1,3}',
  'DeepSeek, Han': '[一-龥぀-ゟ゠-ヿ]+',
  'DeepSeek, words':
    '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
  Kimi: "[\\p{Han}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}&&[^\\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  BLOOM: ' ?[^(\\s|[.,!?…。，、।۔،])]+',
  Falcon: '[0-9][0-9][0-9]',
  CLIP: "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+",
  tekken:
    '[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]*[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]+|[^\\r\\n\\p{L}\\p{N}]?[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]+[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+',
}

describe('published expressions', () => {
  const parts = [
    'Hello',
    " don't WE'LL",
    ' XMLHttp',
    '日本語の漢字',
    'カナ',
    '1234567',
    ' 3.14',
    '  \n\n',
    '\t\r\n ',
    '。、',
    '!!! ',
    '👩‍💻',
    'e\u0301',
    'Привет ',
    '   ',
  ]
  test.each(Object.entries(PUBLISHED))('%s cuts as JavaScript does', (_, published) => {
    const rng = new Rng(7)
    const expression = expressionOf(published, 'tokenizer.json') as Expression
    for (let i = 0; i < 150; i++) {
      const text = Array.from({ length: 1 + rng.below(8) }, () => parts[rng.below(parts.length)]).join('')
      expect(find(expression, text), text).toEqual(native(inJavaScript(published), text))
    }
  })

  test.each(Object.entries(PUBLISHED))('%s takes a long text of one kind', (_, published) => {
    const expression = expressionOf(published, 'tokenizer.json') as Expression
    for (const part of ['a', 'A', ' ', '\n', '1', '!', '漢', '🙂', "'", ' \n']) {
      expect(() => find(expression, part.repeat(100_000 / part.length))).not.toThrow()
    }
  })
})

/** All of the syntax over few letters, so that loops, choices and emptiness meet. */
function anyExpression(rng: Rng, depth: number): string {
  const pick = (list: readonly string[]) => list[rng.below(list.length)]!
  const inner = () => anyExpression(rng, depth - 1)
  const kind = rng.below(depth > 0 ? 10 : 2)
  if (kind < 2) return pick(['a', 'b', 'c', '[ab]', '[^a]', '\\p{L}', '.', '\\n', ''])
  if (kind < 5) return inner() + inner()
  if (kind < 7) return `(?:${inner()}|${inner()}${pick(['', '|'])})`
  if (kind === 9) return `(${pick(['?=', '?!', '?<=', '?<!', ''])}${inner()})`
  return `(?:${inner()})${pick(['*', '+', '?', '*?', '+?', '??', '{2}', '{1,2}', '{0,2}', '{2,}', '{1,3}?'])}`
}

test('any expression finds in any text what JavaScript finds', () => {
  const rng = new Rng(11)
  for (let i = 0; i < 1500; i++) {
    const source = anyExpression(rng, 4)
    const expression = new Expression(source)
    for (let k = 0; k < 8; k++) {
      const text = Array.from({ length: rng.below(9) }, () => 'abc\n'[rng.below(4)]).join('')
      expect(find(expression, text), `${source} in ${JSON.stringify(text)}`).toEqual(native(source, text))
    }
  }
})

describe('expressions that take JavaScript for ever', () => {
  const a = 'a'.repeat(100_000)
  test.each([
    ['(a+)+$', `${a}!`],
    ['(a|aa)+b', a],
    ['(a|a)*b', a],
    ['(.*)*x', a],
    ['^(\\w+\\s?)*$', `${'word '.repeat(20_000)}!`],
    ['(?:a?){30}a{30}', a],
    ['(a*)*(b*)*c', a],
    ['(?=(a+)+b)a', a],
    ['(?!(a+)+b)a', a],
    ['(?<=(a+)+)b', `${a}b`],
    ['a*a*a*a*b', a],
    ['\\s+$', `${' '.repeat(100_000)}x`],
    ['.*x', `${a}\n`],
    ['(?:(?:a*)*|b)*c', a],
    ['(a+?)+?!', a],
    ['(x+x+)+y', 'x'.repeat(100_000)],
    ['(?=.*!)a', `${a}!`],
    [`${'(?:'.repeat(20)}a?${')*'.repeat(20)}b`, a],
  ])('%s: linear here', (source, text) => {
    const began = process.cpuUsage().user
    find(expressionOf(source, 'tokenizer.json') as Expression, text)
    expect(process.cpuUsage().user - began).toBeLessThan(8_000_000)
  })
})

describe('refused in a sentence that names file and key', () => {
  test.each([
    ['too long', 'a'.repeat(1_000_000), 'has a regular expression of 1000000 characters'],
    ['too many states', '(?:(?:(?:a{50}){50}){50}){50}', 'more than 20000 states'],
    ['nested too deep', `${'('.repeat(5000)}a${')'.repeat(5000)}`, 'which cannot be used'],
    ['nothing, very often', '(?:(?:(?:){9999}){9999}){9999}', 'which cannot be used'],
    ['a reference back', '(a)\\1', 'refers back'],
    ['broken', 'a)', 'which cannot be used'],
  ])('%s', (_, source, sentence) => {
    const began = process.cpuUsage().user
    expect(() => expressionOf(source, 'm/tokenizer.json: "decoder"')).toThrow(/^m\/tokenizer\.json: "decoder" has /)
    expect(() => expressionOf(source, 'm/tokenizer.json: "decoder"')).toThrow(sentence)
    expect(process.cpuUsage().user - began).toBeLessThan(8_000_000)
  })

  test('a text that is too long for it', () => {
    const expression = expressionOf(`(?:a|${'b?'.repeat(2000)})+c`, 'tokenizer.json') as Expression
    expect(() => find(expression, 'ab'.repeat(1_000_000))).toThrow(/too much work|too large/)
  })
})
