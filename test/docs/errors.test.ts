/** docs/api.md lists every class of errors with its codes. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as engine from '../../src/index.ts'
import * as mcp from '../../src/mcp/index.ts'
import * as tools from '../../src/tools.ts'
import * as training from '../../src/training/index.ts'
import { ROOT } from './blocks.ts'

/** Classes whose code is an argument: the union in their source names all. */
const CODES_IN = { HubError: 'src/checkpoint/hub/hub-error.ts', ConversionError: 'src/conversion/errors.ts' }

function codesOf(name: string, Class: unknown): readonly string[] {
  if (name in CODES_IN) {
    const source = readFileSync(join(ROOT, CODES_IN[name as keyof typeof CODES_IN]), 'utf8')
    const [, union = ''] = /(?:HubErrorCode =|code:)((?:\s|\/\*\*.*?\*\/|\||'[a-z_]+')+)/.exec(source) ?? []
    return [...union.matchAll(/'([a-z_]+)'/g)].map(match => match[1] as string)
  }
  return [new (Class as new (text: string) => { code: string })('x').code]
}

it('docs/api.md has a row for every class of errors, with its codes', () => {
  const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8')
  const classes = Object.entries({ ...engine, ...mcp, ...tools, ...training }).filter(
    ([name]) => name.endsWith('Error') && name !== 'LatentkitError',
  )
  expect(classes.length).toBeGreaterThan(12)
  const rows = new Map([...page.matchAll(/^\| `(\w+Error)` \| (.*?) \|/gm)].map(([, name, codes]) => [name, codes]))
  expect([...rows.keys()].sort()).toEqual(classes.map(([name]) => name).sort())
  for (const [name, Class] of classes) {
    const codes = codesOf(name, Class)
    expect(codes.length).toBeGreaterThan(0)
    expect(rows.get(name), name).toBe(codes.map(code => `\`${code}\``).join(', '))
  }
})
