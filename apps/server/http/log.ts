/** Lines of JSON, one for each request: what was asked of which model and how it went, without prompts. */

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

function shown(_: string, value: unknown): unknown {
  if (value instanceof Error) return value.stack ?? value.message
  return typeof value === 'bigint' ? String(value) : value
}
