import { describe, expect, it } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import {
  above,
  anyText,
  biases,
  callback,
  choice,
  expectation,
  fields,
  flag,
  type Kind,
  list,
  nested,
  number,
  signal,
  text,
  whole,
} from '../../src/options/kinds.ts'
import { nearest } from '../../src/options/nearest.ts'
import { plainData } from '../../src/options/plain-data.ts'
import { readArgument, readOptions } from '../../src/options/read-options.ts'
import { show } from '../../src/options/show.ts'

const description = 'something'
const read = (kind: Kind, value: unknown) => readArgument(kind, 'x', value)
const refusal = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(OptionError)
    return (error as OptionError).message
  }
  return 'no error'
}

describe('a value is shown as it was given', () => {
  it.each<[unknown, string]>([
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [Number.NaN, 'NaN'],
    [-0, '-0'],
    [1e21, '1e+21'],
    [7n, '7n'],
    ['7', '"7"'],
    ['', '""'],
    ['a\u001b[2J\u2028\u202eb', '"a\\u001b[2J\\u2028\\u202eb"'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [() => 1, 'a function'],
    [Symbol('s'), 'a symbol'],
    [[], 'an empty list'],
    [[1, 2], 'a list of 2'],
    [{}, 'an object'],
    [new Map(), 'a Map'],
    [new Date(Number.NaN), 'a Date'],
    [new AbortController(), 'an AbortController'],
    [Object.create(null), 'an object'],
  ])('%o', (value, expected) => expect(show(value)).toBe(expected))

  it('in a line of bounded length, whatever it is', () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error('no')
        },
        getPrototypeOf: () => {
          throw new Error('no')
        },
      },
    )
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const value of ['x'.repeat(1e6), 10n ** 5000n, hostile, proxy, { [Symbol.toStringTag]: '\n'.repeat(99) }]) {
      expect(show(value).length).toBeLessThan(120)
      expect(show(value)).not.toMatch(/\n/)
    }
  })
})

describe('each kind takes what it description, to its very ends', () => {
  it.each<[string, Kind, unknown[], unknown[], string]>([
    ['whole', whole(2, 5), [2, 5], [1, 6, 2.5, '3', 3n, null, Number.NaN], 'a whole number from 2 to 5'],
    ['whole and more', whole(0), [0, Number.MAX_SAFE_INTEGER], [-1, 2 ** 53, Infinity], 'a whole number, 0 or more'],
    ['any whole', whole(), [-3, 0], [0.5, [1]], 'a whole number'],
    ['number', number(-2, 2), [-2, 0.5, 2], [-2.1, 2.1, Number.NaN, '1'], 'a number from -2 to 2'],
    ['at least', number(0), [0, 1e300], [-1e-9, Infinity], 'a finite number of at least 0'],
    ['above', above(0), [1e-300, 5], [0, -1, Infinity], 'a finite number above 0'],
    ['any number', number(), [-1e300, 0], [Infinity, Number.NaN, {}], 'a finite number'],
    ['flag', flag, [true, false], [0, 1, 'true', null], 'true or false'],
    ['text', text, ['a'], ['', 5, null], 'a text that is not empty'],
    ['any text', anyText, [''], [5, ['a']], 'a text'],
    ['choice', choice(['a', 'b']), ['a', 'b'], ['c', 1, ['a'], '__proto__'], 'a, b'],
    ['list', list(text, 'texts'), [[], ['a']], ['a', { length: 1 }, null], 'a list of texts'],
    ['fields', fields, [{}, { a: [1] }], [[], 'a', null, () => 1], 'an object'],
    ['options', nested({}), [{}], [[], 'a', null], 'an object'],
    ['biases', biases, [{}, { 5: -100, 6: -Infinity }], [[], 'a', null], 'an object of token ids and numbers'],
    ['signal', signal, [new AbortController().signal], [{ aborted: false }, new EventTarget(), true], 'an AbortSignal'],
    ['callback', callback, [() => 1], [{}, 'f', null], 'a function'],
  ])('%s', (_, kind, good, bad, expected) => {
    expect(expectation(kind)).toBe(expected)
    for (const value of good) expect(() => read(kind, value)).not.toThrow()
    for (const value of bad) expect(refusal(() => read(kind, value))).toBe(`x is ${show(value)}; expected ${expected}`)
  })

  it('names the place inside a list, an object and a table', () => {
    expect(refusal(() => read(list(text, 'texts'), ['a', '']))).toMatch(/^x\[1\] is ""/)
    const table = nested({ depth: { kind: nested({ n: { kind: whole(1), description } }), description } })
    expect(refusal(() => read(table, { depth: { n: 0 } }))).toMatch(/^x\.depth\.n is 0/)
    expect(refusal(() => read(table, { depth: { m: 1 } }))).toMatch(
      /^x\.depth has no option m; did you mean n|expected n/,
    )
    expect(refusal(() => read(biases, { 3: 101 }))).toMatch(/^x\[3\] is 101; expected -100 to 100/)
    expect(refusal(() => read(biases, { '1.5': 1 }))).toMatch(/the key "1\.5"; expected a token id/)
  })
})

