import { expect, it } from 'vitest'
import { BF16, decode, decodeTable, E4M3, F16 } from '../../src/quant/halves.ts'

it.each(Object.entries({ F16, BF16, E4M3 }))(
  'the table of %s has the bits of what each code stands for',
  (_, format) => {
    const table = decodeTable(format)
    const each = Float32Array.from(table, (_, code) => decode(code, format))
    expect(Buffer.from(table.buffer).equals(Buffer.from(each.buffer))).toBe(true)
  },
)
