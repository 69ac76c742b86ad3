import { describe, expect, it, test } from 'vitest'
import { OptionError } from '../../src/errors.ts'
import { cutOf, cutWindows } from '../../src/evaluation/windows.ts'

const ids = (n: number) => Array.from({ length: n }, (_, i) => 100 + i)

describe('side by side', () => {
  it("llama.cpp's 512 tokens: logits at 256 … 510 score tokens 257 … 511", () => {
    const windows = cutWindows(ids(1500), cutOf({}))
    expect(windows).toMatchObject({ size: 512, step: 512, from: 257, scored: 2 * 255, textTokens: 1500 })
    expect(windows.list.map(w => [w[0], w[511]])).toEqual([
      [100, 611],
      [612, 1123],
    ])
  })

  it('the last window may be the last tokens of the text', () => {
    expect(cutWindows(ids(16), cutOf({ window: 8 })).list.length).toBe(2)
    expect(cutWindows(ids(15), cutOf({ window: 8 })).list.length).toBe(1)
    expect(cutWindows(ids(16), cutOf({ window: 8 }), { windows: 1 }).list.length).toBe(1)
  })
})

it('with a stride every token after the first context is scored once', () => {
  const windows = cutWindows(ids(23), cutOf({ window: 8, stride: 3 }))
  const scored = windows.list.flatMap(w => [...w.subarray(windows.from)])
  expect(scored).toEqual(ids(23).slice(5))
  expect(windows.scored).toBe(18)
})

it('with a stride of the whole window all tokens but the first of each are scored', () => {
  const { from, list, scored } = cutWindows(ids(17), cutOf({ window: 8, stride: 8 }))
  expect([from, list.length, scored]).toEqual([1, 2, 14])
})

it('a begin-of-text token takes the place of the first of each window', () => {
  const { list } = cutWindows(ids(16), cutOf({ window: 8 }), { bos: 1 })
  expect(list.map(w => [w[0], w[1]])).toEqual([
    [1, 101],
    [1, 109],
  ])
})

test.each([
  [{ window: 3 }, 'window is 3; expected a whole number of at least 4'],
  [{ window: 8, stride: 9 }, 'stride is 9; expected at most the window of 8'],
  [{ window: 8, stride: 0 }, 'stride is 0'],
  [{ window: 8.5 }, 'window is 8.5'],
])('%j is refused', (options, message) => {
  expect(() => cutOf(options)).toThrow(OptionError)
  expect(() => cutOf(options)).toThrow(message)
})

it('a text shorter than a window is refused', () => {
  expect(() => cutWindows(ids(7), cutOf({ window: 8 }))).toThrow('the text has only 7 tokens')
  expect(() => cutWindows(ids(8), cutOf({ window: 8 }), { windows: 0 })).toThrow('windows is 0')
})
