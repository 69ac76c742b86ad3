/** One request, as endpoints see it. */
export interface Exchange<Body = unknown> {
  /** `x-request-id` of the request, else one of ours. */
  readonly id: string
  readonly request: Request
  /** The path, without the query. */
  readonly path: string
  readonly query: URLSearchParams
  /** Parts of the path by their names. */
  readonly params: Readonly<Record<string, string>>
  /** Checked against the endpoint's schema; undefined where it has none. */
  readonly body: Body
  /** Aborted when the client has gone, the time is over or the server stops. */
  readonly signal: AbortSignal
  /** Who asks, as a text that tells nothing of the key: '' without keys. */
  readonly owner: string
  /** Whose cached prompts and slots these are: the owner's, '' where all keys share them. */
  readonly cacheOwner: string
  /** Ends what `signal` ends, for a reason of the server's. */
  abort(reason: unknown): void
  /** Fields for the request's line in the log. */
  note(fields: Readonly<Record<string, unknown>>): void
  /** The response is over when this is: what streams gives its work. */
  hold(work: Promise<void>): void
}
