/** A tokenizer that is learned: merges as their definition has them, and files that are read again. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openTokenizer } from '../../src/index.ts'
import { trainBpe } from '../../src/tokenizer/train/bpe-trainer.ts'
import { countWords, wordsOf } from '../../src/tokenizer/train/words.ts'
import { trainTokenizer } from '../../src/training/index.ts'
import { Rng } from '../support/rng.ts'

const place = mkdtempSync(join(tmpdir(), 'latentkit-bpe-'))
afterAll(() => rmSync(place, { recursive: true }))
const END = '<|endoftext|>'

/** By its definition, without queues and places: all pairs are counted again for each merge. */
function mergesByDefinition(words: ReadonlyMap<string, number>, count: number): string[] {
  const split = [...words].map(([word, times]) => ({ letters: [...word], times }))
  const ids = new Map([...new Set(split.flatMap(({ letters }) => letters))].sort().map((letter, id) => [letter, id]))
  const merges: string[] = []
  while (merges.length < count) {
    const pairs = new Map<string, number>()
    for (const { letters, times } of split) {
      for (let i = 1; i < letters.length; i++) {
        const pair = `${letters[i - 1]} ${letters[i]}`
        pairs.set(pair, (pairs.get(pair) ?? 0) + times)
      }
    }
    const place = (pair: string) => pair.split(' ').map(part => ids.get(part) as number) as [number, number]
    const [best] = [...pairs].sort(([a, x], [b, y]) => y - x || place(a)[0] - place(b)[0] || place(a)[1] - place(b)[1])
    if (!best) break
    const [left, right] = best[0].split(' ') as [string, string]
    ids.set(left + right, 1e6 + merges.length)
    merges.push(best[0])
    for (const word of split) {
      for (let i = 0; i + 1 < word.letters.length; i++) {
        if (word.letters[i] === left && word.letters[i + 1] === right) word.letters.splice(i, 2, left + right)
      }
    }
  }
  return merges
}

describe('merges', () => {
  it.each(['a', 'b', 'c'])('are those of the definition (%s)', seed => {
    const rng = new Rng(seed)
    const words = new Map<string, number>()
    for (let i = 0; i < 60; i++) {
      const word = Array.from({ length: 1 + rng.below(9) }, () => 'abcdefg'[rng.below(7)]).join('')
      words.set(word, 1 + rng.below(1000))
    }
    const { merges } = trainBpe(words, { vocabulary: 256 + 25, minFrequency: 1, specialTokens: [] })
    expect(merges.map(pair => pair.join(' '))).toEqual(mergesByDefinition(words, 25))
  })

  it('end where pairs are rare, and begin after the special tokens and all bytes', () => {
    const words = new Map([
      ['Ġthe', 5],
      ['Ġthen', 2],
      ['x', 9],
    ])
    const { tokens, merges } = trainBpe(words, { vocabulary: 1000, minFrequency: 3, specialTokens: [END] })
    expect(merges).toEqual([
      ['h', 'e'],
      ['t', 'he'],
      ['Ġ', 'the'],
    ])
    expect(tokens).toHaveLength(1 + 256 + 3)
    expect(tokens[0]).toBe(END)
    expect(tokens.slice(1, 257)).toEqual(tokens.slice(1, 257).sort())
  })
})

describe('trainTokenizer', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/engine.md'), 'utf8')

  it('writes a tokenizer that latentkit reads, whatever the files the texts are in', async () => {
    const file = join(place, 'text.txt')
    writeFileSync(file, `${text}${END}${text.slice(0, 5000)}`)
    const lines = join(place, 'lines.jsonl')
    writeFileSync(lines, [text, text.slice(0, 5000)].map(text => `${JSON.stringify({ text })}\n`).join(''))
    const trained = await trainTokenizer([file], join(place, 'one'), { vocabulary: 700 })
    expect(trained).toMatchObject({ vocabulary: 700, merges: 700 - 257, documents: 2 })
    await trainTokenizer([lines], join(place, 'two'), { vocabulary: 700 })
    expect(readFileSync(join(place, 'two', 'tokenizer.json'))).toEqual(
      readFileSync(join(place, 'one', 'tokenizer.json')),
    )
    const tokenizer = await openTokenizer(join(place, 'one'))
    expect(tokenizer.vocabSize).toBe(700)
    expect(tokenizer.eosId).toBe(0)
    const strange = `${text.slice(0, 3000)} naïve 语言 \u{1f98a}\u0000\r\n`
    expect(tokenizer.decode(tokenizer.encode(strange))).toBe(strange)
    expect(tokenizer.encode(text).length).toBeLessThan(text.length / 2.5)
  })

  it('counts words once for each time they are met', () => {
    const counts = new Map<string, number>()
    countWords(wordsOf('a cat, a Katze'), counts)
    expect(Object.fromEntries(counts)).toEqual({ a: 1, Ġcat: 1, ',': 1, Ġa: 1, ĠKatze: 1 })
  })

  it('writes nothing when it is interrupted while it learns', async () => {
    const rng = new Rng('words')
    const word = () => Array.from({ length: 8 }, () => 'abcdefghijklmnop'[rng.below(16)]).join('')
    const file = join(place, 'words.txt')
    writeFileSync(file, Array.from({ length: 60_000 }, word).join(' '))
    const interrupt = new AbortController()
    setTimeout(() => interrupt.abort(), 30)
    const out = join(place, 'interrupted')
    await expect(trainTokenizer([file], out, { vocabulary: 3000, signal: interrupt.signal })).rejects.toThrow('aborted')
    expect(existsSync(out)).toBe(false)
  })

  it('refuses what cannot be, in a sentence', async () => {
    const out = join(place, 'refused')
    const empty = join(place, 'empty.txt')
    writeFileSync(empty, ' \n ')
    await expect(trainTokenizer([empty], out, { vocabulary: 300 })).rejects.toThrow('There is no text in')
    await expect(trainTokenizer([empty], out, { vocabulary: 100 })).rejects.toThrow('vocabulary is 100')
    const specialTokens = ['<|end|>', '<|user|>', '<|bot|>']
    await expect(trainTokenizer([empty], out, { vocabulary: 258, specialTokens })).rejects.toThrow(
      'vocabulary is 258; bytes and special tokens alone are 259',
    )
    await expect(trainTokenizer([empty], out, { vocabulary: 300, specialTokens: ['<a>', '<a>'] })).rejects.toThrow(
      'twice',
    )
    await expect(trainTokenizer([join(place, 'nowhere')], out, { vocabulary: 300 })).rejects.toThrow('is not there')
  })
})
