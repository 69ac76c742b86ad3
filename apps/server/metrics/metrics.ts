/** What is counted, in vLLM's words after our prefix. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { AnswerEvent } from '../answers/events.ts'
import { failureOf } from '../failure.ts'

const PREFIX = 'latentkit_'
const SECONDS = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160]
const TOKENS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000]

/** What is told of one answer. */
export interface CountedAnswer {
  /** Its turn has come and its model is there. */
  begun(): void
  event(event: AnswerEvent): void
  /** With the error that ended it; null: it ended well. */
  ended(error: unknown): void
}

/** Numbers that are read when metrics are. */
export interface LiveNumbers {
  readonly running: () => number
  readonly waiting: () => number
  /** By model, 0 to 1. */
  readonly cacheUse: () => Promise<ReadonlyMap<string, number>>
}

export class Metrics {
  readonly #registry = new Registry()
  readonly #promptTokens = this.#counter('prompt_tokens', 'Tokens of prompts.')
  readonly #generationTokens = this.#counter('generation_tokens', 'Tokens that were written.')
  readonly #cacheQueries = this.#counter('prefix_cache_queries', 'Tokens of prompts that were looked for in the cache.')
  readonly #cacheHits = this.#counter('prefix_cache_hits', 'Tokens of prompts that were cached.')
  readonly #success = this.#counter('request_success', 'Answers that ended well.', ['finished_reason'])
  readonly #aborted = this.#counter('requests_aborted', 'Answers that were given up.')
  readonly #failed = this.#counter('request_failure', 'Answers that failed.', ['code'])
  readonly #firstToken = this.#histogram('time_to_first_token_seconds', 'From the request to the first token.', SECONDS)
  readonly #gap = this.#histogram('inter_token_latency_seconds', 'Between two pieces of a text.', SECONDS)
  readonly #whole = this.#histogram('e2e_request_latency_seconds', 'From the request to the last token.', SECONDS)
  readonly #queue = this.#histogram('request_queue_time_seconds', 'Waiting for a turn and for the model.', SECONDS)
  readonly #prefill = this.#histogram('request_prefill_time_seconds', 'Reading the prompt.', SECONDS)
  readonly #decode = this.#histogram('request_decode_time_seconds', 'From the first token to the last.', SECONDS)
  readonly #prompts = this.#histogram('request_prompt_tokens', 'Tokens of a prompt.', TOKENS)
  readonly #texts = this.#histogram('request_generation_tokens', 'Tokens of an answer.', TOKENS)

  constructor({ running, waiting, cacheUse }: LiveNumbers) {
    this.#gauge('num_requests_running', 'Answers that are being written.', running)
    this.#gauge('num_requests_waiting', 'Requests that wait.', waiting)
    new Gauge({
      name: `${PREFIX}kv_cache_usage_perc`,
      help: 'The share of the cache that texts under way hold, 0 to 1.',
      labelNames: ['model_name'],
      registers: [this.#registry],
      async collect() {
        this.reset()
        for (const [model, share] of await cacheUse()) this.set({ model_name: model }, share)
      },
    })
  }

  /** A number that is asked for when metrics are read. */
  #gauge(name: string, help: string, read: () => number): void {
    const collect = function (this: Gauge) {
      this.set(read())
    }
    new Gauge({ name: PREFIX + name, help, registers: [this.#registry], collect })
  }

  answer(model: string): CountedAnswer {
    const labels = { model_name: model }
    const asked = performance.now()
    let begun = asked
    /** When the last piece of each text came. */
    const last: number[] = []
    let reason = 'stop'
    const since = (then: number, now = performance.now()) => (now - then) / 1000
    return {
      begun: () => {
        begun = performance.now()
        this.#queue.observe(labels, since(asked, begun))
      },
      event: event => {
        switch (event.type) {
          case 'text':
          case 'reasoning':
          case 'call-begun':
          case 'call-arguments': {
            const now = performance.now()
            const before = last[event.choice]
            if (before !== undefined) this.#gap.observe(labels, since(before, now))
            else if (last.length === 0) this.#firstToken.observe(labels, since(asked, now))
            last[event.choice] = now
            break
          }
          case 'finished':
            reason = event.reason
            break
          case 'usage': {
            const { prompt, cached, completion } = event.usage
            this.#promptTokens.inc(labels, prompt)
            this.#cacheQueries.inc(labels, prompt)
            this.#cacheHits.inc(labels, cached)
            this.#generationTokens.inc(labels, completion)
            this.#prompts.observe(labels, prompt)
            this.#texts.observe(labels, completion)
            this.#prefill.observe(labels, event.timings.promptMs / 1000)
            this.#decode.observe(labels, event.timings.generationMs / 1000)
            break
          }
        }
      },
      ended: error => {
        if (error === null) {
          this.#success.inc({ ...labels, finished_reason: reason })
          this.#whole.observe(labels, since(asked))
          return
        }
        const { kind, code } = failureOf(error)
        if (kind === 'gone') this.#aborted.inc(labels)
        else this.#failed.inc({ ...labels, code })
      },
    }
  }

  /** The text of /metrics; with an alias every metric is there under that prefix too, as `vllm:num_requests_running`. */
  async text(alias?: string): Promise<string> {
    const own = await this.#registry.metrics()
    if (alias === undefined) return own
    return `${own}\n${own.replace(new RegExp(`(^|^# (?:HELP|TYPE) )${PREFIX}`, 'gm'), `$1${alias}:`)}`
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  #counter<T extends string = never>(name: string, help: string, more: readonly T[] = []) {
    return new Counter<'model_name' | T>({
      ...{ name: `${PREFIX}${name}_total`, help, labelNames: ['model_name', ...more], registers: [this.#registry] },
    })
  }

  #histogram(name: string, help: string, buckets: number[]) {
    return new Histogram({
      name: PREFIX + name,
      help,
      labelNames: ['model_name'],
      buckets,
      registers: [this.#registry],
    })
  }
}
