/** Anthropic's API: messages. */
import type { Dialect } from '../http/dialect.ts'
import type { Service } from '../service/service.ts'
import { FailureBody, failed } from './failed.ts'
import { countEndpoint, messagesEndpoint } from './messages.ts'

export function anthropic(service: Service): Dialect {
  return {
    name: 'anthropic',
    owns: path => path === '/v1/messages' || path.startsWith('/v1/messages/'),
    failed,
    failure: FailureBody,
    endpoints: [messagesEndpoint(service, { failed }), countEndpoint(service)],
  }
}
