import { isObject } from './json-schema.ts'
import { refusal } from './use.ts'

/** At most so many properties on which others depend: each doubles the ways. */
const MAX_DEPENDENTS = 6

/** `dependentRequired`, `dependentSchemas` and the older `dependencies`: without the property, or with what it demands. */
export function withDependents(schema: { readonly [key: string]: unknown }, keyword: string, path: string): object[] {
  const given = schema[keyword]
  if (!isObject(given)) throw refusal(path, keyword, 'is no object')
  const entries = Object.entries(given)
  if (entries.length > MAX_DEPENDENTS) {
    throw refusal(path, keyword, `has ${entries.length} properties; expected at most ${MAX_DEPENDENTS}`)
  }
  return entries.map(([name, demanded]) => {
    // Draft 3 has one name without a list.
    const needs =
      typeof demanded === 'string' || Array.isArray(demanded)
        ? [{ required: [name, ...[demanded].flat()] }]
        : [{ required: [name] }, demanded as object]
    return { anyOf: [{ properties: { [name]: false } }, { allOf: needs }] }
  })
}
