import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { ConfigReader } from '../../src/checkpoint/config-reader.ts'
import { ConfigError } from '../../src/errors.ts'

const reader = (raw: unknown) => new ConfigReader(raw, 'config.json')

describe('ConfigReader', () => {
  it('reads every kind of field', () => {
    const r = reader({
      n: 3,
      f: 3.0,
      x: 0.5,
      b: false,
      s: 'silu',
      list: [1, 2],
      xs: [0.5, 1],
      names: ['a'],
      o: { k: 1 },
    })
    expect(r.int('n')).toBe(3)
    expect(r.int('f')).toBe(3)
    expect(r.number('x')).toBe(0.5)
    expect(r.bool('b')).toBe(false)
    expect(r.string('s')).toBe('silu')
    expect(r.oneOf('s', ['gelu', 'silu'])).toBe('silu')
    expect(r.ints('list', { length: 2 })).toEqual([1, 2])
    expect(r.numbers('xs')).toEqual([0.5, 1])
    expect(r.strings('names')).toEqual(['a'])
    expect(r.object('o').int('k')).toBe(1)
    expect(r.keys()).toHaveLength(9)
  })

  it('takes null for absent', () => {
    const r = reader({ q_lora_rank: null })
    expect(r.has('q_lora_rank')).toBe(false)
    expect(r.optionalInt('q_lora_rank')).toBeUndefined()
    expect(r.int('q_lora_rank', { default: 7 })).toBe(7)
    expect(r.number('q_lora_rank', { default: 0 })).toBe(0)
    expect(r.bool('q_lora_rank', { default: false })).toBe(false)
    expect(r.string('q_lora_rank', { default: '' })).toBe('')
    expect(r.oneOf('q_lora_rank', ['a'], { default: 'a' })).toBe('a')
    expect(r.optionalObject('q_lora_rank')).toBeUndefined()
  })

  it('sees own keys only', () => {
    const r = reader(JSON.parse('{"__proto__": {"n": 5}}'))
    for (const key of ['toString', 'constructor', 'n', 'hasOwnProperty']) {
      expect(r.has(key)).toBe(false)
      expect(() => r.int(key)).toThrow('is missing')
    }
    expect(r.object('__proto__').int('n')).toBe(5)
  })

  test.each<[unknown, (r: ConfigReader) => unknown, string]>([
    [
      { num_hidden_layers: -3 },
      r => r.int('num_hidden_layers', { min: 1, max: 10000 }),
      'config.json: "num_hidden_layers" is -3; expected an integer from 1 to 10000',
    ],
    [{}, r => r.int('n', { min: 1 }), 'config.json: "n" is missing; expected an integer of at least 1'],
    [{ n: '12' }, r => r.int('n'), 'config.json: "n" is "12"; expected an integer of at least 0'],
    [{ n: 1.5 }, r => r.int('n'), '"n" is 1.5; expected an integer'],
    [{ n: 2 ** 53 }, r => r.int('n'), '"n" is 9007199254740992; expected an integer'],
    [{ n: true }, r => r.int('n'), '"n" is true'],
    [{ n: [1] }, r => r.int('n'), '"n" is a list of 1'],
    [{ x: NaN }, r => r.number('x'), '"x" is NaN; expected a finite number'],
    [{ x: Infinity }, r => r.number('x'), '"x" is Infinity'],
    [{ x: 0 }, r => r.number('x', { min: 0, exclusiveMin: true }), '"x" is 0; expected a finite number above 0'],
    [{ x: 3 }, r => r.number('x', { min: 0, max: 1 }), 'a finite number of at least 0 and of at most 1'],
    [{ b: 1 }, r => r.bool('b'), '"b" is 1; expected true or false'],
    [{ s: 5 }, r => r.string('s'), '"s" is 5; expected a string'],
    [{ s: 'x'.repeat(1000) }, r => r.oneOf('s', ['a', 'b']), `"${'x'.repeat(60)}…"; expected one of "a", "b"`],
    [{ l: [1, 'x'] }, r => r.ints('l'), '"l[1]" is "x"; expected an integer'],
    [{ l: [1] }, r => r.ints('l', { length: 2 }), '"l" is a list of 1; expected a list of length 2'],
    [{ l: {} }, r => r.numbers('l'), '"l" is an object; expected a list'],
    [{ o: [] }, r => r.object('o'), '"o" is a list of 0; expected a JSON object'],
    [{ o: { p: { n: 'x' } } }, r => r.object('o').object('p').int('n'), '"o.p.n" is "x"'],
    [{ o: 3 }, r => r.optionalObject('o'), '"o" is 3; expected a JSON object'],
    [[], r => r, 'config.json: the file is a list of 0; expected a JSON object'],
    [null, r => r, 'config.json: the file is null; expected a JSON object'],
  ])('%j: says what was met and what was expected', (raw, read, message) => {
    expect(() => read(reader(raw))).toThrow(ConfigError)
    expect(() => read(reader(raw))).toThrow(message)
  })

  it('gives an integer in range or throws ConfigError, whatever the value', () => {
    fc.assert(
      fc.property(fc.anything(), fc.integer({ min: -5, max: 5 }), fc.nat(20), (value, min, span) => {
        const max = min + span
        try {
          const n = reader({ n: value }).int('n', { min, max })
          expect(Number.isInteger(n) && n >= min && n <= max).toBe(true)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
        }
      }),
    )
  })
})
