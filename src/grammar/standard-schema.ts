import { OutputError, SchemaError } from './errors.ts'
import { isObject, type JsonSchema } from './schema/json-schema.ts'

/** https://standardschema.dev: the interface that zod, valibot, arktype and others share. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** What a schema says of itself, and its check. */
  readonly '~standard': StandardSchemaV1.Props<Input, Output>
}

export declare namespace StandardSchemaV1 {
  /** What a schema says of itself, and its check. */
  export interface Props<Input = unknown, Output = Input> {
    /** Of the interface. */
    readonly version: 1
    /** The library that made it. */
    readonly vendor: string
    /** Whether a value is valid, and what it becomes. */
    readonly validate: (value: unknown) => Result<Output> | Promise<Result<Output>>
    /** For the compiler: what it reads, and what it makes of that. */
    readonly types?:
      | {
          /** What the schema reads. */
          readonly input: Input
          /** What it makes of that. */
          readonly output: Output
        }
      | undefined
  }
  /** A value, or what is wrong with it. */
  export type Result<Output> =
    | {
        /** What the schema makes of it. */
        readonly value: Output
        /** None. */
        readonly issues?: undefined
      }
    | {
        /** What is wrong. */
        readonly issues: readonly Issue[]
      }
  /** One thing that is wrong. */
  export interface Issue {
    /** What is wrong. */
    readonly message: string
    /** Where, from the whole value down. */
    readonly path?:
      | readonly (
          | PropertyKey
          | {
              /** A property or an index. */
              readonly key: PropertyKey
            }
        )[]
      | undefined
  }
  /** The type of a schema's checked values. */
  export type InferOutput<S extends StandardSchemaV1> = NonNullable<S['~standard']['types']>['output']
}

export function isStandardSchema(schema: unknown): schema is StandardSchemaV1 {
  // arktype's schemas are functions.
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return false
  const standard = (schema as { '~standard'?: unknown })['~standard']
  return isObject(standard) && standard.version === 1 && typeof standard.validate === 'function'
}

const TARGET = 'draft-2020-12'

/**
 * The JSON schema of the values that a schema reads. By the interface of Standard JSON Schema (`~standard.jsonSchema`),
 * else by the vendor's own: `toJSONSchema` of zod 4, or `@valibot/to-json-schema` where it is installed. Throws SchemaError.
 */
export async function jsonSchemaOf(schema: StandardSchemaV1): Promise<JsonSchema> {
  const standard = schema['~standard'] as StandardSchemaV1.Props & {
    readonly jsonSchema?: { input?(options: { target: string }): unknown }
  }
  const { vendor } = standard
  try {
    if (typeof standard.jsonSchema?.input === 'function') {
      return standard.jsonSchema.input({ target: TARGET }) as JsonSchema
    }
    const own = schema as { toJSONSchema?(options: object): unknown; toJsonSchema?(): unknown }
    if (typeof own.toJSONSchema === 'function') return own.toJSONSchema({ target: TARGET, io: 'input' }) as JsonSchema
    if (typeof own.toJsonSchema === 'function') return own.toJsonSchema() as JsonSchema
    if (vendor === 'zod' || vendor === 'valibot') return await byModule(vendor, schema)
  } catch (error) {
    const why = (error as Error).message
    throw new SchemaError(`The ${vendor} schema has no JSON schema: ${why}`, { cause: error })
  }
  throw new SchemaError(
    `The ${vendor} schema has no way to become a JSON schema; expected one with ~standard.jsonSchema or toJSONSchema, or ` +
      'give its JSON schema',
  )
}

/** Modules that are the caller's: they are there where their schemas are. */
async function byModule(vendor: 'zod' | 'valibot', schema: StandardSchemaV1): Promise<JsonSchema> {
  const name = vendor === 'zod' ? 'zod' : '@valibot/to-json-schema'
  const { toJSONSchema, toJsonSchema } = (await import(/* @vite-ignore */ name)) as {
    toJSONSchema?(schema: unknown, options: object): unknown
    toJsonSchema?(schema: unknown, options: object): unknown
  }
  const convert = toJSONSchema ?? toJsonSchema
  if (convert === undefined) throw new Error(`${name} has no function for it; use a newer version`)
  return convert(schema, { target: TARGET, io: 'input', typeMode: 'input' }) as JsonSchema
}

/** What a schema makes of a value. Throws OutputError with its first issue. */
export async function standardOutput(schema: StandardSchemaV1, value: unknown, text: string): Promise<unknown> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const [{ message, path = [] } = { message: 'no reason is given' }] = result.issues
  const place = path.map(key => `/${String(typeof key === 'object' ? key.key : key)}`).join('')
  throw new OutputError(`The answer is not what its schema demands: ${place} ${message}`, { text })
}
