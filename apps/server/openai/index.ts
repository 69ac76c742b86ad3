/** OpenAI's API: conversations, texts, vectors, models; and what others have beside it under /v1. */
import type { Dialect } from '../http/dialect.ts'
import { FailureBody, failed } from '../http/failed.ts'
import type { Service } from '../service/service.ts'
import { chatEndpoint } from './chat.ts'
import { completionsEndpoint } from './completions.ts'
import { countEndpoints } from './count.ts'
import { embeddingEndpoints } from './embeddings.ts'
import { modelEndpoints } from './models.ts'

export function openai(service: Service): Dialect {
  const words = { failed }
  return {
    name: 'openai',
    owns: path => path.startsWith('/v1/'),
    failed,
    failure: FailureBody,
    endpoints: [
      chatEndpoint(service, words),
      ...countEndpoints(service),
      completionsEndpoint(service, words),
      ...embeddingEndpoints(service),
      ...modelEndpoints(service),
    ],
  }
}
