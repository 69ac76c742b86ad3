/**
 * Checks of JSON schemas that compile nothing to JavaScript: for pages and programs whose policy forbids that
 * (`script-src` without 'unsafe-eval'). Loaded only there: it is slower than ajv.
 */
import { type Schema, Validator } from '@cfworker/json-schema'

/** What is wrong with a value, first where it is; null: nothing. Takes schemas of draft 2020-12. */
export function interpretedCheck(schema: unknown): (value: unknown) => string | null {
  const validator = new Validator(schema as Schema, '2020-12')
  return value => {
    const { valid, errors } = validator.validate(value)
    if (valid) return null
    // Of those of its place the last is the innermost: what a reference holds, not the reference.
    const [{ instanceLocation = '#', error = 'is not allowed' } = {}] = [...errors]
      .reverse()
      .sort((a, b) => b.instanceLocation.length - a.instanceLocation.length)
    return `${instanceLocation.slice(1)} ${error}`.trim()
  }
}
