import { describe, expect, test } from 'vitest'
import { TokenizerError } from '../../src/tokenizer/errors.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { loadTokenizer, readFixture, readJson } from './load.ts'

const raw = readJson('test/fixtures/tokenizers/small-320/tokenizer.json') as object
const made = (changes: object) => createTokenizer({ tokenizer: { ...raw, ...changes }, folder: 'm/' })
const times = (n: number, part: object) => Array.from({ length: n }, () => part)
const LONG = 100_000

/** A value or an error of ours, within seconds of the processor's time. */
function ends(work: () => unknown): void {
  const began = process.cpuUsage().user
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(TokenizerError)
    expect((error as Error).message.length).toBeLessThan(4000)
  }
  expect(process.cpuUsage().user - began).toBeLessThan(8_000_000)
}

describe('a text does not grow beyond bounds', () => {
  const replace = (from: object, content: string) => ({ type: 'Replace', pattern: from, content })
  const normalizers = (list: object[]) => ({ normalizer: { type: 'Sequence', normalizers: list } })
  const cuts = (list: object[]) => ({ pre_tokenizer: { type: 'Sequence', pretokenizers: list } })
  test.each([
    ['replacements that double', normalizers(times(40, replace({ String: 'a' }, 'aa')))],
    ['expressions that double', normalizers(times(40, replace({ Regex: '[ab]' }, 'ab')))],
    ['a large content at every place', normalizers([replace({ Regex: '' }, 'x'.repeat(1_000_000))])],
    ['a large beginning', normalizers(times(120, { type: 'Prepend', prepend: 'x'.repeat(50_000) }))],
    [
      'bytes of bytes',
      cuts(times(40, { type: 'ByteLevel', add_prefix_space: true, use_regex: true, trim_offsets: true })),
    ],
    [
      'marks for spaces',
      cuts(times(40, { type: 'Metaspace', replacement: '  ', prepend_scheme: 'always', split: false })),
    ],
    ['a large mark', cuts([{ type: 'Metaspace', replacement: '▁'.repeat(500_000), prepend_scheme: 'always' }])],
  ])('%s', (_, changes) => {
    const t = made(changes)
    for (const text of ['a', 'ab a é '.repeat(2000)]) ends(() => t.encode(text))
  })

  test('the beginning of every section between added tokens counts', () => {
    const added_tokens = [{ id: 320, content: '<x>', special: true, normalized: false }]
    const t = made({ added_tokens, normalizer: { type: 'Prepend', prepend: 'y'.repeat(60_000) } })
    expect(() => t.encode('a<x>'.repeat(20_000))).toThrow(/makes (more than \d+ characters|too much work) of it/)
  })

  test.each([
    ['Replace', { type: 'Replace', pattern: { String: 'a' }, content: 'aa' }],
    ['Metaspace', { type: 'Metaspace', replacement: ' ', prepend_scheme: 'never' }],
    ['WordPiece', { type: 'WordPiece', prefix: '', cleanup: false }],
  ])('nor does a token when it is decoded: %s', (_, part) => {
    const t = made({ decoder: { type: 'Sequence', decoders: times(40, part) } })
    ends(() => t.decode(t.encode('a b aa'.repeat(1000))))
  })

  test('the tokens around a text are few, and the text is there once', () => {
    const post = (single: object[]) => ({ post_processor: { type: 'TemplateProcessing', single } })
    const text = { Sequence: { id: 'A', type_id: 0 } }
    expect(() => made(post([text, text]))).toThrow(/"post_processor\.single" is a list; expected the text once/)
    expect(() => made(post([text, ...times(100, { SpecialToken: { id: '<bos>', type_id: 0 } })]))).toThrow(/at most 64/)
  })
})

