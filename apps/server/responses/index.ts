/** OpenAI's newer API: responses. */
import type { Dialect } from '../http/dialect.ts'
import { FailureBody, failed } from '../http/failed.ts'
import type { Service } from '../service/service.ts'
import { KeptResponses } from './kept.ts'
import { countEndpoint, keptEndpoints, responsesEndpoint } from './responses.ts'

export function responses(service: Service): Dialect {
  const kept = new KeptResponses()
  return {
    name: 'responses',
    owns: path => path === '/v1/responses' || path.startsWith('/v1/responses/'),
    failed,
    failure: FailureBody,
    endpoints: [responsesEndpoint(service, kept), countEndpoint(service, kept), ...keptEndpoints(kept)],
  }
}
