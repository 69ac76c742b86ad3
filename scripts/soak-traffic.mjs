// What the clients of the soak (soak-server.mjs) do: each kind is one request, or one way of breaking off. A kind throws where the
// server did not do what it should; `same` holds what was written against the undisturbed texts.
import { request } from 'node:http'

/** Texts to compare, one of each seed. */
export const SEEDS = 20

const KEPT_RESPONSES = 1000
const REMEMBERED_WORDS = 10_000
const AT_ONCE = 8
/** Eight of them fill the cache; their blocks come to lie where they like. */
const LONG_ROUNDS = 4
const LONG = 'word '.repeat(4000)
/** Most of a context. */
const FULL = LONG.slice(0, 8000)
const HUGE = 'x'.repeat(17 * 2 ** 20)
const QUESTION = [{ role: 'user', content: 'Tell me a story of a dog.' }]
const PLACE = {
  type: 'object',
  properties: { city: { enum: ['Bonn', 'Rom'] }, days: { type: 'integer', minimum: 1, maximum: 9 } },
  required: ['city', 'days'],
  additionalProperties: false,
}
const TOOL = { name: 'weather', description: 'The weather' }

/** One way of asking for a text: the body, and where the answer has it, whole and streamed. */
const ASKS = {
  '/v1/completions': {
    body: seed => ({ prompt: 'Once upon a time', max_tokens: 40, seed }),
    whole: answer => answer.choices[0].text,
    part: event => event.choices[0]?.text,
  },
  '/v1/chat/completions': {
    body: seed => ({ messages: QUESTION, max_tokens: 30, seed }),
    whole: answer => answer.choices[0].message.content,
    part: event => event.choices[0]?.delta.content,
  },
  '/v1/responses': {
    body: seed => ({ input: 'Tell me a story of a cat.', max_output_tokens: 30, seed }),
    whole: answer => answer.output.find(({ type }) => type === 'message').content[0].text,
    part: event => (event.type === 'response.output_text.delta' ? event.delta : ''),
  },
  '/v1/messages': {
    body: seed => ({
      messages: QUESTION,
      max_tokens: 300,
      seed,
      tools: [{ ...TOOL, input_schema: PLACE }],
      tool_choice: { type: 'tool', name: 'weather', disable_parallel_tool_use: true },
    }),
    whole: answer => JSON.stringify(answer.content.find(({ type }) => type === 'tool_use').input),
    part: event => event.delta?.partial_json,
    joined: text => JSON.stringify(JSON.parse(text)),
  },
  '/api/chat': {
    body: seed => ({ model: 'tales-mla-8m', messages: QUESTION, options: { num_predict: 30, seed } }),
    whole: answer => answer.message.content,
    part: event => event.message?.content,
  },
}
const PATHS = Object.keys(ASKS)

export class Traffic {
  #expected = new Map()
  #url
  #problems

  /** `url()`: of the server as it is now. `problems`: what was wrong is appended. */
  constructor(url, problems) {
    this.#url = url
    this.#problems = problems
  }

  /** By name; `seed` is from 0 to SEEDS. */
  kinds = {
    whole: seed => this.#same(seed, false),
    streamed: seed => this.#same(seed, true),
    several: seed => this.#status(200, '/v1/chat/completions', { messages: QUESTION, max_tokens: 20, seed, n: 2 }),
    schema: seed => this.#status(200, '/v1/completions', { prompt: 'x', max_tokens: 60, seed, guided_json: PLACE }),
    vectors: () => this.#status(200, '/v1/embeddings', { input: ['a dog', 'a cat'] }),
    another: () =>
      this.#status(200, '/v1/completions', { prompt: `${Math.random()} ${LONG.slice(0, 2000)}`, max_tokens: 2 }),
    broken: seed => this.#broken(PATHS[seed % PATHS.length]),
    tooLong: seed => this.#tooLong(seed),
    leaves: seed => this.#leaves(seed),
    aborts: seed => this.#aborts(seed),
    readsSlowly: seed => this.#readsSlowly(seed),
  }

  /** The texts of a server that does nothing else. */
  async undisturbed() {
    for (let seed = 0; seed < SEEDS; seed++) this.#expected.set(seed, await this.#text(seed, false))
  }

