/** llama.cpp's /infill: what goes between two texts; and its /completion, a text to be continued. */
import { z } from 'zod'
import type { InfillInput, TextInput } from '../answers/ask.ts'
import type { AnswerEvent } from '../answers/events.ts'
import { readKnobs } from '../answers/knobs.ts'
import { whole } from '../answers/whole.ts'
import { invalid } from '../failure.ts'
import { type Dialect, type Endpoint, endpoint } from '../http/dialect.ts'
import type { Exchange } from '../http/exchange.ts'
import { json } from '../http/respond.ts'
import { stream } from '../http/stream.ts'
import { READY_MS, type Service } from '../service/service.ts'

const Common = { model: z.string().nullish(), stream: z.boolean().nullish(), cache_salt: z.string().nullish() }
const InfillBody = z.looseObject({ ...Common, input_prefix: z.string().nullish(), input_suffix: z.string().nullish() })
const CompletionBody = z.looseObject({ ...Common, prompt: z.string().nullish() })
type Body = z.infer<typeof InfillBody> | z.infer<typeof CompletionBody>

export function infillEndpoints(service: Service, dialect: Pick<Dialect, 'failed'>): readonly Endpoint[] {
  const answered = async (exchange: Exchange<Body>, input: InfillInput | TextInput) => {
    const { body } = exchange
    const begun = service.begin(exchange, {
      ...{ model: body.model, salt: body.cache_salt, input },
      options: readKnobs(body),
    })
    if (!body.stream) {
      const { texts, usage } = await whole(begun.events)
      const [{ reasoning, text, reason } = { reasoning: '', text: '', reason: 'stop' }] = texts
      return json({ ...lastOf(reason, usage), content: `${reasoning}${text}`, model: begun.model })
    }
    await begun.ready(READY_MS)
    return stream(exchange, { dialect, pingMs: service.pingMs }, async writer => {
      let reason: string = 'stop'
      for await (const event of begun.events) {
        if (event.type === 'text' || event.type === 'reasoning') await writer.send({ content: event.text, stop: false })
        else if (event.type === 'finished') reason = event.reason
        else if (event.type === 'usage') {
          await writer.send({ ...lastOf(reason, event.usage), content: '', model: begun.model })
        }
      }
    })
  }
  return [
    endpoint({
      method: 'POST',
      path: '/infill',
      summary: 'Fills the gap between two texts',
      body: InfillBody,
      run: exchange => {
        const { input_prefix: prefix, input_suffix: suffix } = exchange.body
        return answered(exchange, { kind: 'infill', prefix: prefix ?? '', suffix: suffix ?? '' })
      },
    }),
    endpoint({
      method: 'POST',
      path: '/completion',
      summary: 'Continues a text',
      body: CompletionBody,
      run: exchange => {
        const { prompt } = exchange.body
        if (typeof prompt !== 'string') throw invalid('prompt is missing; expected a text', 'prompt')
        return answered(exchange, { kind: 'text', prompt })
      },
    }),
  ]
}

function lastOf(reason: string, { prompt, cached, completion }: (AnswerEvent & { type: 'usage' })['usage']) {
  return {
    ...{ stop: true, stop_type: reason === 'stop' ? 'eos' : 'limit', truncated: false },
    ...{ tokens_predicted: completion, tokens_evaluated: prompt, tokens_cached: cached },
  }
}
