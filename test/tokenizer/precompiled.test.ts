/** The normaliser of SentencePiece's models; ids with it are compared with the Rust library's in test/embedding. */
import { describe, expect, it } from 'vitest'
import { compileNormalizer } from '../../src/tokenizer/normalizers.ts'
import { Work } from '../../src/tokenizer/work.ts'
import { readJson } from './load.ts'

const { normalizer } = readJson('test/fixtures/embeddings/xlm-roberta/tokenizer.json') as {
  normalizer: { type: string; precompiled_charsmap: string }
}
const normalize = (text: string, map: string | null = normalizer.precompiled_charsmap) =>
  compileNormalizer({ type: 'Precompiled', precompiled_charsmap: map }, 'tokenizer.json: "normalizer"')(
    text,
    new Work(text.length),
  )

describe('a precompiled map of characters', () => {
  it.each([
    ['The cat.', 'The cat.'],
    ['\uff34\uff48\uff45', 'The'],
    ['\ufb01ne \u00bd', 'fine 1\u20442'],
    ['a\tb\u3000c\u200bd\n', 'a b c d '],
    // One grapheme: looked up whole where it is short, else by its characters.
    ['cafe\u0301', 'caf\u00e9'],
    ['e\u0301\u0302\u0303', 'e\u0301\u0302\u0303'],
    ['\u65e5\u672c \ud83d\udc4d\ud83c\udfff', '\u65e5\u672c \ud83d\udc4d\ud83c\udfff'],
    ['a\r\nb', 'a b'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(normalize(text)).toBe(expected)
  })

  it('takes time in proportion to the text', () => {
    const text = 'e\u0301\u65e5\u672c\u8a9e\u306e\uff21'.repeat(30_000)
    const began = process.cpuUsage()
    expect(normalize(text)).toBe('\u00e9\u65e5\u672c\u8a9e\u306eA'.repeat(30_000))
    expect(process.cpuUsage(began).user / 1000).toBeLessThan(5000)
  })

  it('looks up the characters of a grapheme that is longer than a window', () => {
    const mark = '\u0340'
    // A trie of its two bytes, which leads to the first text.
    const units = new Uint32Array(2048)
    units[0] = 256 << 10
    units[256 ^ 0xcd] = (512 << 10) | 0xcd
    units[256 ^ 0xcd ^ 512 ^ 0x80] = (1024 << 10) | (1 << 8) | 0x80
    units[256 ^ 0xcd ^ 512 ^ 0x80 ^ 1024] = 0x80000000
    const map = [Uint32Array.of(units.byteLength), units].map(({ buffer }) => Buffer.from(buffer))
    const charsmap = Buffer.concat([...map, Buffer.from('\u0300\0')]).toString('base64')
    // As a whole, two marks are what their shortest prefix is.
    expect(normalize(mark.repeat(2), charsmap)).toBe('\u0300')
    for (const more of [3, 255, 257, 258, 600]) {
      expect(normalize(`a${mark.repeat(more)}`, charsmap)).toBe(`a${'\u0300'.repeat(more)}`)
    }
  })

  it('leaves a text as it is where there is none', () => {
    expect(normalize('\uff34', '')).toBe('\uff34')
    expect(normalize('\uff34', null)).toBe('\uff34')
  })

  it.each(['?', 'AAA=', btoa('\x00\x10\x00\x00abcd'), btoa('\x03\x00\x00\x00abcd')])('refuses %j', map => {
    expect(() => normalize('x', map)).toThrow(/^tokenizer.json: "normalizer" has a precompiled_charsmap/)
  })

  it('stops where a map makes a text too long', () => {
    // A trie in which "x" leads to the text at 0: what follows the trie, to its end.
    const units = new Uint32Array(256)
    units[0] = 1 << 10
    units[1 ^ 120] = 120 | (1 << 8) | (2 << 10)
    units[1 ^ 120 ^ 2] = 1 << 31
    const bytes = [4 * units.length, ...units].flatMap(n => [n & 255, (n >>> 8) & 255, (n >>> 16) & 255, n >>> 24])
    const map = (text: string) => btoa(String.fromCharCode(...bytes) + text)
    expect(normalize('xyx', map('abc'))).toBe('abcyabc')
    expect(() => normalize('x'.repeat(1000), map('a'.repeat(1 << 20)))).toThrow('makes more than')
  })

  it.each([btoa('\x04\x00\x00\x00\xff\xff\xff\xff'), btoa('\x00\x00\x00\x00')])('is not led astray by %j', map => {
    expect(normalize('xyz', map)).toBe('xyz')
  })
})