  /**
   * Fills what the server bounds: words that its tokenizer remembers, responses that may be followed, the cache of prompts; and runs the
   * largest steps, whose buffers stay: of a long prompt alone, and of several.
   */
  async filled() {
    const words = Array.from({ length: REMEMBERED_WORDS }, (_, i) => `w${i}`)
    await this.#status(200, '/tokenize', { content: words.join(' ') })
    const kept = () => this.#status(200, '/v1/responses', { input: 'Once', max_output_tokens: 1 })
    for (let i = 0; i < KEPT_RESPONSES; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, kept))
    const long = () => this.#status(200, '/v1/completions', { prompt: `${Math.random()} ${FULL}`, max_tokens: 2 })
    await long()
    for (let i = 0; i < LONG_ROUNDS; i++) await Promise.all(Array.from({ length: AT_ONCE }, long))
  }

  /** Every text once more, one after the other. */
  async all() {
    for (let seed = 0; seed < SEEDS; seed++) await this.#same(seed, seed % 2 === 1)
  }

  async #same(seed, stream) {
    const written = await this.#text(seed, stream)
    if (written === this.#expected.get(seed)) return
    this.#problems.push(
      `seed ${seed}: ${JSON.stringify(written)} instead of ${JSON.stringify(this.#expected.get(seed))}`,
    )
  }

  async #text(seed, stream) {
    const path = PATHS[seed % PATHS.length]
    const { body, whole, part, joined = text => text } = ASKS[path]
    const response = await this.#post(path, { ...body(seed), stream })
    if (response.status !== 200) throw new Error(`${path} gave ${response.status}: ${await response.text()}`)
    if (!stream) return whole(await response.json())
    const lines = (await response.text()).split('\n').map(line => line.replace(/^data: /, ''))
    const events = lines.filter(line => line.startsWith('{')).map(line => JSON.parse(line))
    return joined(events.map(event => part(event) ?? '').join(''))
  }

  async #broken(path) {
    await this.#status(400, path, '{"messages": ')
    await this.#status(400, path, { ...ASKS[path].body(1), messages: 7, prompt: 7, input: 7 })
  }

  async #tooLong(seed) {
    await this.#status(400, '/v1/completions', { prompt: LONG })
    if (seed === 0) await this.#status(413, '/v1/completions', { prompt: HUGE })
  }

  /** Cuts its socket: in the queue, while the prompt is read, or while the text is written. */
  #leaves(seed) {
    return new Promise(resolve => {
      const body = { prompt: seed % 2 ? 'Once' : FULL, max_tokens: 1000, stream: seed % 3 === 0 }
      // Nothing reads what has come until then.
      const sent = request(`${this.#url()}/v1/completions`, { method: 'POST' }, () => {})
      sent.on('error', () => {})
      sent.on('close', resolve)
      sent.end(JSON.stringify(body))
      setTimeout(() => sent.destroy(), 20 + seed * 10)
    })
  }

  /** Gives up within a stream, as the SDKs' abort does. */
  async #aborts(seed) {
    const path = PATHS[seed % PATHS.length]
    const control = new AbortController()
    const body = { ...ASKS[path].body(seed), max_tokens: 1000, max_output_tokens: 1000, stream: true }
    const response = await this.#post(path, body, control.signal)
    if (response.status !== 200) throw new Error(`${path} gave ${response.status}: ${await response.text()}`)
    const reader = response.body.getReader()
    for (let i = 0; i < 3; i++) await reader.read()
    control.abort()
  }

  /** Takes one piece at a time; the whole answer arrives all the same. */
  async #readsSlowly(seed) {
    const body = JSON.stringify({ prompt: 'Once', max_tokens: 30, seed, stream: true })
    const response = await new Promise((resolve, reject) => {
      const sent = request(`${this.#url()}/v1/completions`, { method: 'POST' }, resolve)
      sent.on('error', reject)
      sent.end(body)
    })
    let text = ''
    for await (const part of response) {
      text += part
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    if (response.statusCode === 200 && text.endsWith('data: [DONE]\n\n')) return
    throw new Error(`a slow reader got ${response.statusCode}: …${text.slice(-200)}`)
  }

  async #status(wanted, path, body) {
    const response = await this.#post(path, body)
    const answer = await response.text()
    if (response.status !== wanted) throw new Error(`${path} gave ${response.status}: ${answer.slice(0, 200)}`)
  }

  #post(path, body, signal) {
    const sent = typeof body === 'string' ? body : JSON.stringify(body)
    return fetch(this.#url() + path, { method: 'POST', body: sent, ...(signal && { signal }) })
  }
}
