import { defineError, type LatentkitError } from '../errors.ts'

/** A tokenizer.json or tokenizer_config.json is malformed, or needs something that latentkit does not support. */
export const TokenizerError = defineError('TokenizerError', 'bad_tokenizer')
export type TokenizerError = LatentkitError

/** Describes a wrong value for an error message: `"abc"`, `a list`, `nothing`. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'an object'
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
