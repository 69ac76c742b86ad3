/** Responses that are whole: JSON and refusals. */
import type { Failure } from '../failure.ts'
import type { Dialect } from './dialect.ts'

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  })
}

/** A failure in a dialect's words. */
export function refusal(dialect: Pick<Dialect, 'failed'>, failure: Failure): Response {
  const headers: Record<string, string> = {}
  if (failure.retryAfter !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(failure.retryAfter)))
  if (failure.kind === 'unauthorized') headers['www-authenticate'] = 'Bearer'
  // Node refuses statuses above 599 and clients know no 499: nobody reads it.
  return json(dialect.failed(failure), failure.status === 499 ? 400 : failure.status, headers)
}

const MAX_WORDS = 1000

/** Says what of a request was left out, where a refusal would break clients. */
export function withIgnored(response: Response, ignored: readonly string[]): Response {
  // Clients choose these words: a header takes few characters, and clients take short ones.
  const words = [...new Set(ignored)].map(word => word.replace(/[^\x21-\x7e]/g, '?')).join(', ')
  if (words !== '') response.headers.set('x-latentkit-ignored', words.slice(0, MAX_WORDS))
  return response
}
