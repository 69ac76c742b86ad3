import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LatentkitError } from '../../src/errors.ts'
import { TokenizerError } from '../../src/tokenizer/errors.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { readJson } from './load.ts'

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const small = readJson('test/fixtures/tokenizers/small-320/tokenizer.json') as { [key: string]: Json }
const model = small.model as { [key: string]: Json }

describe('tokenizer.json: the key, what was met, what was expected', () => {
  const cases: [string, unknown, string | RegExp][] = [
    ['no object', [], 'm/tokenizer.json is a list; expected a JSON object'],
    ['nothing', undefined, 'm/tokenizer.json is nothing; expected a JSON object'],
    ['no model', { ...small, model: null }, '"model" is null; expected an object with a vocabulary'],
    ['model type', { ...small, model: { ...model, type: 'WordLevel' } }, '"model.type" is "WordLevel"; expected "BPE"'],
    [
      'vocab',
      { ...small, model: { ...model, vocab: [1] } },
      '"model.vocab" is a list; expected an object from token to id',
    ],
    ['id', { ...small, model: { ...model, vocab: { a: 1.5 } } }, '"model.vocab.a" is 1.5; expected a whole number'],
    ['huge id', { ...small, model: { ...model, vocab: { a: 2 ** 40 } } }, '"model.vocab.a" is 1099511627776; expected'],
    ['negative id', { ...small, model: { ...model, vocab: { a: -1 } } }, '"model.vocab.a" is -1; expected'],
    [
      'no merges',
      { ...small, model: { ...model, merges: undefined } },
      '"model.merges" is nothing; expected a list of pairs',
    ],
    [
      'merge',
      { ...small, model: { ...model, merges: [['a', 'b'], 'a b'] } },
      '"model.merges[1]" is "a b"; expected a pair',
    ],
    ['merge text', { ...small, model: { ...model, merges: ['ab'] } }, '"model.merges[0]" is "ab"; expected two tokens'],
    ['added tokens', { ...small, added_tokens: {} }, '"added_tokens" is an object; expected a list'],
    ['added id', { ...small, added_tokens: [{ id: '1', content: 'a' }] }, '"added_tokens[0].id" is "1"; expected'],
    [
      'added content',
      { ...small, added_tokens: [{ id: 1 }] },
      '"added_tokens[0].content" is nothing; expected a string',
    ],
    ['normalizer', { ...small, normalizer: 'NFC' }, '"normalizer" is "NFC"; expected an object or null'],
    [
      'unknown normalizer',
      { ...small, normalizer: { type: 'Rot13' } },
      /m\/tokenizer\.json: "normalizer" cannot be used: .*Rot13/,
    ],
    ['pre-tokenizer type', { ...small, pre_tokenizer: { type: 3 } }, '"pre_tokenizer.type" is 3; expected a string'],
    [
      'pre-tokenizer child',
      { ...small, pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'Split' }] } },
      '"pre_tokenizer.pretokenizers[0].pattern" is nothing; expected {"String"',
    ],
    [
      'broken expression',
      { ...small, pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Isolated' } },
      /cannot be used: Invalid regular expression/,
    ],
    ['decoder', { ...small, decoder: { type: 'CTC' } }, '"decoder" has the type "CTC"; expected ByteLevel,'],
    [
      'post-processor token',
      {
        ...small,
        post_processor: {
          type: 'TemplateProcessing',
          single: [{ SpecialToken: { id: '<no>' } }, { Sequence: { id: 'A' } }],
        },
      },
      '"post_processor" adds "<no>", which the vocabulary does not have',
    ],
    [
      'unigram',
      { ...small, model: { type: 'Unigram', vocab: [['a', 0]], unk_id: 1 } },
      '"model.unk_id" is 1; expected',
    ],
  ]
  test.each(cases)('%s', (_, tokenizer, message) => {
    const run = () => createTokenizer({ tokenizer, folder: 'm/' })
    expect(run).toThrow(TokenizerError)
    expect(run).toThrow(message)
  })

  test('sequences without end', () => {
    let part: Json = { type: 'NFC' }
    for (let i = 0; i < 10_000; i++) part = { type: 'Sequence', normalizers: [part] }
    expect(() => createTokenizer({ tokenizer: { ...small, normalizer: part } })).toThrow(/at most 32 sequences/)
  })
})

describe('tokenizer_config.json', () => {
  test.each([
    ['bos_token', { bos_token: [1] }, 'm/tokenizer_config.json: "bos_token" is a list; expected a token'],
    ['chat_template', { chat_template: 3 }, '"chat_template" is 3; expected a text or a list of {name, template}'],
    [
      'chat_template[0]',
      { chat_template: [{ name: 'a' }] },
      '"chat_template[0]" is an object; expected {name, template}',
    ],
    ['the file', 'config', 'm/tokenizer_config.json is "config"; expected a JSON object'],
  ])('%s', (_, config, message) => {
    expect(() => createTokenizer({ tokenizer: small, config, folder: 'm/' })).toThrow(message)
  })
})

/** One of everything, so that every kind of setting is among the places that are spoilt. */
const rich: Json = {
  ...small,
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'NFC' },
      { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' },
      { type: 'Prepend', prepend: '\u2581' },
      { type: 'Strip', strip_left: true, strip_right: false },
    ],
  },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\p{N}{1,3}' }, behavior: 'Isolated', invert: false },
      { type: 'Digits', individual_digits: true },
      { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always' },
      { type: 'FixedLength', length: 3 },
      { type: 'ByteLevel', add_prefix_space: false },
    ],
  },
  post_processor: {
    type: 'Sequence',
    processors: [
      { type: 'BertProcessing', cls: ['<bos>', 0], sep: ['<eos>', 1] },
      {
        type: 'TemplateProcessing',
        single: [{ SpecialToken: { id: '<bos>', type_id: 0 } }, { Sequence: { id: 'A' } }],
      },
    ],
  },
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { Regex: '\u2581' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
}

/** Every place in a JSON value, as the list of keys that leads to it. Long lists are thinned out. */
function places(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries: [string | number, Json][] = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  const thinned = entries.length > 40 ? entries.filter((_, i) => i % 23 === 0) : entries
  return [path, ...thinned.flatMap(([key, inner]) => places(inner, [...path, key]))]
}

function replaced(value: Json, [key, ...rest]: (string | number)[], by: Json): Json {
  if (key === undefined) return by
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, Json>
  copy[key] = replaced(copy[key]!, rest, by)
  return copy as Json
}

test.each([
  ['small', small],
  ['rich', rich],
])('whatever stands anywhere in the file: a tokenizer or an error of ours (%s)', (_, base) => {
  createTokenizer({ tokenizer: base }).encode('ok')
  const spots = places(base)
  const junk = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
    fc.constantFrom<Json>(
      '__proto__',
      'Sequence',
      'Split',
      'ByteLevel',
      'Unigram',
      'WordPiece',
      'Metaspace',
      -0,
      1e308,
      '(',
    ),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom(...spots), junk), { minLength: 1, maxLength: 3 }), changes => {
      let tokenizer: Json = base
      for (const [path, by] of changes) {
        try {
          tokenizer = replaced(tokenizer, path, by)
        } catch {} // An earlier change has taken the place away.
      }
      try {
        const made = createTokenizer({ tokenizer })
        made.decode(made.encode('The <bos> fox, 12 é\u0000 '))
      } catch (error) {
        if (!(error instanceof LatentkitError)) throw error
        expect(error.message).not.toMatch(/undefined|not a function|not iterable|Cannot read/)
      }
    }),
    { numRuns: 3000, seed: 7 },
  )
})
