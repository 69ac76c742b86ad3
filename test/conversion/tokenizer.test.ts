/** Tokenizers into GGUF's metadata and back: the same ids, templates and special tokens. */
import { describe, expect, it } from 'vitest'
import { Checkpoint } from '../../src/checkpoint/checkpoint.ts'
import { GgufKeys } from '../../src/checkpoint/gguf/keys.ts'
import { Metadata } from '../../src/checkpoint/gguf/metadata.ts'
import { PRE_TOKENIZERS } from '../../src/checkpoint/gguf/pre-tokenizers.ts'
import { tokenizerOf } from '../../src/checkpoint/gguf/tokenizer.ts'
import type { JsonObject } from '../../src/checkpoint/json-file.ts'
import { preTokenizerName } from '../../src/conversion/gguf/pre-tokenizer-name.ts'
import { addTokenizerKeys } from '../../src/conversion/gguf/tokenizer-keys.ts'
import type { ModelConfig } from '../../src/nn/config.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { readFixture, readJson, vocabularyFolder } from '../tokenizer/load.ts'

/** As the converter writes it, as the reader reads it. */
function throughGguf(tokenizer: JsonObject, tokenizerConfig: JsonObject) {
  const checkpoint = { name: 'm', configFile: 'config.json', config: {}, tensors: new Map(), warnings: [] }
  const original = createTokenizer({ tokenizer, config: tokenizerConfig })
  const config = { vocabSize: original.vocabSize + 3, bosTokenId: null, eosTokenIds: [] } as unknown as ModelConfig
  const keys = new GgufKeys('llama')
  addTokenizerKeys(keys, new Checkpoint({ ...checkpoint, tokenizer, tokenizerConfig }), config)
  const read = tokenizerOf(new Metadata(keys.asRead(), 'm.gguf'))
  return {
    original,
    keys: keys.asRead(),
    read: createTokenizer({ tokenizer: read.tokenizer, config: read.tokenizerConfig }),
  }
}

describe.each([
  ['small-320', 'gpt-2'],
  ['deepseek-v3', 'deepseek-v3'],
  ['llama-3', 'llama-bpe'],
  ['qwen-3', 'qwen2'],
  ['gpt-4o', 'gpt-4o'],
  ['gemma-3', 'default'],
] as const)('%s', (name, pre) => {
  const fixture = readFixture(name)
  const folder = vocabularyFolder(fixture)
  const json = readJson(`${folder}tokenizer.json`) as JsonObject
  const named = { bos_token: '<bos>', eos_token: '<eos>', pad_token: '<pad>' }
  const config = (fixture.npm_package ? readJson(`${folder}tokenizer_config.json`) : named) as JsonObject
  const { original, read, keys } = throughGguf(json, config)

  it('is called what llama.cpp calls it', () => {
    expect(keys.get('tokenizer.ggml.pre')).toBe(pre)
    expect(keys.get('tokenizer.ggml.model')).toBe(name === 'gemma-3' ? 'llama' : 'gpt2')
  })

  it('cuts every text as before', () => {
    for (const { name, text } of fixture.encode) {
      expect(read.encode(text, { addSpecialTokens: false }), name).toEqual(
        original.encode(text, { addSpecialTokens: false }),
      )
    }
    expect(read.encodePrompt('a b')).toEqual(original.encodePrompt('a b'))
  })

  it('keeps its special tokens and its template', () => {
    const of = (t: typeof read) => [t.bosId, t.eosId, t.padId, t.startsWithBos, t.chatTemplate()]
    expect(of(read)).toEqual(of(original))
    expect(read.vocabSize).toBe(original.vocabSize + 3)
  })
})

describe('the name of a cut', () => {
  const json = readJson(`${vocabularyFolder(readFixture('small-320'))}tokenizer.json`) as JsonObject

  it('is found for every cut that is read', () => {
    for (const [name, kind] of Object.entries(PRE_TOKENIZERS)) {
      if (name === 'default') continue
      const { steps, normalizer = null, ignoreMerges = false } = kind
      const made = {
        ...json,
        normalizer,
        pre_tokenizer: { type: 'Sequence', pretokenizers: steps },
        model: { ...(json.model as JsonObject), ignore_merges: ignoreMerges },
      }
      const found = PRE_TOKENIZERS[preTokenizerName(made)]
      expect({ ...found, addBos: undefined }, name).toEqual({ ...kind, addBos: undefined })
    }
  })

  it('is found by what it does, too', () => {
    // As the hub's files write it: Digits in place of a Split.
    const smollm = [
      { type: 'Digits', individual_digits: true },
      { type: 'ByteLevel', add_prefix_space: false },
    ]
    const digits = { ...json, pre_tokenizer: { type: 'Sequence', pretokenizers: smollm } }
    expect(preTokenizerName(digits)).toBe('smollm')
  })

  it('is an error where llama.cpp has none', () => {
    const odd = { type: 'Split', pattern: { Regex: '[aeiou]' }, behavior: 'Isolated' }
    const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false }
    const made = { ...json, pre_tokenizer: { type: 'Sequence', pretokenizers: [odd, bytes] } }
    expect(() => preTokenizerName(made)).toThrow(/llama\.cpp has no name for.*gpt-2, .*qwen2/)
  })
})
