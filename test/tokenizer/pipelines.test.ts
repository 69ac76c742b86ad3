import { describe, expect, test } from 'vitest'
import { createTokenizer } from '../../src/tokenizer/tokenizer.ts'
import { readJson } from './load.ts'

/** Made with the Rust library by make-pipelines.mjs beside it. */
interface Pipelines {
  readonly base: string
  readonly texts: string[]
  readonly variants: { name: string; changes: object; ids: number[][]; decoded: string[] }[]
}

const { base, texts, variants } = readJson('test/fixtures/tokenizers/pipelines.json') as Pipelines
const tokenizer = readJson(base) as object

describe('ids are those of the Rust library, whatever the pipeline is made of', () => {
  test.each(variants)('$name', ({ changes, ids, decoded }) => {
    const t = createTokenizer({ tokenizer: { ...tokenizer, ...changes } })
    for (const [i, text] of texts.entries()) {
      expect(t.encode(text), JSON.stringify(text)).toEqual(ids[i])
      expect(t.decode(ids[i]!), JSON.stringify(text)).toBe(decoded[i])
    }
  })
})
