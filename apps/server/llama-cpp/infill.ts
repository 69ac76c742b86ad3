/** llama.cpp's /infill: what goes between two texts; and its /completion, a text to be continued. */
import { z } from 'zod'
import type { InfillInput, TextInput } from '../answers/ask.ts'
import type { AnswerTimings, DrawnToken, EndReason, TokenChance, TokenCounts } from '../answers/events.ts'
import { readKnobs } from '../answers/knobs.ts'
import { leftOut } from '../answers/left-out.ts'
import { wireChance, withLikeliest } from '../answers/logprobs.ts'
import { refuseFields, refuseSeveral } from '../answers/refused.ts'
import { timingsOf } from '../answers/timings.ts'
import { whole } from '../answers/whole.ts'
import { invalid } from '../failure.ts'
import { type Dialect, type Endpoint, endpoint } from '../http/dialect.ts'
import type { Exchange } from '../http/exchange.ts'
import { json, withIgnored } from '../http/respond.ts'
import { stream } from '../http/stream.ts'
import { type Begun, READY_MS, type Service } from '../service/service.ts'

const Common = {
  model: z.string().nullish(),
  stream: z.boolean().nullish(),
  cache_salt: z.string().nullish(),
  id_slot: z.int().min(-1).nullish(),
  /** llama.cpp has no bound. */
  n_probs: z.int().min(0).max(100).nullish(),
}
const InfillBody = z.looseObject({
  ...Common,
  input_prefix: z.string().nullish(),
  input_suffix: z.string().nullish(),
  /** What the line already has before the gap: editors send it apart. */
  prompt: z.string().nullish(),
  /** Other files. */
  input_extra: z.array(z.unknown()).nullish(),
})
/** Texts and ids may be mixed. */
const Prompt = z.union([z.string(), z.array(z.union([z.string(), z.int().min(0)]))], {
  error: 'expected a text, or a list of texts and token ids that are one prompt',
})
const CompletionBody = z.looseObject({ ...Common, prompt: Prompt.nullish() })
type Body = z.infer<typeof InfillBody> | z.infer<typeof CompletionBody>

export function infillEndpoints(service: Service, dialect: Pick<Dialect, 'failed'>): readonly Endpoint[] {
  const answered = async (exchange: Exchange<Body>, input: InfillInput | TextInput) => {
    const { body } = exchange
    refuseFields(body)
    refuseSeveral(body)
    const { n_probs: probs } = body
    const begun = service.begin(exchange, {
      ...{ model: body.model, salt: body.cache_salt, slot: body.id_slot, input },
      options: { ...readKnobs(body), ...(probs && { logprobs: probs }) },
    })
    const chances = (tokens: readonly DrawnToken[]) =>
      probs ? { completion_probabilities: tokens.map(probabilityOf) } : {}
    if (!body.stream) {
      const { texts, usage, timings } = await whole(begun.events)
      const [answer] = texts
      const { reasoning = '', text = '', tokens = [] } = answer ?? {}
      return json({ ...lastOf(begun, answer, usage, timings), content: `${reasoning}${text}`, ...chances(tokens) })
    }
    await begun.ready(READY_MS)
    return stream(exchange, { dialect, pingMs: service.pingMs }, async writer => {
      let end: Ended | undefined
      let drawn: DrawnToken[] = []
      for await (const event of begun.events) {
        if (event.type === 'logprobs') drawn.push(...event.tokens)
        else if (event.type === 'text' || event.type === 'reasoning') {
          await writer.send({ content: event.text, stop: false, ...chances(drawn) })
          drawn = []
        } else if (event.type === 'finished') end = event
        else if (event.type === 'usage') {
          await writer.send({ ...lastOf(begun, end, event.usage, event.timings), content: '' })
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
      run: async exchange => {
        const { input_prefix: prefix, input_suffix: suffix, prompt, input_extra: extra } = exchange.body
        const input = { prefix: `${prefix ?? ''}${prompt ?? ''}`, suffix: suffix ?? '' }
        const response = await answered(exchange, { kind: 'infill', ...input })
        return withIgnored(response, [...(extra?.length ? ['input_extra'] : []), ...leftOut(exchange.body)])
      },
    }),
    endpoint({
      method: 'POST',
      path: '/completion',
      summary: 'Continues a text',
      body: CompletionBody,
      run: async exchange => {
        const response = await answered(exchange, { kind: 'text', prompt: await readPrompt(service, exchange) })
        return withIgnored(response, leftOut(exchange.body))
      },
    }),
  ]
}

/** Ids are read as they are; a text among them becomes its own. */
async function readPrompt(service: Service, exchange: Exchange<z.infer<typeof CompletionBody>>) {
  const { prompt, model } = exchange.body
  if (prompt === null || prompt === undefined) throw invalid('prompt is missing; expected a text', 'prompt')
  if (typeof prompt === 'string') return prompt
  if (prompt.every(part => typeof part === 'number')) return prompt
  if (prompt.length > 1 && prompt.every(part => typeof part === 'string')) {
    throw invalid('prompt has several texts, each a prompt; expected one, or send them to /v1/completions', 'prompt')
  }
  return service.use(exchange, model, prompt.length, async ({ engine }) => {
    const ids = await Promise.all(
      prompt.map((part, i) =>
        typeof part === 'number' ? [part] : engine.tokenize(part, { addSpecialTokens: i === 0 }),
      ),
    )
    return ids.flat()
  })
}

/** Why a text ended. */
interface Ended {
  readonly reason: EndReason
  readonly stopSequence: string | null
}

function lastOf({ slot, model }: Begun, end: Ended | undefined, usage: TokenCounts, timings: AnswerTimings) {
  const { reason = 'stop', stopSequence: word = null } = end ?? {}
  const stopType = word !== null ? 'word' : reason === 'stop' ? 'eos' : 'limit'
  return {
    ...{ stop: true, stop_type: stopType, stopping_word: word ?? '', truncated: false },
    ...{ id_slot: slot, model },
    ...{ tokens_predicted: usage.completion, tokens_evaluated: usage.prompt, tokens_cached: usage.cached },
    timings: timingsOf(usage, timings),
  }
}

/** OpenAI's form, with ids. */
const probabilityOf = (token: DrawnToken) => withLikeliest(token, chanceOf)
const chanceOf = (chance: TokenChance) => ({ id: chance.id, ...wireChance(chance) })
