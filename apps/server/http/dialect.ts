/** A dialect is the endpoints of one API and its words for what went wrong. Each has a folder; `dialects.ts` lists them. */
import type { ZodType } from 'zod'
import type { Failure } from '../failure.ts'
import type { Exchange } from './exchange.ts'

export interface Endpoint<Body = unknown> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** With `:name` for parts that vary. */
  readonly path: string
  /** For /openapi.json. */
  readonly summary: string
  /** What the body must be; fields beyond it are let through. Default: there is no body. */
  readonly body?: ZodType<Body>
  /** No body is an empty object. Default false. */
  readonly emptyBody?: boolean
  /** The type of its answers, for /openapi.json. Default: JSON; and a stream, where the body has `stream`. */
  readonly gives?: string
  /** False: it is not in /openapi.json, as all it does is to say where this is done. Default true. */
  readonly listed?: boolean
  /** Needs no key. Default false. */
  readonly open?: boolean
  run(exchange: Exchange<Body>): Response | Promise<Response>
}

export interface Dialect {
  readonly name: string
  readonly endpoints: readonly Endpoint[]
  /** Whether a path that no endpoint has is this dialect's to refuse. */
  owns(path: string): boolean
  /** The body of a response, or of an event in a stream, that says what went wrong. */
  failed(failure: Failure): unknown
  /** What `failed` gives. */
  readonly failure: ZodType
  /** The type of its streams. Default `text/event-stream`. */
  readonly stream?: string
}

/** Keeps the type of the body between schema and `run`. */
export function endpoint<Body>(given: Endpoint<Body>): Endpoint {
  return given as unknown as Endpoint
}