describe('added tokens take linear time', () => {
  const token = (id: number, content: string, more: object = {}) => ({
    id,
    content,
    special: false,
    normalized: false,
    ...more,
  })
  test.each<[string, object[], string]>([
    ['one that is nearly there everywhere', [token(320, `${'a'.repeat(LONG)}b`)], 'a'.repeat(LONG)],
    ['a short one inside of a long one', [token(320, 'a'), token(321, `${'a'.repeat(LONG)}b`)], 'a'.repeat(LONG)],
    ['one that ends alike', [token(320, `b${'a'.repeat(LONG)}`)], 'a'.repeat(LONG)],
    [
      'many that begin alike',
      Array.from({ length: 900 }, (_, i) => token(320 + i, `${'a'.repeat(i + 1)}b`)),
      'a'.repeat(LONG),
    ],
    [
      'blanks before and behind',
      [token(320, '<x>', { lstrip: true, rstrip: true })],
      `${' '.repeat(LONG)}<x>`.repeat(3),
    ],
    ['tokens of blanks that take blanks', [token(320, '  ', { lstrip: true, rstrip: true })], ' '.repeat(LONG)],
    ['words', [token(320, 'ab', { single_word: true })], 'ab'.repeat(LONG)],
  ])('%s', (_, added_tokens, text) => ends(() => made({ added_tokens }).encode(text)))

  test('too many characters of them are refused', () => {
    const added_tokens = Array.from({ length: 20 }, (_, i) => token(320 + i, `${'x'.repeat(60_000)}${i}`))
    expect(() => made({ added_tokens })).toThrow(/added tokens have more than 1048576 characters/)
  })
})

describe('words of any length take nearly linear time', () => {
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i))
  const long = Array.from({ length: 300 }, (_, i) => 'a'.repeat(i + 1))
  const vocab = Object.fromEntries([...new Set(['<unk>', ...letters, ...long])].map((t, i) => [t, i]))
  const models: Record<string, object> = {
    'BPE whose merges double': {
      type: 'BPE',
      vocab: { ...Object.fromEntries(Array.from({ length: 16 }, (_, i) => ['a'.repeat(2 ** i), i])), '<unk>': 16 },
      merges: Array.from({ length: 15 }, (_, i) => ['a'.repeat(2 ** i), 'a'.repeat(2 ** i)]),
      unk_token: '<unk>',
      fuse_unk: true,
    },
    'BPE whose merges add one': {
      type: 'BPE',
      vocab,
      merges: long.slice(0, -1).map(left => [left, 'a']),
      unk_token: '<unk>',
      fuse_unk: true,
    },
    WordPiece: {
      type: 'WordPiece',
      vocab,
      unk_token: '<unk>',
      continuing_subword_prefix: '',
      max_input_chars_per_word: 1e9,
    },
    Unigram: { type: 'Unigram', vocab: Object.keys(vocab).map(t => [t, -t.length]), unk_id: 0 },
  }
  test.each(Object.entries(models))('%s', (_, model) => {
    const t = createTokenizer({ tokenizer: { model } })
    for (const text of ['a'.repeat(LONG), 'ab'.repeat(LONG), '🙂'.repeat(LONG), '日'.repeat(LONG), ' '.repeat(LONG)]) {
      ends(() => t.encode(text))
    }
  })

  test.each(['deepseek-v3', 'gemma-3', 'qwen-3'])('%s encodes many letters, blanks or emoji', name => {
    const t = loadTokenizer(readFixture(name))
    for (const part of ['a', ' ', '🙂', 'ab ']) {
      const text = part.repeat(300_000 / part.length)
      ends(() => expect(t.decode(t.encode(text, { addSpecialTokens: false }))).toBe(text))
    }
  })
})

describe('expressions that are large for what they do', () => {
  const split = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false })
  const cuts = (list: object[]) => ({ pre_tokenizer: { type: 'Sequence', pretokenizers: list } })

  test('on many pieces of one character', () => {
    const t = made(cuts([split('.'), ...times(7, split(`${'a?'.repeat(4000)}!`))]))
    ends(() => t.encode('ab'.repeat(LONG)))
  })

  test('on many different characters', () => {
    const t = made(cuts([split(Array.from({ length: 4000 }, () => 'a').join('|'))]))
    ends(() => t.encode(Array.from({ length: 50_000 }, (_, i) => String.fromCharCode(i)).join('')))
  })

  test('together they are short', () => {
    expect(() => made(cuts(times(10, split('a'.repeat(10_000)))))).toThrow(/at most 65536 characters of regular/)
  })
})

describe('decoders', () => {
  test('strip what is stripped once, not a thousand times', () => {
    const strip = { type: 'Strip', content: 'a', start: 0, stop: 1e9 }
    expect(() => made({ decoder: strip })).toThrow('m/tokenizer.json: "decoder" strips 1000000000 times')
  })

  test('name file and key where an expression is too large', () => {
    const decoder = { type: 'Replace', pattern: { Regex: 'a'.repeat(1_000_000) }, content: '' }
    expect(() => made({ decoder })).toThrow(/^m\/tokenizer\.json: "decoder" has a regular expression of 1000000/)
  })
})
