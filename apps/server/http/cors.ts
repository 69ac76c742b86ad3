/** What pages of other origins are told: CORS. Who they are is the guard's. */
import type { MiddlewareHandler } from 'hono'

export function cors(allows: (origin: string) => boolean): MiddlewareHandler {
  return async (c, next) => {
    const origin = c.req.header('origin')
    const allowed = origin !== undefined && allows(origin)
    if (c.req.method === 'OPTIONS' && allowed) return preflight(origin)
    await next()
    if (!allowed) return
    c.res.headers.set('access-control-allow-origin', origin)
    c.res.headers.set('access-control-expose-headers', 'x-request-id, request-id, x-latentkit-ignored, retry-after')
    c.res.headers.append('vary', 'origin')
  }
}

function preflight(origin: string): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': '*, authorization',
      'access-control-max-age': '600',
      vary: 'origin',
    },
  })
}
