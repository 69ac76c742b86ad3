import { Fault, typeError } from '../errors.ts'
import { escapeHtml } from '../format/html.ts'
import { formatTemplate } from '../format/template-string.ts'
import { dictMethods, listMethods, rangeMember, tupleMethods } from '../methods/containers.ts'
import { numberMember } from '../methods/numbers.ts'
import { type Method, strMethods } from '../methods/text.ts'
import type { Work } from '../work.ts'
import { dictGet, equal } from './compare.ts'
import { textOf, typeName } from './inspect.ts'
import { Loop } from './loop.ts'
import { isInt, isNumber, toIndex } from './numbers.ts'
import { Dict, Func, List, Markup, Namespace, orElse, Range, Tuple, Undefined, type Value } from './objects.ts'
import { hasSurrogates, substring, textLength } from './text.ts'
import { undefinedMember, unsafeMember } from './undefined.ts'

/** `value.name` of a template: an attribute or method, else the item of that name, else undefined. */
export function getAttribute(work: Work, value: Value, name: string): Value {
  const found = attribute(work, value, name)
  if (found !== undefined) return found
  return orElse(item(work, value, name), () => undefinedMember(value, name))
}

/** `value[key]` of a template: the item, else the attribute of that name, else undefined. */
export function getItem(work: Work, value: Value, key: Value): Value {
  const found = item(work, value, key)
  if (found !== undefined) return found
  const name = textOf(key)
  const member = name === undefined ? undefined : attribute(work, value, name)
  return orElse(member, () => undefinedMember(value, key))
}

/** Python's obj[key], undefined where it raises a TypeError or LookupError. */
function item(work: Work, value: Value, key: Value): Value | undefined {
  if (value instanceof Dict) return isHashable(key) ? dictGet(work, value, key) : undefined
  if (value instanceof Undefined) throw value.fault()
  if (!isInt(key)) return undefined
  const index = toIndex(key)
  const text = textOf(value)
  if (text !== undefined) {
    if (index >= 0 && !hasSurrogates(text)) return index < text.length ? text[index] : undefined
    const length = textLength(work, text)
    const at = index < 0 ? index + length : index
    return at < 0 || at >= length ? undefined : substring(work, text, at, at + 1)
  }
  if (value instanceof List || value instanceof Tuple) return value.items.at(index)
  if (value instanceof Range) {
    const at = index < 0 ? index + value.length : index
    return at < 0 || at >= value.length ? undefined : value.at(at)
  }
  return undefined
}

function isHashable(key: Value): boolean {
  return !(key instanceof List || key instanceof Dict) && (!(key instanceof Tuple) || key.items.every(isHashable))
}

/** Methods that would change a list or dict: the sandbox gives something undefined that says so when it is used. */
const MUTATING: Readonly<Record<string, ReadonlySet<string>>> = {
  list: new Set(['append', 'clear', 'pop', 'reverse', 'insert', 'sort', 'extend', 'remove']),
  dict: new Set(['clear', 'pop', 'popitem', 'setdefault', 'update']),
}

/** Python's getattr(value, name), undefined where there is none. */
function attribute(work: Work, value: Value, name: string): Value | undefined {
  if (value instanceof Undefined) {
    if (DUNDERS.has(name)) return unsafeMember(value, name)
    throw value.fault()
  }
  if (name.startsWith('__') && DUNDERS.has(name)) return unsafeMember(value, name)
  if (value instanceof Namespace) {
    const found = value.attributes.get(name)
    return found !== undefined && name.startsWith('_') ? unsafeMember(value, name) : found
  }
  const type = typeName(value)
  if (MUTATING[type]?.has(name)) return unsafeMember(value, name)
  if (typeof value === 'string') return bound(textMethods, value, name)
  if (value instanceof Dict) return bound(dictMethods, value, name)
  if (value instanceof List) return bound(listMethods, value, name)
  if (value instanceof Tuple) {
    const field = value.fields.indexOf(name)
    return field >= 0 ? value.items[field] : bound(tupleMethods, value, name)
  }
  if (value instanceof Loop) {
    const field = value.field(name, (a, b) => equal(work, a, b))
    return typeof field === 'function' ? new Func(name, field, 'method') : field
  }
  if (value instanceof Markup) return markupMethod(value, name)
  if (value instanceof Range) return rangeMember(value, name)
  if (value instanceof Func) return value.attributes.get(name)
  if (isNumber(value)) return numberMember(value, name)
  return undefined
}

function bound<T extends Value>(methods: ReadonlyMap<string, Method<T>>, value: T, name: string): Func | undefined {
  const method = methods.get(name)
  return method === undefined ? undefined : new Func(name, (work, args, kwargs) => method(work, value, args, kwargs))
}

/** A method of a Markup is that of its text: what comes in as plain text is escaped, a text that comes out is Markup. */
function markupMethod(value: Markup, name: string): Func | undefined {
  const method = textMethods.get(name)
  if (method === undefined) return undefined
  return new Func(name, (work, args, kwargs) => {
    const escaped = (arg: Value): Value =>
      typeof arg === 'string' ? escapeHtml(work, arg) : arg instanceof Markup ? arg.text : arg
    const result = method(
      work,
      value.text,
      args.map(escaped),
      new Map(Array.from(kwargs, ([key, arg]) => [key, escaped(arg)])),
    )
    return typeof result === 'string' ? new Markup(result) : result
  })
}

/** Fields of a format are read as a template reads them, so nothing hidden is reached. */
const reader = { attribute: getAttribute, item: getItem }

/** The methods of a text, with those that read other values. */
const textMethods: ReadonlyMap<string, Method<string>> = new Map([
  ...strMethods,
  ['format', (work, self, args, kwargs) => formatTemplate(work, reader, self, args, kwargs)],
  [
    'format_map',
    (work, self, [mapping = null], kwargs) => {
      if (!(mapping instanceof Dict) || kwargs.size > 0) throw typeError('format_map() takes one mapping')
      const named = Array.from(mapping.entries.values(), ([key, value]) => [textOf(key) ?? '', value] as const)
      return formatTemplate(work, reader, self, [], new Map(named))
    },
  ],
])

/** Names that every object of Python has. All lead out of the sandbox, so they only say that they are closed. */
const DUNDERS = new Set(
  (
    '__class__ __doc__ __init__ __new__ __dict__ __module__ __subclasshook__ __init_subclass__ __reduce__ __reduce_ex__ ' +
    '__getattribute__ __setattr__ __delattr__ __dir__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __repr__ __str__ ' +
    '__format__ __sizeof__ __getstate__'
  ).split(' '),
)

export function isCallable(value: Value): boolean {
  return value instanceof Func || value instanceof Loop || value instanceof Undefined
}

export function call(work: Work, value: Value, args: readonly Value[], kwargs: ReadonlyMap<string, Value>): Value {
  work.spend(2)
  if (value instanceof Func) return value.call(work, args, kwargs)
  if (value instanceof Undefined) throw value.fault()
  if (value instanceof Loop) {
    if (value.recurse === undefined) {
      throw new Fault('TypeError', "The loop must have the 'recursive' marker to be called recursively.")
    }
    if (args.length !== 1 || kwargs.size > 0) throw new Fault('TypeError', 'loop() takes one argument')
    return value.recurse(args[0]!, value.depth0 + 1)
  }
  throw new Fault('TypeError', `'${typeName(value)}' object is not callable`)
}
