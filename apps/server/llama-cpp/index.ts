/** The endpoints that llama.cpp's server has beside OpenAI's: health, metrics, tokens, slots, gaps. */
import type { Dialect } from '../http/dialect.ts'
import { FailureBody, failed } from '../http/failed.ts'
import type { Service } from '../service/service.ts'
import { infillEndpoints } from './infill.ts'
import { slotEndpoints } from './slots.ts'
import { stateEndpoints } from './state.ts'
import { tokenEndpoints } from './tokens.ts'

export function llamaCpp(service: Service): Dialect {
  return {
    name: 'llama.cpp',
    owns: () => false,
    failed,
    failure: FailureBody,
    endpoints: [
      ...stateEndpoints(service),
      ...slotEndpoints(service),
      ...tokenEndpoints(service),
      ...infillEndpoints(service, { failed }),
    ],
  }
}
