import { describe, expect, it } from 'vitest'
import * as format from '../../apps/cli/output/format.ts'
import { pairs, seenWidth, table, wrapped } from '../../apps/cli/output/table.ts'

describe('numbers for people', () => {
  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [2304, '2.25 KiB'],
    [1024 ** 2 - 1, '1 MiB'],
    [16_212_104, '15.5 MiB'],
    [1.25 * 1024 ** 3, '1.25 GiB'],
    [700 * 1024 ** 4, '700 TiB'],
  ])('bytes %d', (n, text) => expect(format.bytes(n)).toBe(text))

  it.each([
    [0, '0'],
    [999, '999'],
    [8_100_608, '8.1 M'],
    [671e9, '671 B'],
    [1.04e12, '1.04 T'],
  ])('count %d', (n, text) => expect(format.count(n)).toBe(text))

  it.each([
    [0.04, '0.0 ms'],
    [92.4, '92 ms'],
    [1310, '1.31 s'],
    [61_000, '1 min 1 s'],
    [119_700, '2 min 0 s'],
  ])('duration %d', (ms, text) => expect(format.duration(ms)).toBe(text))

  it('rates, factors, errors, plurals', () => {
    expect(format.rate(312.4)).toBe('312 tok/s')
    expect(format.rate(Number.NaN)).toBe('— tok/s')
    expect(format.times(71.11)).toBe('71.1×')
    expect([format.error(0), format.error(1.23e-5), format.error(null)]).toEqual(['0', '1.2e-5', '—'])
    expect([format.plural(1, 'token'), format.plural(2000, 'token')]).toEqual(['1 token', '2,000 tokens'])
  })
})

describe('tables', () => {
  it('align by what is seen', () => {
    const columns = [{ head: 'name' }, { head: 'n', align: 'right' as const }, { head: '' }]
    const rows = [
      ['日本', '1', 'x'],
      ['\u001b[1mbold\u001b[22m', '1,000', ''],
    ]
    expect(table(columns, rows)).toBe('name      n\n日本      1  x\n\u001b[1mbold\u001b[22m  1,000')
    expect(
      pairs(
        [
          ['a', '1'],
          ['bcd', '2'],
        ],
        n => n,
      ),
    ).toBe('a    1\nbcd  2')
  })

  it('lines end between words, keep their indentation, and colours take no room', () => {
    expect(wrapped('one two three', 8)).toBe('one two\nthree')
    expect(wrapped('one two', 7)).toBe('one two')
    expect(wrapped('  one two\n\nunbreakable x', 6)).toBe('  one\n  two\n\nunbreakable\nx')
    expect(wrapped('\u001b[1mone\u001b[22m two', 7)).toBe('\u001b[1mone\u001b[22m two')
    expect(pairs([['a', 'one two three four five six']], n => n, 23)).toBe('a  one two three four\n   five six')
  })

  it.each([
    ['é', 1],
    ['e\u0301', 1],
    ['👩‍👩‍👧', 2],
    ['Ġthe', 4],
  ])('%s takes %d columns', (text, width) => expect(seenWidth(text)).toBe(width))
})
