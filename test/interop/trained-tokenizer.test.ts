/**
 * `latentkit tokenizer train` beside Hugging Face's own trainer on the same texts: the same tokens, ids and merges; and transformers reads what was
 * written with equal ids. Needs LATENTKIT_PYTHON with tokenizers and transformers.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openTokenizer } from '../../src/index.ts'
import { trainTokenizer } from '../../src/training/index.ts'
import { Rng } from '../support/rng.ts'
import { tempFolder } from '../support/temp-folder.ts'

const PYTHON = process.env.LATENTKIT_PYTHON
const DOCS = join(import.meta.dirname, '../../docs')
const END = '<|endoftext|>'

const pages = () =>
  readdirSync(DOCS)
    .filter(name => name.endsWith('.md'))
    .map(name => readFileSync(join(DOCS, name), 'utf8').replaceAll(END, '').trim())

/** Few letters, so that many pairs are as frequent, and tokens come about in several ways. */
function babble(): string[] {
  const rng = new Rng('babble')
  return Array.from({ length: 300 }, () =>
    Array.from({ length: 40 }, () =>
      Array.from({ length: 1 + rng.below(12) }, () => 'aabé'[rng.below(4)]).join(''),
    ).join(' '),
  )
}

describe.skipIf(!PYTHON)('a tokenizer that is learned (needs LATENTKIT_PYTHON)', () => {
  it.each([
    ['prose', pages, 2000, 2],
    ['prose with every pair', pages, 6000, 1],
    ['babble', babble, 900, 1],
  ] as const)(
    '%s: the tokens of BpeTrainer, read by transformers',
    async (_, texts, vocabulary, minFrequency) => {
      const folder = tempFolder()
      const file = join(folder, 'texts.txt')
      writeFileSync(file, texts().join(END))
      await trainTokenizer([file], join(folder, 'ours'), { vocabulary, minFrequency })
      const probes = [texts()[0]?.slice(0, 4000) ?? '', "It's 3.14 naïve 语言\n\n  x\u{1f98a}", `a${END}b`]
      writeFileSync(join(folder, 'texts.json'), JSON.stringify(texts()))
      writeFileSync(join(folder, 'probes.json'), JSON.stringify(probes))
      const script = join(import.meta.dirname, 'make_tokenizers.py')
      const args = [
        join(folder, 'texts.json'),
        `${vocabulary}`,
        `${minFrequency}`,
        join(folder, 'ours'),
        join(folder, 'probes.json'),
      ]
      const { stdout, stderr } = spawnSync(PYTHON as string, [script, ...args], {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      })
      const line = stdout.split('\n').find(line => line.startsWith('{'))
      expect(line, stderr).toBeDefined()
      const theirs = JSON.parse(line as string)
      const { vocab, merges } = JSON.parse(readFileSync(join(folder, 'ours', 'tokenizer.json'), 'utf8')).model
      const byId = Object.entries<number>(vocab).sort(([, a], [, b]) => a - b)
      expect(byId.map(([token]) => token)).toEqual(theirs.tokens)
      expect(merges).toEqual(theirs.merges)
      const tokenizer = await openTokenizer(join(folder, 'ours'))
      expect(probes.map(text => tokenizer.encode(text))).toEqual(theirs.ids)
      expect(probes.map(text => tokenizer.decode(tokenizer.encode(text), { skipSpecialTokens: false }))).toEqual(
        theirs.decoded,
      )
      expect(tokenizer.eosId).toBe(theirs.eos)
    },
    240_000,
  )
})
