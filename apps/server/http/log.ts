/** Lines of JSON, one for each request: what was asked of which model and how it went, without prompts. */
import type { Failure } from '../failure.ts'

export class Log {
  readonly #write: (line: string) => void

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  /** `fields` without those that are undefined; an error by its stack. */
  line(level: 'info' | 'warn' | 'error', message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.#write(JSON.stringify({ time: new Date().toISOString(), level, message, ...fields }, shown))
  }
}

/** What a request's line says of its failure; the cause where it is the server's. */
export function failureFields(failure: Failure): Readonly<Record<string, unknown>> {
  const { kind, code: error, message: reason, cause = failure } = failure
  return { error, reason, ...(kind === 'engine' && { cause }) }
}

function shown(_: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'bigint' ? String(value) : value
}
