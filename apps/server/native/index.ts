/** The server's own endpoints, and llama.cpp's: health, metrics, tokens, texts. */
import type { Dialect } from '../http/dialect.ts'
import { FailureBody, failed } from '../http/failed.ts'
import type { Service } from '../service/service.ts'
import { infillEndpoints } from './infill.ts'
import { slotEndpoints } from './slots.ts'
import { stateEndpoints } from './state.ts'
import { tokenEndpoints } from './tokens.ts'

export function native(service: Service): Dialect {
  return {
    name: 'native',
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
