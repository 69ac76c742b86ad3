import { Fault, valueError } from '../errors.ts'
import type { Kwargs, Value } from '../values/objects.ts'
import type { Work } from '../work.ts'
import { ascii, repr, str } from './print.ts'
import { formatValue } from './spec.ts'

/** How fields like `{0.name[1]}` are read. */
export interface FieldReader {
  attribute(work: Work, value: Value, name: string): Value
  item(work: Work, value: Value, key: Value): Value
}

/** Python's `template.format(*args, **kwargs)`. */
export function formatTemplate(
  work: Work,
  reader: FieldReader,
  template: string,
  args: readonly Value[],
  kwargs: Kwargs,
): string {
  return new Formatter(work, reader, args, kwargs).format(template, 2)
}

const BRACE = /[{}]/g

class Formatter {
  readonly #work: Work
  readonly #reader: FieldReader
  readonly #args: readonly Value[]
  readonly #kwargs: Kwargs
  /** The next automatic number; undefined once fields are numbered by hand. */
  #auto: number | undefined = 0

  constructor(work: Work, reader: FieldReader, args: readonly Value[], kwargs: Kwargs) {
    this.#work = work
    this.#reader = reader
    this.#args = args
    this.#kwargs = kwargs
  }

  format(template: string, depth: number): string {
    if (depth < 0) throw valueError('Max string recursion exceeded')
    this.#work.walk(template.length)
    let result = ''
    let at = 0
    while (at < template.length) {
      BRACE.lastIndex = at
      const found = BRACE.exec(template)
      if (found === null) return result + template.slice(at)
      const brace = found[0]
      result += template.slice(at, found.index)
      at = found.index + 1
      if (template[at] === brace) {
        result += brace
        at++
        continue
      }
      if (brace === '}') throw valueError("Single '}' encountered in format string")
      if (at === template.length) throw valueError("Single '{' encountered in format string")
      const end = endOfField(template, at)
      result += this.#field(template.slice(at, end), depth)
      this.#work.checkLength(result.length)
      at = end + 1
    }
    return result
  }

  #field(field: string, depth: number): string {
    const { name, conversion, spec } = parseField(field)
    let value = this.#value(name)
    if (conversion === 'r') value = repr(this.#work, value)
    else if (conversion === 's') value = str(this.#work, value)
    else if (conversion === 'a') value = ascii(this.#work, value)
    else if (conversion !== undefined) throw valueError(`Unknown conversion specifier ${conversion}`)
    return formatValue(this.#work, value, this.format(spec, depth - 1))
  }

  #value(name: string): Value {
    const first = /^[^.[]*/.exec(name)![0]
    let value = this.#first(first)
    let rest = name.slice(first.length)
    while (rest !== '') {
      const found = /^(?:\.([^.[]*)|\[([^\]]*)\])/.exec(rest)
      if (found === null) {
        const broken = rest.startsWith('[')
          ? "Missing ']' in format string"
          : "Only '.' or '[' may follow ']' in format field specifier"
        throw valueError(broken)
      }
      const [whole, attribute, index] = found
      if ((attribute ?? index) === '') throw valueError('Empty attribute in format string')
      value =
        attribute !== undefined
          ? this.#reader.attribute(this.#work, value, attribute)
          : this.#reader.item(this.#work, value, /^\d+$/.test(index!) ? Number(index) : index!)
      rest = rest.slice(whole.length)
    }
    return value
  }

  #first(name: string): Value {
    if (name !== '' && !/^\d+$/.test(name)) {
      const value = this.#kwargs.get(name)
      if (value === undefined) throw new Fault('KeyError', repr(this.#work, name))
      return value
    }
    let index = Number(name)
    if (name === '') {
      if (this.#auto === undefined) {
        throw valueError('cannot switch from manual field specification to automatic field numbering')
      }
      index = this.#auto++
    } else {
      if (this.#auto !== undefined && this.#auto > 0) {
        throw valueError('cannot switch from manual field specification to automatic field numbering')
      }
      this.#auto = undefined
    }
    const value = this.#args[index]
    if (value === undefined) {
      throw new Fault('IndexError', `Replacement index ${index} out of range for positional args tuple`)
    }
    return value
  }
}

function endOfField(template: string, start: number): number {
  let depth = 1
  let bracket = false
  let inSpec = false
  for (let i = start; i < template.length; i++) {
    const unit = template[i]
    if (bracket) bracket = unit !== ']'
    else if (unit === '[' && !inSpec) bracket = true
    else if (unit === ':' || unit === '!') inSpec = true
    else if (unit === '{') depth++
    else if (unit === '}' && --depth === 0) return i
  }
  throw valueError("expected '}' before end of string")
}

function parseField(field: string): { name: string; conversion: string | undefined; spec: string } {
  const name = /^(?:[^!:[]|\[[^\]]*\]?)*/.exec(field)![0]
  if (name.includes('{')) throw valueError("unexpected '{' in field name")
  const rest = field.slice(name.length)
  if (!rest.startsWith('!')) return { name, conversion: undefined, spec: rest.slice(1) }
  const conversion = /^!(.)(?::|$)/su.exec(rest)
  if (conversion === null) {
    throw valueError(
      rest.length < 2
        ? 'end of string while looking for conversion specifier'
        : "expected ':' after conversion specifier",
    )
  }
  return { name, conversion: conversion[1]!, spec: rest.slice(conversion[0].length) }
}
