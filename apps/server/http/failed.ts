/** Errors in OpenAI's form. */
import { z } from 'zod'
import type { Failure, FailureKind } from '../failure.ts'

const TYPES: Readonly<Record<FailureKind, string>> = {
  invalid: 'invalid_request_error',
  unauthorized: 'authentication_error',
  forbidden: 'permission_error',
  missing: 'not_found_error',
  method: 'invalid_request_error',
  tooLarge: 'invalid_request_error',
  encoding: 'invalid_request_error',
  busy: 'rate_limit_error',
  gone: 'invalid_request_error',
  engine: 'server_error',
  unsupported: 'not_supported_error',
  unavailable: 'unavailable_error',
  timeout: 'timeout_error',
  diskFull: 'server_error',
}

export const FailureBody = z.looseObject({
  error: z.looseObject({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }),
})

/** OpenAI's form of an error, which most clients know; with further numbers beside it. */
export function failed({ message, kind, param, code, more }: Failure): unknown {
  return { error: { message, type: TYPES[kind], param, code, ...more } }
}