describe('options', () => {
  const table = {
    maxTokens: { kind: whole(0), description },
    stopSequences: { kind: list(text, 'texts'), description },
    kernels: { kind: choice(['a']), description },
  }
  const given = (options: unknown) => readOptions<Record<string, unknown>>(table, 'prompt', options)

  it.each([
    ['maxToken', 'maxTokens'],
    ['max_tokens', 'maxTokens'],
    ['MaxTokens', 'maxTokens'],
    ['kernel', 'kernels'],
    ['stop', 'stopSequences'],
  ])('%s is no option, %s is', (wrong, right) => {
    expect(refusal(() => given({ [wrong]: 1 }))).toBe(`prompt has no option ${wrong}; did you mean ${right}?`)
  })

  it('that nobody could mean are answered with all names', () => {
    for (const name of ['colour', 'constructor', '__proto__', 'toString', 'x'.repeat(1e5)]) {
      const options = Object.defineProperty({}, name, { value: 1, enumerable: true })
      expect(refusal(() => given(options))).toMatch(
        /^prompt has no option .{1,200}; expected maxTokens, stopSequences, kernels$/,
      )
    }
  })

  it('may be left out, as a whole or one by one', () => {
    expect(given(undefined)).toEqual({})
    expect(given({ maxTokens: undefined })).toEqual({})
    expect('maxTokens' in given({ maxTokens: undefined })).toBe(false)
    expect(given(Object.assign(Object.create(null), { maxTokens: 1 }))).toEqual({ maxTokens: 1 })
  })

  it.each([null, 'text', 5, [], () => 1, true, 1n])('are an object, not %o', options => {
    expect(refusal(() => given(options))).toMatch(/^The options of prompt are .*; expected an object$/)
  })

  it('are read once and copied: what changes later changes nothing', () => {
    let reads = 0
    const stopSequences = ['a']
    const options = {
      stopSequences,
      get maxTokens() {
        return reads++
      },
    }
    const copy = given(options)
    stopSequences.push('b')
    expect(copy).toEqual({ maxTokens: 0, stopSequences: ['a'] })
    expect(reads).toBe(1)
  })

  it('that throw when they are read are refused, the error as the cause', () => {
    const mine = new Error('mine')
    const boom = () => {
      throw mine
    }
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const options of [
      Object.defineProperty({}, 'maxTokens', { get: boom, enumerable: true }),
      new Proxy({}, { ownKeys: boom }),
      { stopSequences: new Proxy(['a'], { get: boom }) },
      proxy,
    ]) {
      expect(refusal(() => given(options))).toMatch(/cannot be read/)
    }
  })
})

describe('plain data', () => {
  it('is copied as it is', () => {
    class Message {
      role = 'user'
      get shout() {
        return 'not its own'
      }
    }
    const shared = { a: 1 }
    const value = { n: null, u: undefined, t: 'x', l: [1, [true]], m: new Message(), twice: [shared, shared] }
    const copy = plainData(value, 'v')
    expect(copy).toEqual({
      n: null,
      u: undefined,
      t: 'x',
      l: [1, [true]],
      m: { role: 'user' },
      twice: [{ a: 1 }, { a: 1 }],
    })
    expect(copy).not.toBe(value)
    expect(Object.getPrototypeOf(plainData(JSON.parse('{"__proto__": {"a": 1}}'), 'v'))).toBe(Object.prototype)
  })

  it.each<[string, unknown, RegExp]>([
    ['a function', { f: () => 1 }, /^v\.f is a function; expected plain data/],
    ['a symbol in a list', { a: [1, Symbol('s')] }, /^v\.a\[1\] is a symbol/],
    ['a bigint', [5n], /^v\[0\] is 5n/],
    ['a Map', { 'odd key': new Map() }, /^v\["odd key"\] is a Map/],
    ['a Date', { at: new Date(0) }, /^v\.at is a Date/],
    ['a promise', { p: Promise.resolve() }, /^v\.p is a Promise/],
    ['an array of numbers', { p: new Float32Array(2) }, /^v\.p is a Float32Array/],
  ])('is not %s', (_, value, message) => {
    expect(refusal(() => plainData(value, 'v'))).toMatch(message)
  })

  it('has no circles, no bottomless depth and no end that is out of sight', () => {
    const circle: { self?: unknown } = {}
    circle.self = [circle]
    expect(refusal(() => plainData(circle, 'v'))).toMatch(/^v\.self\[0\] contains itself/)
    let deep: unknown = 1
    for (let i = 0; i < 1e5; i++) deep = [deep]
    expect(refusal(() => plainData(deep, 'v'))).toMatch(/nested more than/)
    const endless: unknown = new Proxy(
      {},
      {
        ownKeys: () => ['a'],
        getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
        get: (_, key) => (key === 'a' ? endless : undefined),
      },
    )
    expect(refusal(() => plainData(endless, 'v'))).toMatch(/contains itself|nested more than/)
    expect(refusal(() => plainData(new Array(1e9), 'v'))).toMatch(/more than \d+ parts/)
    const wide = { a: new Array(1.5e6).fill(0), b: new Array(1.5e6).fill(0) }
    expect(refusal(() => plainData(wide, 'v'))).toMatch(/more than \d+ parts/)
  })
})

describe('the name that was meant', () => {
  it('is at most two letters away, and less than half the word', () => {
    expect(nearest('kernls', ['kernels', 'threads'])).toBe('kernels')
    expect(nearest('ab', ['xy'])).toBeUndefined()
    expect(nearest('abcd', ['abxy'])).toBe('abxy')
    expect(nearest('kernelxyz', ['kernels'])).toBeUndefined()
    expect(nearest('cont', ['contextLength', 'continue'])).toBeUndefined()
  })
})
