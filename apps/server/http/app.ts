/** Dialects become an HTTP application: each request is let in, read, checked, run, answered and written down. */
import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { Hono } from 'hono'
import { nearest } from '../../../src/for-apps.ts'
import { VERSION } from '../../../src/index.ts'
import { Failure, failureOf } from '../failure.ts'
import type { Settings } from '../options.ts'
import { readBody } from './body.ts'
import { cors } from './cors.ts'
import type { Dialect, Endpoint } from './dialect.ts'
import type { Exchange } from './exchange.ts'
import { Guard } from './guard.ts'
import { failureFields, type Log } from './log.ts'
import { openApi } from './openapi.ts'
import { refusal } from './respond.ts'

export interface AppOptions {
  readonly settings: Settings
  readonly dialects: readonly Dialect[]
  readonly log: Log
  /** Ends all requests: the time that a stop leaves them is over. */
  readonly ended: AbortSignal
}

const ID = /^[\w.:-]{1,128}$/

export function createApp({ settings, dialects, log, ended }: AppOptions): Hono {
  const app = new Hono()
  const guard = new Guard(settings)
  const others = dialects.at(-1) as Dialect
  const dialectOf = (path: string) => dialects.find(dialect => dialect.owns(path)) ?? others
  const methods = new Map<string, Set<string>>()

  app.use(
    '*',
    cors(origin => guard.allowsOrigin(origin)),
  )

  for (const dialect of dialects) {
    for (const endpoint of dialect.endpoints) {
      const known = methods.get(endpoint.path) ?? new Set()
      methods.set(endpoint.path, known.add(endpoint.method))
      app.on(endpoint.method, endpoint.path, c =>
        serve({ ...{ settings, guard, log, ended, dialect, endpoint }, request: c.req.raw, params: c.req.param() }),
      )
    }
  }
  app.get('/openapi.json', c => c.json(openApi(dialects, VERSION)))
  // What is there, but not by this method.
  for (const [path, allowed] of methods) {
    app.all(path, c => {
      const message = `${c.req.method} ${c.req.path} is not there; expected ${[...allowed].join(' or ')}.`
      const response = refusal(dialectOf(c.req.path), new Failure('method', message, { code: 'method_not_allowed' }))
      response.headers.set('allow', [...allowed].join(', '))
      return response
    })
  }
  const paths = [...methods.keys()].filter(path => !path.includes(':'))
  app.notFound(c => {
    const whole = `/v1${c.req.path}`
    const meant = paths.includes(whole) ? whole : nearest(c.req.path, paths)
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`
    const message = `There is no ${c.req.method} ${c.req.path} here.${hint}`
    const failure = new Failure('missing', message, { code: 'not_found' })
    return refusal(dialectOf(c.req.path), failure)
  })
  app.onError((error, c) => refusal(dialectOf(c.req.path), failureOf(error)))
  return app
}

interface Served {
  readonly settings: Settings
  readonly guard: Guard
  readonly log: Log
  readonly ended: AbortSignal
  readonly dialect: Dialect
  readonly endpoint: Endpoint
  readonly request: Request
  readonly params: Readonly<Record<string, string>>
}

async function serve({ settings, guard, log, ended, dialect, endpoint, request, params }: Served): Promise<Response> {
  const begun = performance.now()
  const url = new URL(request.url)
  const given = request.headers.get('x-request-id') ?? ''
  const id = ID.test(given) ? given : randomUUID()
  const fields: Record<string, unknown> = {}
  const control = new AbortController()
  // Each text of an answer listens; that is no leak.
  setMaxListeners(0, control.signal)
  const gone = () => control.abort(new Failure('gone', 'The client has gone.', { code: 'aborted' }))
  const stopped = () => control.abort(ended.reason)
  const timer = setTimeout(() => {
    control.abort(new DOMException(`The answer took more than ${settings.timeout} s.`, 'TimeoutError'))
  }, settings.timeout * 1000)
  timer.unref()
  let work: Promise<void> = Promise.resolve()
  const run = async () => {
    guard.checkSource(request)
    const owner = endpoint.open ? '' : guard.owner(request.headers)
    const { maxBodyBytes: most } = settings
    const body = endpoint.body && (await readBody(request, endpoint.body, { most, mayBeEmpty: endpoint.emptyBody }))
    if (settings.logPrompts && body !== undefined) fields.body = body
    // After the body: reading it to its end is no sign of a client that leaves.
    if (request.signal.aborted) gone()
    request.signal.addEventListener('abort', gone, { once: true })
    if (ended.aborted) stopped()
    ended.addEventListener('abort', stopped, { once: true })
    const exchange: Exchange = {
      ...{ id, request, path: url.pathname, query: url.searchParams, params, body, owner, signal: control.signal },
      cacheOwner: settings.sharePrompts ? '' : owner,
      abort: reason => control.abort(reason),
      note: more => Object.assign(fields, more),
      hold: held => {
        work = held
      },
    }
    return endpoint.run(exchange)
  }
  let response: Response
  try {
    response = await run()
  } catch (error) {
    const failure = failureOf(error)
    Object.assign(fields, failureFields(failure))
    response = refusal(dialect, failure)
    // Of several answers, the others are nobody's.
    control.abort(failure)
  }
  response.headers.set('x-request-id', id)
  // Where Anthropic's client looks for it.
  response.headers.set('request-id', id)
  const { status } = response
  const over = () => {
    clearTimeout(timer)
    request.signal.removeEventListener('abort', gone)
    ended.removeEventListener('abort', stopped)
    const ms = Math.round(performance.now() - begun)
    const level = fields.cause === undefined ? 'info' : 'error'
    log.line(level, 'request', { id, method: request.method, path: url.pathname, status, ms, ...fields })
  }
  void work.then(over, over)
  return response
}
