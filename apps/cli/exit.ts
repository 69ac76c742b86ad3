/** How the program ends: exit codes, and error messages. */
import { FLAG_NAMES } from './options/engine-flags.ts'
import { colours } from './output/colour.ts'

/** Codes of errors whose messages mention options. */
const OPTION_ERRORS: ReadonlySet<string> = new Set(['bad_option', 'context_length', 'cache_full', 'session_mismatch'])

/** Documented in `latentkit --help`. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** The user's own mistake in calling the program. */
export class UsageError extends Error {}

/** A failure that is not a defect of latentkit, described in one sentence. */
export class CliError extends Error {}

/** Standard output cannot be written; later output would be lost too. */
export class OutputError extends CliError {}

export function exitCodeOf(error: unknown): number {
  if (isInterruption(error)) return EXIT.interrupted
  if (error instanceof UsageError || codeOf(error) === 'bad_option') return EXIT.usage
  return EXIT.failed
}

/** Whether the error is an abort: an AbortController's default reason, or ours. */
export function isInterruption(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** One line for stderr, or the stack with `debug`. Errors without a code are marked as defects of latentkit. */
export function describeError(error: unknown, debug: boolean): string {
  const c = colours(process.stderr)
  if (debug && error instanceof Error) return `${c.red('error:')} ${stackOf(error)}`
  const hint = errorCode(error) === 'defect' ? c.dim(' (this is a defect of latentkit; --debug shows where)') : ''
  return `${c.red('error:')} ${messageOf(error)}${hint}`
}

/** The same for programs: `{"error":{"code":"context_length","message":"…"}}` on one line. */
export function errorAsJson(error: unknown): string {
  return JSON.stringify({ error: { code: errorCode(error), message: messageOf(error) } })
}

/** The same for a line of a batch, whose options have the names of the API. */
export function errorOfLine(error: unknown): { readonly code: string; readonly message: string } {
  return { code: errorCode(error), message: oneLine(error instanceof Error ? error.message : String(error)) }
}

function messageOf(error: unknown): string {
  if (error instanceof Error && 'tokens' in error && 'contextLength' in error) {
    const { tokens, contextLength } = error
    return `the prompt and what was before it have ${tokens} tokens, and the context is ${contextLength}; shorten it or give a larger --context (in a chat /reset begins anew)`
  }
  return inFlags(oneLine(error instanceof Error ? error.message : String(error)), errorCode(error))
}

/** The engine's and Node's codes unchanged; `usage`, `failed` and `defect` are the program's own. */
function errorCode(error: unknown): string {
  if (error instanceof UsageError) return 'usage'
  if (error instanceof CliError) return 'failed'
  return codeOf(error) ?? 'defect'
}

function stackOf(error: Error): string {
  const { cause } = error
  return `${error.stack ?? error.message}${cause instanceof Error ? `\ncaused by ${stackOf(cause)}` : ''}`
}

/** The code of an error of latentkit, or of Node's for files and networks. */
function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** Rewrites option names in a message as flags: `maxTokens` becomes `--max-tokens`. */
function inFlags(message: string, code: string): string {
  const flag = (name: string) => (Object.hasOwn(FLAG_NAMES, name) ? (FLAG_NAMES[name] as string) : name)
  const named = message
    .replace(/^[\w.]+(?= is )|(?<=\()\w+(?=\))/g, flag)
    .replace(/^(\w+) and (\w+)(?= were given)/, (_, one: string, other: string) => `${flag(one)} and ${flag(other)}`)
  // In other messages only camelCase names are surely options; a template's own message stays unchanged.
  return OPTION_ERRORS.has(code) ? named.replace(/\b[a-z]+[A-Z]\w*\b/g, flag) : named
}

/** Shortens a message to one line. Our own messages are short already; others may quote anything. */
function oneLine(text: string): string {
  const shown = text.length > 3500 ? `${text.slice(0, 3500)}…` : text
  return shown.replace(/\s*\n\s*/g, ' ').trim()
}
