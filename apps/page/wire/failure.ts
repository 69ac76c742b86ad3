import { number, object, parse, text } from './json.ts'

/** What the page does about a failure: ask for a key, offer another try, or only report it. */
export type FailureKind = 'key' | 'busy' | 'context' | 'request' | 'server' | 'network' | 'broken'

/** A failure as the page shows it: `message` is one or two sentences for the reader. */
export class Failure extends Error {
  readonly kind: FailureKind

  constructor(kind: FailureKind, message: string) {
    super(message)
    this.name = 'Failure'
    this.kind = kind
  }
}

const SILENT = 'The server does not answer. See that it still runs, then try again.'
const BROKEN = 'The connection broke before the answer ended. What had arrived is kept.'

export function brokenStream(): Failure {
  return new Failure('broken', BROKEN)
}

/** A failure of `fetch` or of reading its body; anything that is one already passes. */
export function networkFailure(cause: unknown, begun: boolean): Failure {
  if (cause instanceof Failure) return cause
  return begun ? brokenStream() : new Failure('network', SILENT)
}

/** An answer that is no success, by its status and the error in its body. */
export async function refusal(response: Response): Promise<Failure> {
  const body = await response.text().catch(() => '')
  return refusalOf(response.status, body, response.headers.get('retry-after'))
}

export function refusalOf(status: number, body: string, retryAfter: string | null): Failure {
  const error = object(object(parse(body)).error)
  const said = sentence(text(error.message))
  if (status === 401)
    return new Failure('key', said ?? 'The server asks for an API key, and the one it got is missing or wrong.')
  if (error.code === 'context_length_exceeded') return new Failure('context', contextSentence(error, said))
  if (status === 413) return new Failure('request', said ?? 'The conversation is larger than the server accepts.')
  if (status === 429) return new Failure('busy', `The server is busy. Try again ${soon(retryAfter)}.`)
  if (status === 503) return new Failure('busy', `${said ?? 'The server is not ready.'} Try again ${soon(retryAfter)}.`)
  if (status === 404 && said === undefined)
    return new Failure('server', 'The server has no such address. Is it latentkit that answers here?')
  if (status >= 500) return new Failure('server', said ?? `The server failed (status ${status}).`)
  return new Failure('request', said ?? `The server refused the request (status ${status}).`)
}

/** An error event inside a stream, whose beginning is kept. */
export function streamedError(value: unknown): Failure {
  const error = object(value)
  const said = sentence(text(error.message))
  if (error.code === 'context_length_exceeded') return new Failure('context', contextSentence(error, said))
  return new Failure('server', said ?? 'The server failed while it answered.')
}

function contextSentence(error: Record<string, unknown>, said: string | undefined): string {
  const limit = number(error.n_ctx)
  const needed = number(error.n_prompt_tokens)
  const facts =
    limit !== undefined && needed !== undefined
      ? `The conversation has ${needed.toLocaleString('en')} tokens, and the model reads ${limit.toLocaleString('en')}.`
      : (said ?? 'The conversation is longer than the model reads.')
  return `${facts} Edit an earlier message, or begin a new conversation.`
}

function soon(retryAfter: string | null): string {
  const seconds = Number(retryAfter)
  return retryAfter !== null && seconds > 0 ? `in ${seconds} s` : 'in a moment'
}

/** The server's own words, as a sentence. */
function sentence(message: string | undefined): string | undefined {
  if (message === undefined || message.trim() === '') return undefined
  const trimmed = message.trim()
  const begun = trimmed[0]!.toUpperCase() + trimmed.slice(1)
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`
}
