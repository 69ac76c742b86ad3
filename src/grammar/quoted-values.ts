/** Values of JSON as a family writes them whose keys stand bare and whose texts are between marks (Gemma 4): rules of a grammar. */
import { isObject, typeOf } from './schema/json-schema.ts'

type Schema = Readonly<Record<string, unknown>>

/** Writes the parts of rules. */
interface QuotedWriter {
  /** A rule with this body, by its name. */
  rule(body: string): string
  /** The same under a name that was taken before. */
  define(name: string, body: string): void
  name(): string
  /** A text between marks. */
  text(schema: Schema): string
  /** A number or a word of JSON. */
  json(schema: Schema): string
  literal(text: string): string
  /** Parts in their order, those not required left out at will. */
  sequence(parts: readonly { readonly rule: string; readonly required: boolean }[], between: string): string
}

const OF_TYPES: Readonly<Record<string, readonly string[]>> = {
  string: ['pattern', 'format', 'minLength', 'maxLength'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  boolean: [],
  null: [],
  array: ['items', 'minItems', 'maxItems'],
  object: ['properties', 'required', 'additionalProperties'],
}
const NOTES: ReadonlySet<string> = new Set(['title', 'description', 'default', 'examples', '$defs', 'definitions'])
/** Items that are counted one by one. */
const MAX_ITEMS = 64
const MAX_DEPTH = 32
/** What needs no quotes in front of its colon. */
const BARE = /^[\p{L}_$][\p{L}\p{N}_$ .-]*$/u

/** Whether the form can say all that a schema does; else the value is JSON. `seen`: references that are looked at already. */
export function isQuotable(schema: unknown, root: Schema, seen: Set<string> = new Set(), depth = 0): boolean {
  if (!isObject(schema) || depth > MAX_DEPTH) return false
  const again = (part: unknown) => isQuotable(part, root, seen, depth + 1)
  const keys = Object.keys(schema).filter(key => !NOTES.has(key))
  const only = (...known: readonly string[]) => keys.every(key => known.includes(key))
  if (typeof schema.$ref === 'string') {
    if (!only('$ref')) return false
    if (seen.has(schema.$ref)) return true
    seen.add(schema.$ref)
    return again(definitionAt(schema.$ref, root))
  }
  if (Array.isArray(schema.anyOf)) return only('anyOf') && schema.anyOf.length > 0 && schema.anyOf.every(again)
  const values = valuesOf(schema)
  if (values) {
    const listed = only('type', 'const' in schema ? 'const' : 'enum') && values.length > 0
    return listed && values.every(value => isPlain(value) && isOf(value, schema.type))
  }
  const types = [schema.type].flat()
  if (!types.every(type => typeof type === 'string' && type in OF_TYPES)) return false
  if (!only('type', ...types.flatMap(type => OF_TYPES[type as string] as string[]))) return false
  const { items, properties, required = [], additionalProperties = false } = schema
  if (types.includes('array') && !(again(items) && isCountable(schema))) return false
  if (!types.includes('object')) return true
  if (!isObject(properties) || additionalProperties !== false || !Array.isArray(required)) return false
  const names = Object.keys(properties)
  return (
    names.length > 0 &&
    names.every(name => BARE.test(name) && again(properties[name])) &&
    required.every(name => names.includes(name))
  )
}

/** The expression of a value that is quotable. `known`: rules of references. */
export function quotedValue(
  schema: Schema,
  root: Schema,
  writer: QuotedWriter,
  known: Map<string, string> = new Map(),
): string {
  const again = (part: unknown) => quotedValue(part as Schema, root, writer, known)
  if (typeof schema.$ref === 'string') {
    const before = known.get(schema.$ref)
    if (before) return before
    const name = writer.name()
    known.set(schema.$ref, name)
    writer.define(name, again(definitionAt(schema.$ref, root)))
    return name
  }
  if (Array.isArray(schema.anyOf)) return writer.rule(schema.anyOf.map(again).join(' | '))
  const values = valuesOf(schema)
  if (values) {
    const texts = values.filter(value => typeof value === 'string')
    const others = values.filter(value => typeof value !== 'string').map(value => writer.literal(JSON.stringify(value)))
    return writer.rule([...(texts.length > 0 ? [writer.text({ enum: texts })] : []), ...others].join(' | '))
  }
  const ways = [schema.type].flat().map(type => ofType(type as string, schema, again, writer))
  return ways.length === 1 ? (ways[0] as string) : writer.rule(ways.join(' | '))
}

function ofType(type: string, schema: Schema, again: (part: unknown) => string, writer: QuotedWriter): string {
  const own = Object.fromEntries(
    (OF_TYPES[type] as string[]).filter(key => key in schema).map(key => [key, schema[key]]),
  )
  switch (type) {
    case 'string':
      return writer.text(own)
    case 'array':
      return list(again(schema.items), own, writer)
    case 'object': {
      const { properties, required = [] } = schema as { properties: Schema; required?: readonly string[] }
      const parts = Object.entries(properties).map(([name, part]) => {
        const rule = writer.rule(`${writer.literal(`${name}:`)} ${again(part)}`)
        return { rule, required: required.includes(name) }
      })
      return writer.rule(`${writer.literal('{')} ${writer.sequence(parts, ',')} ${writer.literal('}')}`)
    }
    default:
      return writer.json({ type, ...own })
  }
}

function list(
  item: string,
  { minItems: min = 0, maxItems: max }: { minItems?: number; maxItems?: number },
  writer: QuotedWriter,
): string {
  const [open, close] = ['[', ']'].map(mark => writer.literal(mark))
  const next = writer.rule(`${writer.literal(',')} ${item}`)
  const others = max === 1 ? '' : `${next}{${Math.max(min - 1, 0)},${max === undefined ? '' : max - 1}}`
  const some = max === 0 ? '' : `${item} ${others}`
  return writer.rule(`${open} ${min > 0 || some === '' ? some : `(${some})?`} ${close}`)
}

function isCountable({ minItems: min = 0, maxItems: max = MAX_ITEMS }: Schema): boolean {
  return (
    Number.isInteger(min) && Number.isInteger(max) && (min as number) <= (max as number) && (max as number) <= MAX_ITEMS
  )
}

/** An empty text has no rule. */
const isPlain = (value: unknown) => value !== '' && (typeof value !== 'object' || value === null)

const isOf = (value: unknown, type: unknown) => {
  const own = typeOf(value)
  return type === undefined || [type].flat().some(name => name === own || (name === 'number' && own === 'integer'))
}

const valuesOf = (schema: Schema): readonly unknown[] | undefined =>
  'const' in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : undefined

function definitionAt(reference: string, root: Schema): unknown {
  const [, place = '', name = ''] = /^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference) ?? []
  const definitions = root[place]
  return isObject(definitions) ? definitions[name.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
}
