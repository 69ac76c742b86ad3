/** Errors in Anthropic's form. */
import { z } from 'zod'
import type { Failure, FailureKind } from '../failure.ts'

const TYPES: Readonly<Record<FailureKind, string>> = {
  invalid: 'invalid_request_error',
  unauthorized: 'authentication_error',
  forbidden: 'permission_error',
  missing: 'not_found_error',
  method: 'invalid_request_error',
  tooLarge: 'request_too_large',
  encoding: 'invalid_request_error',
  busy: 'rate_limit_error',
  gone: 'invalid_request_error',
  engine: 'api_error',
  unsupported: 'invalid_request_error',
  unavailable: 'overloaded_error',
  timeout: 'timeout_error',
  diskFull: 'api_error',
}

export const FailureBody = z.looseObject({
  type: z.literal('error'),
  error: z.looseObject({ type: z.string(), message: z.string(), code: z.string(), param: z.string().nullable() }),
})

/** Anthropic's form of an error, of a response and of an event; the other dialects' code and numbers are beside it. */
export function failed(failure: Failure): unknown {
  const { kind, param, code, more } = failure
  return { type: 'error', error: { type: TYPES[kind], message: messageOf(failure), code, param, ...more } }
}

/** Agents read the numbers of an overflow out of these words. */
function messageOf({ message, code, more }: Failure): string {
  if (code !== 'context_length_exceeded') return message
  const { n_prompt_tokens: tokens, n_ctx: most } = more
  return `prompt is too long: ${tokens} tokens > ${most} maximum`
}
