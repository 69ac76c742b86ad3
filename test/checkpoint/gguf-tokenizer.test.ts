import { describe, expect, it, test } from 'vitest'
import { textOfBytes } from '../../src/byte-text.ts'
import { Metadata } from '../../src/checkpoint/gguf/metadata.ts'
import type { MetadataValue } from '../../src/checkpoint/gguf/metadata-values.ts'
import { tokenizerOf } from '../../src/checkpoint/gguf/tokenizer.ts'
import { TOKEN } from '../../src/checkpoint/gguf/vocabulary.ts'
import { CheckpointError, UnsupportedModelError } from '../../src/errors.ts'
import { createTokenizer, type Tokenizer } from '../../src/tokenizer/tokenizer.ts'
import { type Fixture, readFixture, readJson, vocabularyFolder } from '../tokenizer/load.ts'

interface TokenizerJson {
  readonly model: { readonly vocab: Record<string, number>; readonly merges: (string | [string, string])[] }
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[] | null
}

const open = (values: Record<string, MetadataValue>): Tokenizer => {
  const { tokenizer, tokenizerConfig } = tokenizerOf(new Metadata(new Map(Object.entries(values)), 'm.gguf'))
  return createTokenizer({ tokenizer, config: tokenizerConfig, folder: 'm.gguf/' })
}

/** What a converter writes of a published tokenizer.json. */
function metadataOf(fixture: Fixture, model: 'gpt2' | 'llama'): Record<string, MetadataValue> {
  const { model: m, added_tokens } = readJson(`${vocabularyFolder(fixture)}tokenizer.json`) as TokenizerJson
  const added = added_tokens ?? []
  const ids = [...Object.values(m.vocab), ...added.map(token => token.id)]
  const tokens = Array.from({ length: ids.reduce((a, b) => Math.max(a, b), 0) + 1 }, (_, i) => `[PAD${i}]`)
  const types = new Int32Array(tokens.length).fill(TOKEN.unused)
  for (const [token, id] of Object.entries(m.vocab)) {
    tokens[id] = token
    types[id] = model === 'llama' && /^<0x..>$/.test(token) ? TOKEN.byte : TOKEN.normal
  }
  for (const { id, content, special } of added) {
    tokens[id] = content
    types[id] = special ? TOKEN.control : TOKEN.userDefined
  }
  const merges = m.merges.map(merge => (typeof merge === 'string' ? merge : merge.join(' ')))
  const common = {
    'tokenizer.ggml.model': model,
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': types,
    'tokenizer.ggml.add_bos_token': false,
  }
  if (model === 'gpt2') return { ...common, 'tokenizer.ggml.merges': merges }
  // In the vocabulary of SentencePiece a token's score is the rank of the first merge that makes it.
  const scores = new Float32Array(tokens.length)
  for (const [rank, merge] of m.merges.entries()) {
    const id = m.vocab[(typeof merge === 'string' ? merge.split(' ') : merge).join('')] as number
    if (scores[id] === 0) scores[id] = -rank - 1
  }
  return {
    ...common,
    'tokenizer.ggml.scores': scores,
    'tokenizer.ggml.add_space_prefix': false,
    'tokenizer.ggml.unknown_token_id': m.vocab['<unk>'] as number,
  }
}

/** The texts of the tokenizer fixtures must come out as from the tokenizer.json itself. */
describe.each([
  ['small-320', 'gpt2', 'gpt-2'],
  ['deepseek-v3', 'gpt2', 'deepseek-v3'],
  ['llama-3', 'gpt2', 'llama-bpe'],
  ['qwen-3', 'gpt2', 'qwen2'],
  ['gpt-4o', 'gpt2', 'gpt-4o'],
  ['gemma-3', 'llama', 'default'],
] as const)('%s from metadata', (name, model, pre) => {
  const fixture = readFixture(name)
  const tokenizer = open({ ...metadataOf(fixture, model), 'tokenizer.ggml.pre': pre })

  it('cuts texts into the same ids', () => {
    expect(fixture.encode.length).toBe(78)
    for (const { name, text, ids } of fixture.encode) expect(tokenizer.encode(text), name).toEqual(ids)
  })

  it('gives the same texts back', () => {
    for (const { name, ids, decoded, decoded_skip_special } of fixture.encode) {
      expect(tokenizer.decode(ids), name).toBe(decoded)
      expect(tokenizer.decode(ids, { skipSpecialTokens: true }), name).toBe(decoded_skip_special)
    }
  })
})

