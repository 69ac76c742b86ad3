/** How the program ends: codes, and errors in one sentence. */
import { FLAG_NAMES } from './options/engine-flags.ts'
import { colours } from './output/colour.ts'

/** Codes of errors that speak of options. */
const OF_OPTIONS: ReadonlySet<string> = new Set(['bad_option', 'context_length', 'cache_full', 'session_mismatch'])

/** Documented in `latentkit --help`. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

/** The user's own mistake in calling the program. */
export class UsageError extends Error {}

/** Something went wrong that is told in one sentence and is no defect of latentkit. */
export class CliError extends Error {}

/** Standard output cannot be written: nothing that follows would arrive either. */
export class OutputError extends CliError {}

export function exitCodeOf(error: unknown): number {
  if (isInterruption(error)) return EXIT.interrupted
  if (error instanceof UsageError || codeOf(error) === 'bad_option') return EXIT.usage
  return EXIT.failed
}

/** What an AbortController's default reason and ours have in common. */
export function isInterruption(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** One line for stderr, or the stack with `debug`. Errors without a code are ours to repair, and say so. */
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

function messageOf(error: unknown): string {
  if (error instanceof Error && 'tokens' in error && 'contextLength' in error) {
    const { tokens, contextLength } = error
    return `the prompt and what was before it have ${tokens} tokens, and the context is ${contextLength}; shorten it or give a larger --context (in a chat /reset begins anew)`
  }
  return inFlags(oneLine(error instanceof Error ? error.message : String(error)), errorCode(error))
}

/** The engine's and Node's codes as they are; `usage`, `failed` and `defect` are the program's own. */
function errorCode(error: unknown): string {
  if (error instanceof UsageError) return 'usage'
  if (error instanceof CliError) return 'failed'
  return codeOf(error) ?? 'defect'
}

function stackOf(error: Error): string {
  const { cause } = error
  return `${error.stack ?? error.message}${cause instanceof Error ? `\ncaused by ${stackOf(cause)}` : ''}`
}

/** latentkit's errors have a code, and so have Node's about files and networks. */
function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** The engine names its options as programs write them; here they have dashes. */
function inFlags(message: string, code: string): string {
  const flag = (name: string) => (Object.hasOwn(FLAG_NAMES, name) ? (FLAG_NAMES[name] as string) : name)
  const named = message
    .replace(/^[\w.]+(?= is )|(?<=\()\w+(?=\))/g, flag)
    .replace(/^(\w+) and (\w+)(?= were given)/, (_, one: string, other: string) => `${flag(one)} and ${flag(other)}`)
  // Names of two words and more are nothing else; but a template's sentence is its own.
  return OF_OPTIONS.has(code) ? named.replace(/\b[a-z]+[A-Z]\w*\b/g, flag) : named
}

/** A sentence of ours is bounded where it is made; others may hold whatever they were about. */
function oneLine(text: string): string {
  const shown = text.length > 3500 ? `${text.slice(0, 3500)}…` : text
  return shown.replace(/\s*\n\s*/g, ' ').trim()
}
