/** A request without a prompt loads the model, or, with keep_alive 0, unloads it. */
import type { Exchange } from '../http/exchange.ts'
import { json } from '../http/respond.ts'
import type { Service } from '../service/service.ts'
import { readKeepAlive } from './keep-alive.ts'
import { head } from './parts.ts'
import type { Asked } from './request.ts'

/** `empty`: where the answer's text would be. */
export async function loadOnly(service: Service, exchange: Exchange<Asked>, empty: object): Promise<Response> {
  const { model, keep_alive: given } = exchange.body
  const keepAlive = readKeepAlive(given)
  const done = { ...head(model), ...empty, done: true }
  if (keepAlive === 0 && !service.models.peek(model)) return json({ ...done, done_reason: 'unload' })
  await service.use(exchange, model, 0, async () => {}, keepAlive)
  return json({ ...done, done_reason: keepAlive === 0 ? 'unload' : 'load' })
}
