/** Ollama's API: chat, generate, embed, and what models there are. */
import type { Dialect } from '../http/dialect.ts'
import type { Service } from '../service/service.ts'
import { chatEndpoint } from './chat.ts'
import { embedEndpoints } from './embed.ts'
import { FailureBody, failed } from './failed.ts'
import { generateEndpoint } from './generate.ts'
import { modelEndpoints } from './models.ts'
import { storeEndpoints } from './store.ts'

export function ollama(service: Service): Dialect {
  return {
    name: 'ollama',
    owns: path => path.startsWith('/api/'),
    failed,
    failure: FailureBody,
    stream: 'application/x-ndjson',
    endpoints: [
      chatEndpoint(service),
      generateEndpoint(service),
      ...embedEndpoints(service),
      ...modelEndpoints(service),
      ...storeEndpoints(),
    ],
  }
}
