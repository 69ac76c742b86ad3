import { describe, expect, it } from 'vitest'
import { GrammarError } from '../../src/grammar/errors.ts'
import type { GrammarSource } from '../../src/grammar/matcher.ts'
import { allows, vocabularyBetween, vocabularyOf } from '../../src/grammar/vocabulary.ts'
import { readable } from '../../src/grammar/wasm/instance.ts'
import { testLibrary } from './support.ts'

const { tokenizer, library, ids, end, holds } = await testLibrary()
const PERSON: GrammarSource = {
  kind: 'json',
  text: JSON.stringify({
    type: 'object',
    properties: { name: { type: 'string' }, age: { type: 'integer' } },
    required: ['name', 'age'],
    additionalProperties: false,
  }),
}
const TEXT = '{"name": "Ann", "age": 31}'

describe('a matcher', () => {
  it('allows each token of a text of its grammar, and its end only where the text is complete', () => {
    const matcher = library.compile(PERSON).matcher()
    const mask = new Uint32Array(library.maskWords)
    for (const id of ids(TEXT)) {
      matcher.mask(mask)
      expect(allows(mask, id)).toBe(true)
      expect(allows(mask, end)).toBe(false)
      expect(matcher.accept([id])).toBe(1)
    }
    expect([matcher.accepting, matcher.stopped]).toEqual([true, true])
    matcher.mask(mask)
    expect([...mask].reduce((sum, word) => sum + word, 0)).toBe(mask[end >>> 5])
    expect(matcher.accept([end])).toBe(1)
    expect(matcher.accept([end])).toBe(0)
  })

  it('allows exactly the tokens that it accepts', () => {
    const matcher = library.compile(PERSON).matcher()
    const mask = new Uint32Array(library.maskWords)
    matcher.accept(ids('{"name": "A'))
    matcher.mask(mask)
    for (let id = 0; id < tokenizer.vocabSize; id++) {
      expect(matcher.validPrefix([id]), String(id)).toBe(allows(mask, id) ? 1 : 0)
    }
  })

  it('never allows control tokens, nor ids beyond its vocabulary', () => {
    const matcher = library.compile({ kind: 'regex', text: '(?s:.*)' }).matcher()
    const mask = new Uint32Array(library.maskWords + 3).fill(0xffffffff)
    matcher.mask(mask)
    for (const id of tokenizer.specialIds) expect(allows(mask, id)).toBe(id === end)
    expect([...mask.subarray(library.maskWords)]).toEqual([0, 0, 0])
  })

  it('stops at the first id that is not allowed', () => {
    const matcher = library.compile(PERSON).matcher()
    const [first, ...others] = ids('{"name')
    const wrong = ids(']')[0] as number
    expect(matcher.accept([first as number, wrong, ...others])).toBe(1)
    expect(matcher.accept(others)).toBe(others.length)
    expect(matcher.length).toBe(others.length + 1)
  })

  it('checks drafts without advancing', () => {
    const matcher = library.compile(PERSON).matcher()
    const all = ids(TEXT)
    expect(matcher.validPrefix([...all, end])).toBe(all.length + 1)
    expect(matcher.validPrefix([...all.slice(0, 3), end])).toBe(3)
    expect(matcher.length).toBe(0)
    matcher.accept(all)
    expect(matcher.validPrefix([end, end])).toBe(1)
    expect(matcher.validPrefix(all)).toBe(0)
  })

  it('takes ids back, also the one that ended the text', () => {
    const matcher = library.compile(PERSON).matcher()
    const all = ids(TEXT)
    matcher.accept([...all, end])
    matcher.rollback(1)
    expect([matcher.length, matcher.accepting]).toEqual([all.length, true])
    matcher.accept([end])
    matcher.rollback(3)
    expect(matcher.accepting).toBe(false)
    expect(matcher.accept([...all.slice(-2), end])).toBe(3)
    expect(() => matcher.rollback(1000)).toThrow(GrammarError)
  })

  it('has copies that go their own way', () => {
    const matcher = library.compile(PERSON).matcher()
    matcher.accept(ids('{"name": "A'))
    const copy = matcher.fork()
    copy.accept(ids('nn", "age": 3}'))
    expect([copy.accepting, matcher.accepting]).toEqual([true, false])
    expect(matcher.accept(ids('bc"'))).toBeGreaterThan(0)
  })

  it('gives the bytes that have to come', () => {
    const matcher = library.compile({ kind: 'lark', text: 'start: "yes, certainly"' }).matcher()
    expect(new TextDecoder().decode(matcher.forced())).toBe('yes, certainly')
  })

  it('goes on where the library has thrown its instance away', () => {
    const matcher = library.compile(PERSON).matcher()
    const all = ids(TEXT)
    matcher.accept(all.slice(0, 5))
    const failed = library.instance()
    failed.broken = true
    expect(matcher.accept(all.slice(5))).toBe(all.length - 5)
    expect(matcher.accepting).toBe(true)
    expect(library.instance()).not.toBe(failed)
  })

  it('says what is wrong with a grammar, and others are not harmed', () => {
    const before = library.compile(PERSON).matcher()
    expect(() => library.compile({ kind: 'lark', text: 'start: missing' })).toThrow(GrammarError)
    expect(() => library.compile({ kind: 'regex', text: '(' })).toThrow(GrammarError)
    expect(() => library.compile({ kind: 'json', text: '{' })).toThrow(GrammarError)
    expect(before.accept(ids(TEXT))).toBe(ids(TEXT).length)
  })

  it('survives a schema that is too deep', () => {
    const deep = (depth: number): string => `${'{"allOf":['.repeat(depth)}{"type":"null"}${']}'.repeat(depth)}`
    const before = library.compile(PERSON).matcher()
    before.accept(ids(TEXT).slice(0, 4))
    for (const depth of [100, 1000, 100_000]) {
      try {
        library.compile({ kind: 'json', text: deep(depth) })
      } catch (error) {
        expect(error).toBeInstanceOf(GrammarError)
      }
    }
    expect(before.accept(ids(TEXT).slice(4))).toBe(ids(TEXT).length - 4)
  })
})

