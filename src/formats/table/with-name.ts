import type { Body } from './format.ts'

/** A text of the table with the tool's name: in JSON where the table has it in quotes of a JSON object. */
export function withName(text: string, name: string): string {
  return text.includes('{"name": "NAME"')
    ? text.replace('"NAME"', () => JSON.stringify(name))
    : text.replace('NAME', () => name)
}

const RESERVED = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from global if ' +
    'import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' '),
)

/** A text of the table with an argument's name; Python's reserved words get an underscore. */
export function withKey(text: string, key: string, kind: Body['kind']): string {
  return text.replace('KEY', () => (kind === 'python' && RESERVED.has(key) ? `${key}_` : key))
}
