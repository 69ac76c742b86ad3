import { OutputError } from './errors.ts'
import { isObject } from './schema/json-schema.ts'
import { compilePattern } from './schema/pattern.ts'

/** Returns what a finished answer says. Throws OutputError if it is not JSON, or not what the schema demands. */
export type OutputCheck = (text: string) => unknown

/** What a finished answer has to be, as plain data. `schema` is JSON. */
export type Demand = { readonly schema: string } | { readonly regex: string; readonly flags: string }

/** Says what is wrong with a finished answer; null: nothing. */
export type AnswerCheck = (demand: Demand, text: string) => Promise<string | null>

/** The part of ajv that is used; its classes differ by dialect. */
interface Validator {
  compile(schema: object | boolean): Validate
}
type ValidatorClass = new (options: object) => Validator
type Validate = ((value: unknown) => boolean) & { readonly errors?: readonly Problem[] | null }
interface Problem {
  readonly instancePath: string
  readonly message?: string
}

const SHOWN = 300

/**
 * Compiles a schema for finished answers. It does not know how the answer was constrained, so it also finds what the
 * constraint missed. Throws OutputError if the schema itself is none.
 */
export async function outputCheck(schema: unknown): Promise<OutputCheck> {
  const problemOf = await problemCheck(schema)
  return text => {
    const value = readJson(text)
    const problem = problemOf(value)
    if (problem === null) return value
    throw new OutputError(`The answer is not what its schema demands: ${problem}. It begins: ${begin(text)}`, { text })
  }
}

/** What is wrong with a value; null: nothing. */
async function problemCheck(schema: unknown): Promise<(value: unknown) => string | null> {
  const [validator, known] = await validatorFor(schema)
  try {
    const validate = validator.compile(known as object | boolean)
    return value => {
      if (validate(value)) return null
      const [first] = validate.errors ?? []
      const place = first?.instancePath ? `${first.instancePath} ` : ''
      return `${place}${first?.message ?? 'is not allowed'}`
    }
  } catch (error) {
    // The policy of a page, or a flag of Node, forbids code that was a text.
    if (error instanceof EvalError) return (await import('./interpreted-check.ts')).interpretedCheck(known)
    throw new OutputError(`The schema cannot be checked: ${(error as Error).message}`, { cause: error })
  }
}

/** The value of an answer in JSON. Throws OutputError. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const why = (error as Error).message
    throw new OutputError(`The answer is not JSON (${why}); it may have been cut. It begins: ${begin(text)}`, {
      cause: error,
      text,
    })
  }
}

const begin = (text: string) => JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)

/** One class serves all dialects: what older ones write otherwise is rewritten. */
async function validatorFor(schema: unknown): Promise<[Validator, unknown]> {
  const formats = (await import('ajv-formats')).default as unknown as (validator: Validator) => void
  const { Ajv2020 } = await import('ajv/dist/2020.js')
  const regExp = Object.assign((pattern: string) => compilePattern(pattern), { code: 'new RegExp' })
  const validator = new (Ajv2020 as unknown as ValidatorClass)({
    strict: false,
    validateSchema: false,
    logger: false,
    // 0.07 is a multiple of 0.01, whatever 0.07 / 0.01 gives.
    multipleOfPrecision: 5,
    code: { regExp },
  })
  formats(validator)
  return [validator, modern(schema)]
}

/** Objects of schemas: their keys are names. */
const MAPS: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
])
/** Values as they are. */
const DATA: ReadonlySet<string> = new Set(['enum', 'const', 'default', 'examples', 'example'])

/** A copy in which flags of draft 4 and lists of `items` are what later drafts have. */
function modern(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(modern)
  if (!isObject(schema)) return schema
  const { exclusiveMinimum: above, exclusiveMaximum: below, minimum, maximum } = schema
  const fields = Object.entries(schema).flatMap(([key, value]): [string, unknown][] => {
    if (DATA.has(key)) return [[key, value]]
    if (MAPS.has(key) && isObject(value)) {
      return [[key, Object.fromEntries(Object.entries(value).map(([name, part]) => [name, modern(part)]))]]
    }
    if (key === '$schema') return []
    if (key === 'exclusiveMinimum' && typeof value === 'boolean') return value ? [[key, minimum]] : []
    if (key === 'exclusiveMaximum' && typeof value === 'boolean') return value ? [[key, maximum]] : []
    if (key === 'minimum' && above === true) return []
    if (key === 'maximum' && below === true) return []
    if ((key === 'id' || key === '$id') && typeof value === 'string') {
      // A pointer is no name. Generators write them into every part, some twice, which the validator takes for two schemas of one name.
      return value.startsWith('#/') ? [] : [['$id', value]]
    }
    if (key === 'required' && typeof value === 'boolean') return []
    // Without a type it says nothing, and the validator takes it for a mistake.
    if (key === 'nullable' && schema.type === undefined) return []
    return [[key, modern(value)]]
  })
  const copy = Object.fromEntries(fields)
  if (!Array.isArray(copy.items)) return copy
  const { items, additionalItems, ...others } = copy
  return { ...others, prefixItems: items, ...(additionalItems !== undefined && { items: additionalItems }) }
}
