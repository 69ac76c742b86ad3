/** T5's file of SentencePiece, without a tokenizer.json, as transformers reads it (test/interop/make_encoder_decoders.py --tokenizer). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { filesFrom } from '../../src/checkpoint/source/checkpoint-files.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { readTokenizerFiles } from '../../src/model/open/open-checkpoint.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'

const FOLDER = 'test/fixtures/tokenizers/t5'
const SPIECE = new Uint8Array(readFileSync(`${FOLDER}/spiece.model`))
const found = JSON.parse(readFileSync(`${FOLDER}/expected.json`, 'utf8')) as {
  text: string
  ids: number[]
  decoded: string
}[]

const open = (config: object, spiece: Uint8Array = SPIECE) => {
  const files = { 'spiece.model': spiece, 'tokenizer_config.json': new TextEncoder().encode(JSON.stringify(config)) }
  const sources = Object.entries(files).map(([name, bytes]) => memorySource(name, bytes))
  return readTokenizerFiles(filesFrom('t5', sources))
}

describe('a folder with spiece.model alone', () => {
  it.each(found)('$text', async ({ text, ids, decoded }) => {
    const { tokenizer, tokenizerConfig: config } = await open({ extra_ids: 3, tokenizer_class: 'T5Tokenizer' })
    const made = createTokenizer({ tokenizer, config, folder: 't5/' })
    expect([...made.encode(text, { addSpecialTokens: true })]).toEqual(ids)
    expect(made.decode(ids, { skipSpecialTokens: true })).toBe(decoded)
  })

  it('has a hundred tokens for gaps where nothing else is said', async () => {
    const { tokenizer, tokenizerConfig } = await open({})
    const names = (tokenizer as { added_tokens: { id: number; content: string }[] }).added_tokens
    expect(names.find(({ id }) => id === 120)?.content).toBe('<extra_id_99>')
    expect(names.at(-1)).toMatchObject({ id: 219, content: '<extra_id_0>' })
    expect(tokenizerConfig).toMatchObject({ eos_token: '</s>', pad_token: '<pad>' })
  })

  it('of another class is none', async () => {
    expect((await open({ tokenizer_class: 'XLNetTokenizer' })).tokenizer).toBe(undefined)
  })

  it.each<[string, object, Uint8Array, string]>([
    ['a file that is cut off', {}, SPIECE.slice(0, 900), 'or is cut off'],
    ['a text', {}, new TextEncoder().encode('<html>'), 'spiece.model is no model of SentencePiece'],
    ['gaps that are no number', { extra_ids: -1 }, SPIECE, 'extra_ids is -1; expected a whole number'],
    ['no end of a text', { eos_token: '</end>' }, SPIECE, 'has no </end>; expected the eos_token of T5'],
  ])('%s is refused', async (_, config, spiece, message) => {
    await expect(open(config, spiece)).rejects.toThrow(message)
  })
})
