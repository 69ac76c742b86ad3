/** How the server is: /health, /metrics, /props. */
import { VERSION } from '../../../src/index.ts'
import { Failure } from '../failure.ts'
import { type Endpoint, endpoint } from '../http/dialect.ts'
import { json } from '../http/respond.ts'
import type { Service } from '../service/service.ts'

export function stateEndpoints(service: Service): readonly Endpoint[] {
  const health = () => {
    if (service.state === 'ready') return json({ status: 'ok' })
    const message = service.state === 'loading' ? 'Loading model' : 'Stopping'
    throw new Failure('unavailable', message, { code: service.state, retryAfter: 2 })
  }
  return [
    endpoint({ method: 'GET', path: '/health', summary: 'Whether it answers', open: true, run: health }),
    endpoint({ method: 'GET', path: '/v1/health', summary: 'Whether it answers', open: true, run: health }),
    endpoint({
      method: 'GET',
      path: '/metrics',
      summary: 'Counters and times, for Prometheus',
      gives: 'text/plain',
      run: async () =>
        new Response(await service.metrics.text(service.settings.metricsAlias), {
          headers: { 'content-type': service.metrics.contentType },
        }),
    }),
    endpoint({
      method: 'GET',
      path: '/props',
      summary: 'What the model and the server are',
      run: ({ query }) => {
        const name = service.models.resolve(query.get('model'))
        const info = service.models.peek(name)?.engine.info ?? null
        const { maxRunning } = service.settings
        return json({
          ...{ model_alias: name, total_slots: maxRunning, build_info: `latentkit ${VERSION}`, model: info },
          ...(info && {
            model_path: info.name,
            has_chat_template: info.hasChatTemplate,
            default_generation_settings: { n_ctx: info.contextLength, params: info.sampling },
          }),
        })
      },
    }),
  ]
}
