import { describe, expect, it } from 'vitest'
import { shownSafely } from '../../apps/cli/output/shown-safely.ts'
import { pairs, table } from '../../apps/cli/output/table.ts'

const plain = { isTTY: false }
const terminal = { isTTY: true }

describe('names from files', () => {
  it('reach no terminal with what moves its cursor', () => {
    expect(shownSafely('x\u001b[2J\u001b]0;title\u0007\u202e', terminal)).toBe(
      'x\\u001b[2J\\u001b]0;title\\u0007\\u202e',
    )
    expect(shownSafely('\u001b[8mhidden', terminal)).toBe('\\u001b[8mhidden')
  })

  it('where nothing is coloured, no sequence is ours', () => {
    expect(shownSafely('\u001b[31mred\u001b[39m', plain)).toBe('\\u001b[31mred\\u001b[39m')
    expect(shownSafely('\u001b[31mred\u001b[39m\n\tnext', terminal)).toBe('\u001b[31mred\u001b[39m\n\tnext')
  })

  it('forge no row of a table', () => {
    const rows = table([{ head: 'name' }, { head: 'bytes' }], [['a\nb  12', '1']])
    expect(rows.split('\n')).toHaveLength(2)
    expect(rows).toContain('a\\u000ab  12')
    expect(pairs([['name', 'a\r\nb']], name => name)).toBe('name  a\\u000d\\u000ab')
  })
})