const BYTES = {
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'gpt-2',
  'tokenizer.ggml.tokens': ['<s>', '</s>', 'a', 'b', 'Ġ', 'ab', '<u>'],
  'tokenizer.ggml.token_type': [3, 3, 1, 1, 1, 1, 4],
  'tokenizer.ggml.merges': ['a b'],
  'tokenizer.ggml.bos_token_id': 0,
  'tokenizer.ggml.eos_token_id': 1,
} satisfies Record<string, MetadataValue>

describe('special tokens', () => {
  it('begin and end a text as the file says, once', () => {
    const both = open({ ...BYTES, 'tokenizer.ggml.add_bos_token': true, 'tokenizer.ggml.add_eos_token': true })
    expect(both.encode('ab a')).toEqual([0, 5, 4, 2, 1])
    expect(both.encodePrompt('ab')).toEqual([0, 5])
    expect(both.encodePrompt('<s>ab')).toEqual([0, 5])
    expect(both.encode('ab', { addSpecialTokens: false })).toEqual([5])
    expect(open(BYTES).encode('ab')).toEqual([5])
    expect(open({ ...BYTES, 'tokenizer.ggml.pre': 'llama-bpe' }).encode('ab')).toEqual([0, 5])
  })

  it('are no text; those a user defined are', () => {
    const t = open(BYTES)
    expect(t.encode('a<u></s>')).toEqual([2, 6, 1])
    expect(t.decode([2, 6, 1], { skipSpecialTokens: true })).toBe('a<u>')
    expect(t.isSpecial(0)).toBe(true)
  })

  it('that are not there are not given', () => {
    const t = open({ ...BYTES, 'tokenizer.ggml.bos_token_id': 7, 'tokenizer.ggml.add_bos_token': true })
    expect(t.bosId).toBeUndefined()
    expect(t.encode('ab')).toEqual([5])
  })

  it('tokens whose bytes are no UTF-8 give these bytes', () => {
    const halves = [Uint8Array.of(0xc3), Uint8Array.of(0xa9)].map(textOfBytes)
    const model = { 'tokenizer.ggml.model': 'llama', 'tokenizer.ggml.add_space_prefix': false }
    const t = open({
      ...model,
      'tokenizer.ggml.tokens': ['<unk>', 'a', ...halves],
      'tokenizer.ggml.scores': [0, 0, 0, 0],
      'tokenizer.ggml.token_type': [2, 1, 1, 1],
    })
    expect(t.decode([1, 2, 3])).toBe('a\u00e9')
    expect(t.decode([3, 2, 1])).toBe('\ufffd\ufffda')
  })

  it('bytes that the vocabulary lacks vanish, even where a token is called unknown', () => {
    expect(open({ ...BYTES, 'tokenizer.ggml.unknown_token_id': 0 }).encode('acb')).toEqual([2, 3])
  })
})

it('what merges make and the vocabulary lacks is spelled, as llama.cpp does', () => {
  // "Ġa" is no token.
  const t = open({ ...BYTES, 'tokenizer.ggml.merges': ['Ġ a', 'a b'] })
  expect(t.encode('ab ab')).toEqual([5, 4, 2, 3])
  expect(t.decode(t.encode('ab ab a'))).toBe('ab ab a')
})

