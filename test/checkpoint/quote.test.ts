import { expect, it } from 'vitest'
import { quote } from '../../src/checkpoint/quote.ts'

it.each([
  ['plain "text" ä 漢 😀', '"plain \\"text\\" ä 漢 😀"'],
  ['line\nescape\u001b[2J', '"line\\nescape\\u001b[2J"'],
  ['del\u007f csi\u009b nel\u0085', '"del\\u007f csi\\u009b nel\\u0085"'],
  [
    'right to left \u202e, separator \u2028, tag \u{e0041}',
    '"right to left \\u202e, separator \\u2028, tag \\udb40\\udc41"',
  ],
  ['\ud800', '"\\ud800"'],
])('%j is shown on one line, and reads back', (text, shown) => {
  expect(quote(text)).toBe(shown)
  expect(JSON.parse(quote(text))).toBe(text)
})

it('shortens', () => {
  expect(quote('x'.repeat(500))).toHaveLength(203)
  expect(quote('abcdef', 3)).toBe('"abc…"')
})
