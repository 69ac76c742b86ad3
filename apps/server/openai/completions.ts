/** /v1/completions: a text, or several, to be continued. */
import type { AnswerEvent, AnswerTimings, DrawnToken, TokenCounts } from '../answers/events.ts'
import { readKnobs } from '../answers/knobs.ts'
import { leftOut } from '../answers/left-out.ts'
import { refuseFields } from '../answers/refused.ts'
import { timingsOf } from '../answers/timings.ts'
import { whole } from '../answers/whole.ts'
import { invalid } from '../failure.ts'
import { type Dialect, type Endpoint, endpoint } from '../http/dialect.ts'
import type { Exchange } from '../http/exchange.ts'
import { json, withIgnored } from '../http/respond.ts'
import { newId, now } from '../http/stamp.ts'
import { stream } from '../http/stream.ts'
import { type Begun, READY_MS, type Service } from '../service/service.ts'
import { finishReason, usageOf } from './parts.ts'
import { readResponseFormat } from './read-chat.ts'
import { CompletionBody } from './request.ts'

/** Most texts of one request. */
const MAX_PROMPTS = 64

export function completionsEndpoint(service: Service, dialect: Pick<Dialect, 'failed'>): Endpoint {
  return endpoint({
    method: 'POST',
    path: '/v1/completions',
    summary: 'Continues a text',
    body: CompletionBody,
    run: async exchange => {
      const { body } = exchange
      refuseFields(body)
      const prompts = await readPrompts(service, exchange)
      const n = body.n ?? 1
      const all = prompts.map(prompt => service.begin(exchange, question(body, prompt, n)))
      const frame = new Frame(body, prompts, all as [Begun, ...Begun[]], n)
      const ignored = leftOut(body)
      if (!body.stream) return withIgnored(json(await frame.whole()), ignored)
      await Promise.all(all.map(begun => begun.ready(READY_MS)))
      const response = stream(exchange, { dialect, pingMs: service.pingMs }, async writer => {
        for await (const chunk of frame.chunks()) await writer.send(chunk)
        await writer.send('[DONE]')
      })
      return withIgnored(response, ignored)
    },
  })
}

function question(body: CompletionBody, { prompt, text }: Prompt, n: number) {
  const { suffix, logprobs, response_format: format } = body
  const input = suffix ? ({ kind: 'infill', prefix: text, suffix } as const) : ({ kind: 'text', prompt } as const)
  const options = {
    ...readKnobs(body),
    ...readResponseFormat(format),
    ...(typeof logprobs === 'number' && { logprobs }),
  }
  return { model: body.model, salt: body.cache_salt, slot: body.id_slot, input, n, options }
}

interface Prompt {
  /** Ids are read as they are: as a text they may be others. */
  readonly prompt: string | readonly number[]
  /** For what shows it, or needs a text; of ids '' where nothing does. */
  readonly text: string
}

const asText = (text: string): Prompt => ({ prompt: text, text })

async function readPrompts(service: Service, exchange: Exchange<CompletionBody>): Promise<readonly Prompt[]> {
  const { prompt, model, echo, suffix } = exchange.body
  if (prompt === null || prompt === undefined) throw invalid('prompt is missing; expected a text', 'prompt')
  if (typeof prompt === 'string') return [asText(prompt)]
  if (prompt.length === 0 || prompt.length > MAX_PROMPTS) {
    throw invalid(`prompt has ${prompt.length} entries; expected 1 to ${MAX_PROMPTS}`, 'prompt')
  }
  if (typeof prompt[0] === 'string') return (prompt as readonly string[]).map(asText)
  const lists = (typeof prompt[0] === 'number' ? [prompt] : prompt) as readonly (readonly number[])[]
  if (!echo && !suffix) return lists.map(ids => ({ prompt: ids, text: '' }))
  const tokens = lists.reduce((sum, ids) => sum + ids.length, 0)
  return service.use(exchange, model, tokens, ({ engine }) =>
    Promise.all(lists.map(async ids => ({ prompt: ids, text: await engine.detokenize(ids) }))),
  )
}

class Frame {
  readonly #id = newId('cmpl-')
  readonly #created = now()
  readonly #body: CompletionBody
  readonly #prompts: readonly Prompt[]
  readonly #all: readonly [Begun, ...Begun[]]
  readonly #n: number