describe('numbers', () => {
  const any: GrammarSource = { kind: 'json', text: '{"type":"number"}' }
  it.each(['0', '-1.5', '1e9', '6.02e+23', '123456789012345'])('may be %s', text => {
    expect(holds(any, text)).toBe(true)
  })
  it.each(['1e999', '1e308', '1234567890123456', '01', '.5', 'NaN'])('are not %s', text => {
    expect(holds(any, text)).toBe(false)
  })
})

describe('a vocabulary', () => {
  const source = {
    vocabSize: 3,
    tokenBytes: (id: number) => Uint8Array.of(65 + id),
    isSpecial: (id: number) => id === 2,
  }
  it('marks control tokens', () => {
    const { lengths, bytes } = vocabularyOf(source, [2])
    expect([...lengths]).toEqual([1, 1, 2])
    expect([...bytes]).toEqual([65, 66, 0xff, 67])
  })
  it('is the same when others run meanwhile', async () => {
    const many = { ...source, vocabSize: 2000, tokenBytes: (id: number) => new Uint8Array(id % 40).fill(66) }
    let pauses = 0
    expect(await vocabularyBetween(many, [2], async () => void pauses++, 0)).toEqual(vocabularyOf(many, [2]))
    expect(pauses).toBe(8)
  })
  it('needs an end that it has', () => {
    expect(() => vocabularyOf(source, [])).toThrow(/is empty; expected ids below 3/)
    expect(() => vocabularyOf(source, [3])).toThrow(/has 3; expected ids below 3/)
  })
})

it('says what a limit of the library means, and what to do', () => {
  const row =
    "Parser Error: Current row has 2901 items; max is 2000; consider making your grammar left-recursive if it's right-recursive"
  expect(readable(row)).toMatch(
    /^The grammar has 2901 ways to go on at this place .* at most 2000 .* Use fewer alternatives/,
  )
  expect(readable('Too many items (limit 50000; mask)')).toMatch(/too many ways to go on .* at most 50000/)
  expect(readable('panic: assertion failed: grammar.symbols.len() < u16::MAX as usize - 10')).toMatch(
    /more than 65,525 symbols/,
  )
  expect(readable('Another reason')).toBe('Another reason')
})
