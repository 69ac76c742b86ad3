import { printable } from '../printable.ts'

/** A value for a message: short, on one line. Never throws, even for hostile values. */
export function show(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return printable(JSON.stringify(short(value)))
    case 'bigint':
      return `${short(String(value))}n`
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'function':
      return 'a function'
    case 'symbol':
      return 'a symbol'
    case 'object':
      return value === null ? 'null' : showObject(value)
    default:
      return String(value)
  }
}

function showObject(value: object): string {
  // A proxy may throw on any access.
  try {
    if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`
    const tag = Object.prototype.toString.call(value).slice(8, -1)
    if (/^[A-Z][A-Za-z0-9]{0,40}$/.test(tag) && tag !== 'Object') return `${/^[AEIOU]/.test(tag) ? 'an' : 'a'} ${tag}`
  } catch {}
  return 'an object'
}

function short(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