  constructor(body: CompletionBody, prompts: readonly Prompt[], all: readonly [Begun, ...Begun[]], n: number) {
    this.#body = body
    this.#prompts = prompts
    this.#all = all
    this.#n = n
  }

  async whole(): Promise<unknown> {
    const answers = await Promise.all(this.#all.map(({ events }) => whole(events)))
    const choices = answers.flatMap(({ texts }, p) =>
      texts.map(({ reasoning, text, tokens, reason }, choice) => ({
        index: p * this.#n + choice,
        text: `${this.#echo(p)}${reasoning}${text}`,
        logprobs: this.#logprobs(tokens, 0),
        finish_reason: finishReason(reason),
      })),
    )
    const { usage, timings } = sum(answers)
    return { ...this.#head(), choices, usage: usageOf(usage), timings: timingsOf(usage, timings) }
  }

  async *chunks(): AsyncIterable<unknown> {
    const ends: { usage: TokenCounts; timings: AnswerTimings }[] = []
    for (const [p, { events }] of this.#all.entries()) {
      const drawn: DrawnToken[][] = []
      const at: number[] = []
      for await (const event of events) {
        if (event.type === 'usage') ends.push(event)
        else yield* this.#chunk(event, p, drawn, at)
      }
    }
    if (!this.#body.stream_options?.include_usage) return
    const { usage, timings } = sum(ends)
    yield { ...this.#head(), choices: [], usage: usageOf(usage), timings: timingsOf(usage, timings) }
  }

  *#chunk(event: AnswerEvent, p: number, drawn: DrawnToken[][], at: number[]): Iterable<unknown> {
    const index = (choice: number) => p * this.#n + choice
    const made = (choice: number, text: string, finish_reason: string | null = null) => {
      const shown = at[choice] === undefined ? `${this.#echo(p)}${text}` : text
      const offset = at[choice] ?? 0
      const logprobs = this.#logprobs(drawn[choice] ?? [], offset)
      at[choice] = offset + text.length
      drawn[choice] = []
      return {
        ...this.#head(),
        choices: [{ index: index(choice), text: shown, logprobs, finish_reason }],
        ...(this.#body.stream_options?.include_usage && { usage: null }),
      }
    }
    switch (event.type) {
      case 'logprobs':
        drawn[event.choice] = [...(drawn[event.choice] ?? []), ...event.tokens]
        break
      case 'reasoning':
      case 'text':
        yield made(event.choice, event.text)
        break
      case 'finished':
        yield made(event.choice, '', finishReason(event.reason))
        break
    }
  }

  #echo(p: number): string {
    return this.#body.echo ? (this.#prompts[p]?.text ?? '') : ''
  }

  #head() {
    const [{ model }] = this.#all
    return { id: this.#id, object: 'text_completion', created: this.#created, model, system_fingerprint: 'latentkit' }
  }

  /** The older form: lists side by side. `offset`: where the first token's text begins. */
  #logprobs(tokens: readonly DrawnToken[], offset: number) {
    if (typeof this.#body.logprobs !== 'number') return null
    let at = offset
    return {
      tokens: tokens.map(({ text }) => text),
      token_logprobs: tokens.map(({ logprob }) => logprob),
      top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map(({ text, logprob }) => [text, logprob]))),
      text_offset: tokens.map(({ text }) => {
        const begins = at
        at += text.length
        return begins
      }),
    }
  }
}

function sum(all: readonly { readonly usage: TokenCounts; readonly timings: AnswerTimings }[]) {
  const add = (of: (one: TokenCounts) => number) => all.reduce((total, { usage }) => total + of(usage), 0)
  const most = (of: (one: AnswerTimings) => number) => Math.max(0, ...all.map(({ timings }) => of(timings)))
  const speedUp = all[0]?.timings.draftSpeedUp
  return {
    usage: {
      prompt: add(usage => usage.prompt),
      cached: add(usage => usage.cached),
      completion: add(usage => usage.completion),
      reasoning: add(usage => usage.reasoning),
      drafted: add(usage => usage.drafted),
      accepted: add(usage => usage.accepted),
    },
    timings: {
      promptMs: most(timings => timings.promptMs),
      generationMs: most(timings => timings.generationMs),
      firstTokenMs: most(timings => timings.firstTokenMs),
      ...(speedUp !== undefined && { draftSpeedUp: speedUp }),
    },
  }
}
