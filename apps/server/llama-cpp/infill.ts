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
import { type Begun, READY_MS, type Service } from '../service/service.ts'

const Common = {
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  cache_salt: z.string().nullish(),
  id_slot: z.int().min(-1).nullish(),
}
const InfillBody = z.looseObject({ ...Common, input_prefix: z.string().nullish(), input_suffix: z.string().nullish() })
/** Texts and ids may be mixed. */
const Prompt = z.union([z.string(), z.array(z.union([z.string(), z.int().min(0)]))])
const CompletionBody = z.looseObject({ ...Common, prompt: Prompt.nullish() })
type Body = z.infer<typeof InfillBody> | z.infer<typeof CompletionBody>

export function infillEndpoints(service: Service, dialect: Pick<Dialect, 'failed'>): readonly Endpoint[] {
  const answered = async (exchange: Exchange<Body>, input: InfillInput | TextInput) => {
    const { body } = exchange
    const begun = service.begin(exchange, {
      ...{ model: body.model, salt: body.cache_salt, slot: body.id_slot, input },
      options: readKnobs(body),
    })
    if (!body.stream) {
      const { texts, usage } = await whole(begun.events)
      const [{ reasoning, text, reason } = { reasoning: '', text: '', reason: 'stop' }] = texts
      return json({ ...lastOf(begun, reason, usage), content: `${reasoning}${text}` })
    }
    await begun.ready(READY_MS)
    return stream(exchange, { dialect, pingMs: service.pingMs }, async writer => {
      let reason: string = 'stop'
      for await (const event of begun.events) {
        if (event.type === 'text' || event.type === 'reasoning') await writer.send({ content: event.text, stop: false })
        else if (event.type === 'finished') reason = event.reason
        else if (event.type === 'usage') {
          await writer.send({ ...lastOf(begun, reason, event.usage), content: '' })
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
      run: async exchange => answered(exchange, { kind: 'text', prompt: await readPrompt(service, exchange) }),
    }),
  ]
}

/** Ids are read as they are; a text among them becomes its own. */
async function readPrompt(service: Service, exchange: Exchange<z.infer<typeof CompletionBody>>) {
  const { prompt, model } = exchange.body
  if (prompt === null || prompt === undefined) throw invalid('prompt is missing; expected a text', 'prompt')
  if (typeof prompt === 'string') return prompt
  if (prompt.every(part => typeof part === 'number')) return prompt
  return service.use(exchange, model, prompt.length, async ({ engine }) => {
    const ids = await Promise.all(
      prompt.map((part, i) =>
        typeof part === 'number' ? [part] : engine.tokenize(part, { addSpecialTokens: i === 0 }),
      ),
    )
    return ids.flat()
  })
}

function lastOf(
  { slot, model }: Begun,
  reason: string,
  { prompt, cached, completion }: (AnswerEvent & { type: 'usage' })['usage'],
) {
  return {
    ...{ stop: true, stop_type: reason === 'stop' ? 'eos' : 'limit', truncated: false },
    ...{ id_slot: slot, model },
    ...{ tokens_predicted: completion, tokens_evaluated: prompt, tokens_cached: cached },
  }
}
