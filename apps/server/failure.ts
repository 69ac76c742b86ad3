/** What went wrong with a request, before any dialect's words: a status, a kind, a code, a sentence. */
import {
  CacheFullError,
  ContextLengthError,
  DisposedError,
  GrammarError,
  HubError,
  LatentkitError,
  OptionError,
  OutOfMemoryError,
  OutputError,
  SamplingError,
  SchemaError,
  TemplateError,
  TokenizerError,
  UnsupportedModelError,
} from '../../src/index.ts'

/** Kinds, each with its HTTP status. Dialects have words of their own for them. */
export const STATUS = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  missing: 404,
  method: 405,
  tooLarge: 413,
  encoding: 415,
  busy: 429,
  /** The client has gone: nobody reads the answer. */
  gone: 499,
  engine: 500,
  unsupported: 501,
  unavailable: 503,
  timeout: 504,
  diskFull: 507,
} as const

export type FailureKind = keyof typeof STATUS

export interface FailureDetails extends ErrorOptions {
  /** Stable, for programs: `context_length_exceeded`, `model_not_found` … */
  readonly code: string
  /** The field of the request that is wrong. Default: none is named. */
  readonly param?: string
  /** Seconds after which it is worth asking again. */
  readonly retryAfter?: number
  /** Further fields of the error, such as numbers. */
  readonly more?: Readonly<Record<string, unknown>>
}

export class Failure extends Error {
  readonly kind: FailureKind
  readonly code: string
  readonly param: string | null
  readonly retryAfter: number | undefined
  readonly more: Readonly<Record<string, unknown>>

  constructor(kind: FailureKind, message: string, { code, param, retryAfter, more = {}, ...rest }: FailureDetails) {
    super(message, rest)
    this.name = 'Failure'
    this.kind = kind
    this.code = code
    this.param = param ?? null
    this.retryAfter = retryAfter
    this.more = more
  }

  get status(): number {
    return STATUS[this.kind]
  }
}

/** A field of the request that is wrong. */
export function invalid(message: string, param?: string, code = 'invalid_value'): Failure {
  return new Failure('invalid', message, { code, ...(param !== undefined && { param }) })
}

/** Any error as a failure. Only what the user can act on is told; everything else is a sentence without its text. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof ContextLengthError) return tooLong(error)
  if (error instanceof SchemaError) {
    const more = { schema_path: error.path, schema_keyword: error.keyword }
    return new Failure('invalid', error.message, { code: 'unsupported_schema', cause: error, more })
  }
  for (const [kind, code, known] of KNOWN) {
    if (error instanceof known) return new Failure(kind, (error as Error).message, { code, cause: error })
  }
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new Failure('timeout', 'The answer took longer than this server allows.', { code: 'timeout', cause: error })
  }
  if (error instanceof DOMException && error.name === 'AbortError') {
    return new Failure('gone', 'The request was given up.', { code: 'aborted', cause: error })
  }
  const message = error instanceof LatentkitError ? error.message : 'The server failed; its log has the reason.'
  return new Failure('engine', message, { code: 'engine_error', cause: error })
}

const KNOWN = [
  ['invalid', 'invalid_value', OptionError],
  ['invalid', 'invalid_value', SamplingError],
  ['invalid', 'invalid_grammar', GrammarError],
  ['invalid', 'invalid_messages', TemplateError],
  ['invalid', 'invalid_value', TokenizerError],
  ['invalid', 'unsupported_by_model', UnsupportedModelError],
  ['missing', 'model_not_found', HubError],
  ['unavailable', 'out_of_cache', CacheFullError],
  ['unavailable', 'out_of_memory', OutOfMemoryError],
  ['unavailable', 'model_unloaded', DisposedError],
  ['engine', 'invalid_output', OutputError],
] as const

/** In the words that agents look for. */
function tooLong(error: ContextLengthError): Failure {
  const { tokens = 0, contextLength = 0 } = error
  const message =
    `This model's maximum context length is ${contextLength} tokens. However, you requested ${tokens} tokens. ` +
    'Please reduce the length of the messages.'
  const more = { n_prompt_tokens: tokens, n_ctx: contextLength }
  return new Failure('invalid', message, { code: 'context_length_exceeded', param: 'messages', cause: error, more })
}
