import { describe, expect, test } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { loadSmall, readJson } from './load.ts'

const raw = readJson('test/fixtures/tokenizers/small-320/tokenizer.json') as Record<string, unknown>
const small = loadSmall()

describe('the named tokens', () => {
  const make = (config: object) => createTokenizer({ tokenizer: raw, config })

  test('as text, as an object, as a number, as null', () => {
    const t = make({
      bos_token: '<bos>',
      eos_token: { __type: 'AddedToken', content: '<eos>' },
      pad_token: 2,
      unk_token: null,
    })
    expect([t.bosId, t.eosId, t.padId, t.unkId]).toEqual([0, 1, 2, undefined])
    expect(make({ bos_token_id: 1 }).bosId).toBe(1)
  })

  test('none without a config; one that the vocabulary lacks does not exist', () => {
    expect([small.bosId, small.eosId, small.padId, small.unkId]).toEqual([undefined, undefined, undefined, undefined])
    expect(make({ bos_token: '[BOS]', eos_token: 9999 })).toMatchObject({ bosId: undefined, eosId: undefined })
  })

  test('special: marked so, or named in the config', () => {
    expect(small.specialIds).toEqual([0, 1, 2])
    const t = make({ eos_token: 'he', additional_special_tokens: ['a', { content: 'b' }, 3] })
    expect(t.specialIds).toEqual([0, 1, 2, ...['he', 'a', 'b'].map(token => t.tokenToId(token)!)])
    expect(t.decode(t.encode('a<bos>c'), { skipSpecialTokens: true })).toBe('c')
  })
})

describe('vocabulary', () => {
  test('tokens and ids', () => {
    expect(small.vocabSize).toBe(320)
    for (let id = 0; id < 320; id++) expect(small.tokenToId(small.idToToken(id)!)).toBe(id)
    expect(small.tokenToId('no such token')).toBeUndefined()
    for (const id of [-1, 320, 1.5, Number.NaN, 1e9]) expect(small.idToToken(id), String(id)).toBeUndefined()
  })

  test('its size counts the holes that added tokens leave', () => {
    const added_tokens = [{ id: 400, content: '<far>', special: true }]
    const t = createTokenizer({ tokenizer: { ...raw, added_tokens } })
    expect(t.vocabSize).toBe(401)
    expect(t.encode('<far>')).toEqual([400])
    expect(t.decode([350, 400])).toBe('<far>')
  })

  test('bytes: all 256 are there, and ids without a token have none', () => {
    const single = Array.from({ length: 320 }, (_, id) => small.tokenBytes(id)).filter(bytes => bytes.length === 1)
    expect(new Set(single.map(bytes => bytes[0])).size).toBe(256)
    expect(small.tokenBytes(small.encode(' the')[0]!)).toEqual(new TextEncoder().encode(' the'))
    expect(small.tokenBytes(4000).length).toBe(0)
    expect(small.decode([4000, ...small.encode('a'), -1])).toBe('a')
  })
})

describe('where a prompt begins', () => {
  const templated = (single: object[]) => ({ ...raw, post_processor: { type: 'TemplateProcessing', single } })
  const withBos = templated([{ SpecialToken: { id: '<bos>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }])
  const hi = small.encode('hi')

  test.each([
    ['nothing is said', raw, { bos_token: '<bos>', eos_token: '<eos>' }, hi],
    ['no such token', raw, { add_bos_token: true }, hi],
    ['the config says so', raw, { bos_token: '<bos>', add_bos_token: true }, [0, ...hi]],
    ['the post-processor adds it', withBos, { bos_token: '<bos>' }, [0, ...hi]],
    ['both', withBos, { bos_token: '<bos>', add_bos_token: true }, [0, ...hi]],
    ['the config says no', withBos, { bos_token: '<bos>', add_bos_token: false }, hi],
    ['one token separates texts', raw, { bos_token: '<eos>', eos_token: '<eos>' }, [1, ...hi]],
  ])('%s', (_, tokenizer, config, ids) => {
    const t = createTokenizer({ tokenizer, config })
    expect(t.encodePrompt('hi')).toEqual(ids)
    expect(t.startsWithBos).toBe(ids !== hi)
  })

  test('never twice, and the caller may decide', () => {
    const t = createTokenizer({ tokenizer: withBos, config: { bos_token: '<bos>' } })
    expect(t.encodePrompt('<bos>hi')).toEqual([0, ...hi])
    expect(t.encodePrompt('hi', { bos: false })).toEqual(hi)
    expect(t.encodePrompt('')).toEqual([0])
    // encode() keeps to the letter of tokenizer.json, as the fixtures ask.
    expect(t.encode('<bos>hi')).toEqual([0, 0, ...hi])
  })
})

test('the bundled model', () => {
  const folder = 'models/tales-mla-8m/'
  const t = createTokenizer({
    tokenizer: readJson(`${folder}tokenizer.json`),
    config: readJson(`${folder}tokenizer_config.json`),
  })
  const { prompts } = readJson(`${folder}expected.json`) as { prompts: { text: string; tokens: number }[] }
  expect(t.vocabSize).toBe(4096)
  expect([t.bosId, t.eosId]).toEqual([0, 0])
  expect(t.hasChatTemplate).toBe(false)
  expect(prompts.map(({ text }) => t.encodePrompt(text).length)).toEqual(prompts.map(({ tokens }) => tokens))
  for (const { text } of prompts) {
    expect(t.encodePrompt(text)[0]).toBe(0)
    expect(t.decode(t.encodePrompt(text), { skipSpecialTokens: true })).toBe(text)
  }
})

test('special tokens in a text, as themselves or as text', () => {
  expect(small.encode('a<bos>b')).toEqual([small.encode('a'), 0, small.encode('b')].flat())
  const asText = small.encode('a<bos>b', { parseSpecial: false })
  expect(asText).not.toContain(0)
  expect(small.decode(asText)).toBe('a<bos>b')
  const added_tokens = [{ id: 320, content: '<think>', special: false, normalized: false }]
  const t = createTokenizer({ tokenizer: { ...raw, added_tokens } })
  expect(t.encode('<think>', { parseSpecial: false })).toEqual([320])
})

test('a text that is no string is refused', () => {
  expect(() => small.encode(7 as never)).toThrow(new OptionError('text is 7; expected a string'))
})

test('what the vocabulary has no token for is an error, not a hole', () => {
  const model = { type: 'WordPiece', vocab: { a: 0 }, unk_token: '[UNK]', continuing_subword_prefix: '##' }
  const t = createTokenizer({ tokenizer: { model } })
  expect(t.encode('a')).toEqual([0])
  expect(() => t.encode('b')).toThrow(
    'A text of 1 characters cannot be encoded: it holds something that the vocabulary has no token for',
  )
})