describe('SentencePiece', () => {
  const pieces: [string, number, number][] = [
    ['<unk>', 0, 2],
    ['<s>', 0, 3],
    ['▁', -9, 1],
    ['a', -9, 1],
    ['b', -9, 1],
    ['c', -9, 1],
    ['ab', -2, 1],
    ['bc', -1, 1],
    ['▁a', -3, 1],
    ['<0xC3>', 0, 6],
    ['<0xA9>', 0, 6],
  ]
  const spm = {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': pieces.map(p => p[0]),
    'tokenizer.ggml.scores': pieces.map(p => p[1]),
    'tokenizer.ggml.token_type': pieces.map(p => p[2]),
    'tokenizer.ggml.bos_token_id': 1,
  } satisfies Record<string, MetadataValue>

  it('joins what scores highest first; a space stands before a text', () => {
    const t = open(spm)
    expect(t.encodePrompt('abc')).toEqual([1, 8, 7])
    expect(t.encode('ab c', { addSpecialTokens: false })).toEqual([2, 6, 2, 5])
    expect(t.decode([8, 7])).toBe('abc')
    expect(open({ ...spm, 'tokenizer.ggml.add_space_prefix': false }).encodePrompt('abc')).toEqual([1, 3, 7])
  })

  it('falls back to bytes, and to the unknown token', () => {
    const t = open(spm)
    expect(t.encode('é', { addSpecialTokens: false })).toEqual([2, 9, 10])
    expect(t.decode([2, 9, 10])).toBe('é')
    expect(t.encode('!', { addSpecialTokens: false })).toEqual([2, 0])
  })
})

describe('chat templates', () => {
  it('one, or several by name', () => {
    const one = open({ ...BYTES, 'tokenizer.chat_template': '{{ bos_token }}{{ messages[0].content }}' })
    expect(one.applyChatTemplate([{ role: 'user', content: 'x' }])).toBe('<s>x')
    const two = open({
      ...BYTES,
      'tokenizer.chat_template': 'one',
      'tokenizer.chat_templates': ['tool_use'],
      'tokenizer.chat_template.tool_use': 'two',
    })
    expect(two.chatTemplateNames).toEqual(['default', 'tool_use'])
    expect(two.applyChatTemplate([], { template: 'tool_use' })).toBe('two')
    expect(open(BYTES).hasChatTemplate).toBe(false)
  })
})

test.each<[string, Record<string, MetadataValue>, new (m: string) => Error, string]>([
  [
    'no tokenizer',
    { 'tokenizer.ggml.model': undefined as never },
    CheckpointError,
    'key "tokenizer.ggml.model" is missing',
  ],
  ['another kind', { 'tokenizer.ggml.model': 'rwkv' }, UnsupportedModelError, '"tokenizer.ggml.model" is "rwkv"'],
  ['another cut', { 'tokenizer.ggml.pre': 'toString' }, UnsupportedModelError, '"tokenizer.ggml.pre" is "toString"'],
  ['no tokens', { 'tokenizer.ggml.tokens': [] }, CheckpointError, 'is an array of 0; expected at least one token'],
  ['tokens that are numbers', { 'tokenizer.ggml.tokens': [1, 2] }, CheckpointError, 'expected an array of strings'],
  ['types of other tokens', { 'tokenizer.ggml.token_type': [1] }, CheckpointError, 'expected an array of length 7'],
  ['merges that are none', { 'tokenizer.ggml.merges': ['ab'] }, CheckpointError, 'a space in each, not "ab"'],
  ['no scores', { 'tokenizer.ggml.model': 'llama' }, CheckpointError, 'key "tokenizer.ggml.scores" is missing'],
])('refused: %s', (_, changes, kind, message) => {
  const ask = () => open({ ...BYTES, ...changes })
  expect(ask).toThrow(kind)
  expect(ask).toThrow(message)
})

test('names that objects have of their own are tokens like any other', () => {
  const t = open({ ...BYTES, 'tokenizer.ggml.tokens': ['<s>', '__proto__', 'a', 'b', 'constructor', 'ab', '<u>'] })
  expect(t.encode('<s>__proto__')).toEqual([0, 1])
  expect(t.idToToken(4)).toBe('constructor')
})
