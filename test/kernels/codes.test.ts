import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ACTIVATION_CODES, CACHE_CODES, DTYPE_CODES, OPERATIONS } from '../../src/kernels/core/codes.ts'
import { PACKED_CODES } from '../../src/kernels/core/packed.ts'

const source = (path: string) => readFileSync(new URL(`../../native/${path}`, import.meta.url), 'utf8')

/** Names of a C++ enumeration, in the order of their values. */
function enumerated(text: string, name: string): string[] {
  const body = new RegExp(`enum ${name} : int \\{([^}]*)\\}`).exec(text)?.[1] ?? ''
  return body.split(',').map(entry => entry.split('=')[0]!.trim())
}

const byCode = (codes: Readonly<Record<string, number>>) => Object.keys(codes).sort((a, b) => codes[a]! - codes[b]!)

describe('both sides of the command list agree', () => {
  it('on the operations', () => {
    const names = [...source('core/opcodes.h').matchAll(/^ {2}OP\((\w+)\)/gm)].map(match => match[1])
    expect(names).toEqual([...OPERATIONS])
  })

  it('on the table of the operations', () => {
    const table = source('ops/table.h')
    const rows = table.slice(table.indexOf('OPERATIONS[OPCODES]'))
    const names = [...rows.matchAll(/^ {4}(?:LATENTKIT_NO_SCRATCH\(|\{)(\w+)/gm)].map(match => match[1])
    expect(names).toEqual([...OPERATIONS])
  })

  it('on the types', () => {
    expect(enumerated(source('core/base.h'), 'Dtype')).toEqual(
      byCode({ ...DTYPE_CODES, ...PACKED_CODES, ...CACHE_CODES }).map(name => name.toUpperCase()),
    )
  })

  it('on the activations', () => {
    const names = byCode(ACTIVATION_CODES).map(name => name.toUpperCase())
    expect(enumerated(source('ops/elementwise/activate.h'), 'Act')).toEqual(names)
  })
})
