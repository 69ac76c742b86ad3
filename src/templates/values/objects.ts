import type { Fault } from '../errors.ts'
import type { Work } from '../work.ts'

/**
 * A value as a template sees it: Python's. None is null, str a string, bool a boolean; an int is a number where it is
 * safe and a bigint beyond, so that a float needs a class of its own. All else is an object.
 */
export type Value = null | boolean | number | bigint | string | PyObject

/** The value, or another where there is none: None is a value, so `??` will not do. */
export function orElse(value: Value | undefined, otherwise: () => Value): Value {
  return value === undefined ? otherwise() : value
}

export type Kwargs = ReadonlyMap<string, Value>
export const NO_KWARGS: Kwargs = new Map()

export abstract class PyObject {
  /** Python's name of the type. */
  abstract readonly type: string
}

export class Float extends PyObject {
  readonly type = 'float'
  readonly value: number

  constructor(value: number) {
    super()
    this.value = value
  }
}

/** A text marked as safe HTML, by the filters `safe` and `escape`: joined with a plain text, it escapes that. */
export class Markup extends PyObject {
  readonly type = 'Markup'
  readonly text: string

  constructor(text: string) {
    super()
    this.text = text
  }
}

export class List extends PyObject {
  readonly type = 'list'
  readonly items: readonly Value[]

  constructor(items: readonly Value[]) {
    super()
    this.items = items
  }
}

export class Tuple extends PyObject {
  readonly type = 'tuple'
  readonly items: readonly Value[]
  /** Names of the fields of a named tuple, as `groupby` makes them. */
  readonly fields: readonly string[]

  constructor(items: readonly Value[], fields: readonly string[] = []) {
    super()
    this.items = items
    this.fields = fields
  }
}

/** The form of a key in a Map: equal for values that Python holds equal. */
export type DictKey = string | number | bigint | null | symbol | object

export class Dict extends PyObject {
  readonly type = 'dict'
  /** From the key's form to the key and its value, in the order of insertion. */
  readonly entries: ReadonlyMap<DictKey, readonly [Value, Value]>

  constructor(entries: ReadonlyMap<DictKey, readonly [Value, Value]>) {
    super()
    this.entries = entries
  }
}

/** What `items()`, `keys()` and `values()` give. */
export class DictView extends PyObject {
  readonly type: 'dict_items' | 'dict_keys' | 'dict_values'
  readonly dict: Dict

  constructor(type: DictView['type'], dict: Dict) {
    super()
    this.type = type
    this.dict = dict
  }

  *values(): Generator<Value> {
    for (const [key, value] of this.dict.entries.values()) {
      if (this.type === 'dict_items') yield new Tuple([key, value])
      else yield this.type === 'dict_keys' ? key : value
    }
  }
}

export class Range extends PyObject {
  readonly type = 'range'
  readonly start: number
  readonly stop: number
  readonly step: number
  readonly length: number

  constructor(start: number, stop: number, step: number) {
    super()
    this.start = start
    this.stop = stop
    this.step = step
    this.length = Math.max(0, Math.ceil((stop - start) / step))
  }

  at(index: number): number {
    return this.start + index * this.step
  }
}

export class Namespace extends PyObject {
  readonly type = 'TemplateNamespace'
  readonly attributes = new Map<string, Value>()
}

/** Jinja's undefined value. It can be printed, counted and compared; any other use throws its fault. */
export class Undefined extends PyObject {
  readonly type = 'Undefined'
  readonly #fault: () => Fault

  constructor(fault: () => Fault) {
    super()
    this.#fault = fault
  }

  fault(): Fault {
    return this.#fault()
  }
}

/** An iterator: yields values once. */
export class Iter extends PyObject {
  readonly type: string
  /** The next value; undefined at the end. */
  readonly next: () => Value | undefined

  constructor(type: string, next: () => Value | undefined) {
    super()
    this.type = type
    this.next = next
  }
}

export type Call = (work: Work, args: readonly Value[], kwargs: Kwargs) => Value

/** A function, a method of a value, or a macro. */
export class Func extends PyObject {
  readonly type: string
  readonly name: string
  readonly call: Call
  /** Further attributes: `name` of a macro, `fromkeys` of dict. */
  readonly attributes: ReadonlyMap<string, Value>

  constructor(name: string, call: Call, type = 'builtin_function_or_method', attributes?: ReadonlyMap<string, Value>) {
    super()
    this.name = name
    this.call = call
    this.type = type
    this.attributes = attributes ?? new Map()
  }
}
