import type { Failure } from '../failure.ts'

/** Clients print it as it is, so it is a text. */
export function failed({ message, code }: Failure): unknown {
  return { error: message, code }
}
