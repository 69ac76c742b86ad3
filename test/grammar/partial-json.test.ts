import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PartialJson } from '../../src/grammar/partial-json.ts'

const read = (text: string, size: number): unknown => {
  const partial = new PartialJson()
  for (let at = 0; at < text.length; at += size) partial.push(text.slice(at, at + size))
  return partial.end()
}

describe('partial JSON', () => {
  it('gives what is certain after each piece', () => {
    const partial = new PartialJson()
    const steps: [string, unknown][] = [
      ['', undefined],
      ['{"na', {}],
      ['me": ', {}],
      ['"An', { name: 'An' }],
      ['n\\u00', { name: 'Ann' }],
      ['e9"', { name: 'Anné' }],
      [', "n": 1', { name: 'Anné' }],
      ['2', { name: 'Anné' }],
      ['3, "l": [tr', { name: 'Anné', n: 123, l: [] }],
      ['ue, {"a": "', { name: 'Anné', n: 123, l: [true, { a: '' }] }],
      ['"}], "m": null}', { name: 'Anné', n: 123, l: [true, { a: '' }], m: null }],
    ]
    for (const [piece, value] of steps) expect(structuredClone(partial.push(piece))).toEqual(value)
  })

  it('equals JSON.parse at the end, in every cut', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.integer({ min: 1, max: 7 }), (text, size) => {
        expect(read(text, size)).toEqual(JSON.parse(text))
        const spaced = JSON.stringify(JSON.parse(text), null, 2)
        expect(read(spaced, size)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('keeps strange names and ends strings at halves of characters', () => {
    expect(JSON.stringify(read('{"__proto__": {"a": 1}}', 3))).toBe('{"__proto__":{"a":1}}')
    expect(read('"\\ud83d\\ude42\\n\\"\\/"', 1)).toBe('🙂\n"/')
  })

  it('never throws for what is no JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]",:\\ u1e-ntrue'.split('')), maxLength: 40 }), text => {
        new PartialJson().push(text)
      }),
    )
  })

  it('reads each character once', () => {
    const partial = new PartialJson()
    const start = performance.now()
    for (let i = 0; i < 20_000; i++) partial.push(i === 0 ? '{"a":"' : 'some more text ')
    expect(performance.now() - start).toBeLessThan(2000)
    expect((partial.value as { a: string }).a.length).toBe(19_999 * 15)
  })
})
