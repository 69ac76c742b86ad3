/** /openapi.json: what all dialects have, from the schemas that check it. */
import { z } from 'zod'
import type { Dialect, Endpoint } from './dialect.ts'

const ANSWERS = {
  200: { description: 'The answer; a stream of events where one was asked for.' },
  400: { description: 'The request is wrong: the message says where.' },
  401: { description: 'A key is needed.' },
  404: { description: 'There is no such model.' },
  429: { description: 'The queue is full; Retry-After says when to come again.' },
  503: { description: 'The model is loading, or the server is stopping.' },
}

export function openApi(dialects: readonly Dialect[], version: string): unknown {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const { name, endpoints } of dialects) {
    for (const endpoint of endpoints) {
      const path = endpoint.path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}')
      paths[path] = { ...paths[path], [endpoint.method.toLowerCase()]: operation(name, endpoint) }
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

function operation(dialect: string, { path, summary, body, emptyBody = false }: Endpoint): unknown {
  const parameters = [...path.matchAll(/:(\w+)/g)].map(([, name]) => {
    return { name, in: 'path', required: true, schema: { type: 'string' } }
  })
  return {
    summary,
    tags: [dialect],
    ...(parameters.length > 0 && { parameters }),
    ...(body && {
      requestBody: { required: !emptyBody, content: { 'application/json': { schema: schemaOf(body) } } },
    }),
    responses: ANSWERS,
  }
}

function schemaOf(body: NonNullable<Endpoint['body']>): unknown {
  const { $schema: _, ...schema } = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' })
  return schema
}
