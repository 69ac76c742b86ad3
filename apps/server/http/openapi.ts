/** /openapi.json: what all dialects have, from the schemas that check it. */
import { type ZodType, z } from 'zod'
import type { Dialect, Endpoint } from './dialect.ts'

const REFUSALS = {
  400: 'The request is wrong: the message says where.',
  401: 'A key is needed.',
  403: 'The Host or the Origin is not one that may ask.',
  404: 'There is no such model, or nothing of this name.',
  413: 'The body is too long.',
  415: 'The body is compressed.',
  429: 'The queue is full; Retry-After says when to come again.',
  500: 'The server failed; its log has the reason.',
  501: 'This server does not do it as it was started; the message says how it would.',
  503: 'The model is loading, the server is stopping, or its memory is full.',
  504: 'The answer took longer than the server allows.',
  507: 'The disk is full: nothing was saved.',
} as const

export function openApi(dialects: readonly Dialect[], version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const dialect of dialects) {
    for (const endpoint of dialect.endpoints) {
      if (endpoint.listed === false) continue
      const path = endpoint.path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}')
      paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(dialect, endpoint, path) }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'latentkit', version, description: 'Language models on this machine.' },
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    security: [{}, { key: [] }],
    paths,
  }
}

/** `path`: with `{name}` for parts that vary. */
function operation(dialect: Dialect, endpoint: Endpoint, path: string): unknown {
  const { summary, emptyBody = false } = endpoint
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => {
    return { name, in: 'path', required: true, schema: { type: 'string' } }
  })
  const body = endpoint.body && schemaOf(endpoint.body)
  const refused = { 'application/json': { schema: schemaOf(dialect.failure) } }
  return {
    summary,
    tags: [dialect.name],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: !emptyBody, content: { 'application/json': { schema: body } } } }),
    responses: {
      200: { description: 'The answer.', content: answers(dialect, endpoint, body) },
      ...Object.fromEntries(
        Object.entries(REFUSALS).map(([status, description]) => [status, { description, content: refused }]),
      ),
    },
  }
}

function answers({ stream = 'text/event-stream' }: Dialect, { gives }: Endpoint, body: Schema | undefined) {
  if (gives !== undefined) return { [gives]: {} }
  const streams = body?.properties?.stream === undefined ? {} : { [stream]: {} }
  return { 'application/json': {}, ...streams }
}

interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>
}

function schemaOf(type: ZodType): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' })
  return schema
}
