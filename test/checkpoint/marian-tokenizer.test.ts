/** Marian's files of SentencePiece, as transformers reads them (test/interop/make_encoder_decoders.py --tokenizer). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { filesFrom } from '../../src/checkpoint/source/checkpoint-files.ts'
import { memorySource } from '../../src/checkpoint/source/memory-source.ts'
import { readTokenizerFiles } from '../../src/model/open/open-checkpoint.ts'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'

const FOLDER = 'test/fixtures/tokenizers/marian'
const read = (name: string) => new Uint8Array(readFileSync(`${FOLDER}/${name}`))
const FILES = { 'source.spm': read('source.spm'), 'vocab.json': read('vocab.json') }
const found = JSON.parse(readFileSync(`${FOLDER}/expected.json`, 'utf8')) as {
  text: string
  ids: number[]
  decoded: string
}[]

const open = (files: Readonly<Record<string, Uint8Array>>) =>
  readTokenizerFiles(
    filesFrom(
      'opus',
      Object.entries(files).map(([name, bytes]) => memorySource(name, bytes)),
    ),
  )

describe('a folder with source.spm and vocab.json', () => {
  it.each(found)('$text', async ({ text, ids, decoded }) => {
    const { tokenizer, tokenizerConfig: config } = await open(FILES)
    const made = createTokenizer({ tokenizer, config, folder: 'opus/' })
    expect([...made.encode(text, { addSpecialTokens: true })]).toEqual(ids)
    expect(made.decode(ids, { skipSpecialTokens: true }).trim()).toBe(decoded)
  })

  it.each<[string, Readonly<Record<string, Uint8Array>>, string]>([
    ['a file that is cut off', { ...FILES, 'source.spm': FILES['source.spm'].slice(0, 900) }, 'or is cut off'],
    [
      'a text',
      { ...FILES, 'source.spm': new TextEncoder().encode('<html>') },
      'source.spm is no model of SentencePiece',
    ],
    ['ids that are none', { ...FILES, 'vocab.json': new TextEncoder().encode('{"a": -1}') }, 'the id of "a" is -1'],
    ['no end of a text', { ...FILES, 'vocab.json': new TextEncoder().encode('{"<unk>": 0}') }, 'has no "</s>"'],
    ['two vocabularies', { ...FILES, 'target_vocab.json': FILES['vocab.json'] }, 'separate_vocabs'],
  ])('%s is refused', async (_, files, message) => {
    await expect(open(files)).rejects.toThrow(message)
  })
})
