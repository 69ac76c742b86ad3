import { definitionOf } from '../schema/held.ts'
import { isObject } from '../schema/json-schema.ts'

/** What a schema says of the items of the lists at one place of a value, and below it. */
export interface Shape {
  /** Whether the items of a list here have to differ from each other. */
  readonly distinct: boolean
  property(name: string): Shape | null
  item(index: number): Shape | null
}

/**
 * Where the lists of a rewritten schema are to have distinct items. Which of several alternatives a value will satisfy is
 * not known while it is written: what one of them demands is demanded. Null: of no list at the place or below.
 */
export function shapeOf(schema: unknown): Shape | null {
  const definitions = isObject(schema) && isObject(schema.$defs) ? schema.$defs : {}
  return new Shapes(definitions).at([schema])
}

class Shapes {
  readonly #definitions: { readonly [name: string]: unknown }
  readonly #numbers = new Map<unknown, number>()
  readonly #known = new Map<string, Shape | null>()

  constructor(definitions: { readonly [name: string]: unknown }) {
    this.#definitions = definitions
  }

  at(schemas: readonly unknown[]): Shape | null {
    const parts = this.#parts(schemas)
    if (parts.length === 0) return null
    const key = parts.map(part => this.#number(part)).join()
    const known = this.#known.get(key)
    if (known !== undefined) return known
    if (!mentionsDistinct(parts, this.#definitions, new Set())) {
      this.#known.set(key, null)
      return null
    }
    const shape = this.#shape(parts)
    this.#known.set(key, shape)
    return shape
  }

  #shape(parts: readonly Part[]): Shape {
    const properties = new Map<string, Shape | null>()
    const items = new Map<number, Shape | null>()
    const listed = Math.max(...parts.map(({ prefixItems }) => (Array.isArray(prefixItems) ? prefixItems.length : 0)))
    return {
      distinct: parts.some(part => part.uniqueItems === true),
      property: name => remembered(properties, name, () => this.at(parts.flatMap(part => ofProperty(part, name)))),
      item: index => {
        const at = Math.min(index, listed)
        return remembered(items, at, () => this.at(parts.flatMap(part => ofItem(part, at))))
      },
    }
  }

  /** The schemas that are applied to the same value, references followed. */
  #parts(schemas: readonly unknown[]): Part[] {
    const found = new Set<Part>()
    const open = [...schemas]
    for (let next = open.pop(); open.length > 0 || next !== undefined; next = open.pop()) {
      if (!isObject(next) || found.has(next)) continue
      found.add(next)
      const name = definitionOf(next)
      if (name !== undefined) open.push(this.#definitions[name])
      for (const list of [next.allOf, next.anyOf]) if (Array.isArray(list)) open.push(...list)
    }
    return [...found]
  }

  #number(part: unknown): number {
    const known = this.#numbers.get(part) ?? this.#numbers.size
    this.#numbers.set(part, known)
    return known
  }
}

type Part = { readonly [keyword: string]: unknown }

function ofProperty({ properties, patternProperties, additionalProperties }: Part, name: string): unknown[] {
  if (isObject(properties) && Object.hasOwn(properties, name)) return [properties[name]]
  return [...(isObject(patternProperties) ? Object.values(patternProperties) : []), additionalProperties]
}

function ofItem({ prefixItems, items }: Part, index: number): unknown[] {
  return [Array.isArray(prefixItems) && index < prefixItems.length ? prefixItems[index] : items]
}

function remembered<K>(map: Map<K, Shape | null>, key: K, find: () => Shape | null): Shape | null {
  let known = map.get(key)
  if (known === undefined) {
    known = find()
    map.set(key, known)
  }
  return known
}

function mentionsDistinct(value: unknown, definitions: Part, seen: Set<unknown>): boolean {
  if (typeof value !== 'object' || value === null || seen.has(value)) return false
  seen.add(value)
  if (isObject(value)) {
    if (value.uniqueItems === true) return true
    const name = definitionOf(value)
    if (name !== undefined && mentionsDistinct(definitions[name], definitions, seen)) return true
  }
  return Object.values(value).some(part => mentionsDistinct(part, definitions, seen))
}
