import { z } from 'zod'
import type { Failure } from '../failure.ts'

export const FailureBody = z.looseObject({ error: z.string(), code: z.string() })

/** Clients print it as it is, so it is a text. */
export function failed({ message, code }: Failure): unknown {
  return { error: message, code }
}
