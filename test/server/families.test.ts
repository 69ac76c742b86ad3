/**
 * Calls that a choice forces, from models of random weights that speak in a family's tokens and template: names and arguments are valid,
 * nothing of their marks is content, and every API says the same, streamed or not. Some families always; all:
 *
 *     LATENTKIT_FAMILIES=all npx vitest run test/server/families.test.ts
 */
import { createServer, type Server } from 'latentkit/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outputCheck } from '../../src/grammar/check.ts'
import { templateText } from '../formats/templates.ts'
import { randomWeights } from './random-weights.ts'
import { post } from './support.ts'
import { APIS, askBy, type WireAnswer, type WireAsk } from './wire.ts'

interface Family {
  readonly tokenizer: 'deepseek_v3' | 'qwen3' | 'llama3' | 'gemma3'
  /** Of test/fixtures; default: the tokenizer package's own. */
  readonly template?: string
  /** Of our own: no package has the family's. */
  readonly text?: string
  readonly type?: string
  /** Reasoning comes first. */
  readonly thinks?: true
}

const PLAIN =
  '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}'

const ALL = process.env.LATENTKIT_FAMILIES === 'all'
const SEEDS = ALL ? [1, 2, 3] : [2]
const MAX_TOKENS = ALL ? 300 : 120

const ALWAYS: Readonly<Record<string, Family>> = {
  'DeepSeek V3': { tokenizer: 'deepseek_v3' },
  'Qwen 3': { tokenizer: 'qwen3', thinks: true },
}
const MORE: Readonly<Record<string, Family>> = {
  'DeepSeek V2': { tokenizer: 'deepseek_v3', template: 'axolotl/deepseek_v2', type: 'deepseek_v2' },
  'DeepSeek R1': { tokenizer: 'deepseek_v3', template: 'llama-cpp-python/llama-cpp-deepseek-r1', thinks: true },
  'DeepSeek V3.1': { tokenizer: 'deepseek_v3', template: 'llama-cpp-python/deepseek-ai-DeepSeek-V3.1' },
  'DeepSeek V3.2': { tokenizer: 'deepseek_v3', template: 'llama-cpp-python/deepseek-ai-DeepSeek-V3.2', thinks: true },
  'Kimi K2': { tokenizer: 'deepseek_v3', template: 'llama-cpp-python/Kimi-K2-Instruct', type: 'kimi_k2' },
  'Kimi K2 Thinking': { tokenizer: 'deepseek_v3', template: 'llama-cpp-python/Kimi-K2-Thinking', type: 'kimi_k2' },
  'GLM 4.6': { tokenizer: 'qwen3', template: 'llama-cpp-python/GLM-4.6', thinks: true },
  'GLM 4.7 Flash': { tokenizer: 'qwen3', template: 'llama-cpp-python/GLM-4.7-Flash', thinks: true },
  'Qwen 2.5': { tokenizer: 'qwen3', template: 'llama-cpp-python/Qwen-Qwen2.5-7B-Instruct' },
  'Qwen 3 Coder': { tokenizer: 'qwen3', template: 'llama-cpp-python/Qwen3-Coder' },
  'Hermes 2 Pro': { tokenizer: 'llama3', template: 'llama-cpp-python/NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use' },
  'Llama 3.1': { tokenizer: 'llama3', template: 'llama-cpp-python/meta-llama-Llama-3.1-8B-Instruct' },
  Gemma: { tokenizer: 'gemma3' },
  MiniCPM3: { tokenizer: 'qwen3', text: `${PLAIN}{# <|tool_call_start|> \`\`\`python <|thought_start|> #}` },
  Youtu: { tokenizer: 'deepseek_v3', text: `${PLAIN}{# <|begin_of_tool_description|> #}` },
}
const FAMILIES = ALL ? { ...ALWAYS, ...MORE } : ALWAYS

const weather = {
  description: 'The weather',
  parameters: {
    type: 'object',
    properties: {
      city: { enum: ['Bonn', 'Rom', 'São Paulo'] },
      days: { type: 'integer', minimum: 1, maximum: 9 },
      exact: { type: 'boolean' },
    },
    required: ['city', 'days', 'exact'],
    additionalProperties: false,
  },
}
const now = { description: 'The time', parameters: { type: 'object', properties: {}, additionalProperties: false } }
const tools = { weather, now }
/** What families write around calls and reasoning. */
const MARKS = /<\/?[｜|]|tool▁|<\/?(tool_call|function|parameter|think|arg_)|```|functions\.|"arguments"|"parameters"/
const QUESTION = [{ role: 'user', content: 'How is the weather?' }] as const

const checks = { weather: await outputCheck(weather.parameters), now: await outputCheck(now.parameters) }

function valid({ calls, text, reason }: WireAnswer): void {
  // What ends within a call is said to be cut.
  const whole = reason === 'length' ? calls.slice(0, -1) : calls
  if (reason !== 'length') expect(calls.length).toBeGreaterThan(0)
  for (const { name, arguments: given } of whole) {
    expect(['weather', 'now']).toContain(name)
    checks[name as 'now'](given === '' ? '{}' : given)
  }
  expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length)
  for (const { id } of calls) expect(id).toMatch(/^[\w.:-]+$/)
  expect(text.trim()).toBe('')
  expect(text).not.toMatch(MARKS)
  expect(['calls', 'length']).toContain(reason)
}

/** Without ids, and arguments as they mean. */
const meaning = ({ text, reasoning, calls, reason }: WireAnswer) => ({
  ...{ text, reasoning, reason },
  calls: calls.map(({ name, arguments: given }, i) =>
    reason === 'length' && i === calls.length - 1 ? name : [name, given === '' ? {} : JSON.parse(given)],
  ),
})

describe.each(Object.entries(FAMILIES))('%s', { timeout: 300_000 }, (_, { template, text, thinks, ...words }) => {
  let server: Server
  // One at a time: a vocabulary takes much memory.
  beforeAll(async () => {
    const source = text ?? (template === undefined ? undefined : templateText(template))
    const folder = randomWeights({ ...words, ...(source !== undefined && { template: source }) })
    server = await createServer({ models: [`it=${folder}`], load: { threads: 1 }, stopDeadline: 0 })
    await server.ready
  }, 120_000)
  afterAll(() => server.close())
  const ask = (more: Partial<WireAsk>, seed: number): WireAsk => {
    // A mind that is random never ends its thoughts.
    const drawing = { seed, temperature: 1, ...(thinks && { thinking_token_budget: 5 }) }
    return { messages: QUESTION, tools, maxTokens: MAX_TOKENS, more: drawing, ...more }
  }
  const choices: [string, Partial<WireAsk>][] = [
    ['1, 2, 5: required, several', { toolChoice: 'required' }],
    ['6: required, one', { toolChoice: 'required', parallel: false }],
    ['7: named', { toolChoice: { name: 'weather' } }],
  ]

  test.each(choices)('%s', async (_, choice) => {
    let most = 0
    for (const seed of SEEDS) {
      const said: [string, WireAnswer][] = []
      for (const [name, api] of Object.entries(APIS)) {
        // Ollama's has no field for it.
        if (name === 'ollama' && choice.parallel === false) continue
        for (const stream of [false, true]) {
          const got = await askBy(server, api, ask(choice, seed), { model: 'it', stream })
          if (!('answer' in got)) throw new Error(`${name}: ${JSON.stringify(got)}`)
          valid(got.answer)
          if (choice.parallel === false) expect(got.answer.calls.length).toBe(1)
          if (typeof choice.toolChoice === 'object') {
            for (const { name } of got.answer.calls) expect(name).toBe('weather')
          }
          said.push([`${name} ${stream ? 'streamed' : 'whole'}`, got.answer])
        }
      }
      const [, first] = said[0] as [string, WireAnswer]
      most = Math.max(most, first.calls.length)
      // Ollama leaves out a call that was cut.
      for (const [name, answer] of said) {
        if (first.reason === 'length' && name.startsWith('ollama')) continue
        expect(meaning(answer), name).toEqual(meaning(first))
      }
    }
    if (SEEDS.length === 1 || choice.toolChoice !== 'required' || choice.parallel === false) return
    // Whether another call follows is chance; some seed has one.
    for (let seed = 4; most < 2 && seed <= 24; seed++) {
      const got = await askBy(server, APIS.chat, ask(choice, seed), { model: 'it', stream: false })
      if ('answer' in got) most = Math.max(most, got.answer.calls.length)
    }
    expect(most).toBeGreaterThan(1)
  })

  test('calls come back with their results, by the ids that they had', async () => {
    const messages: object[] = [...QUESTION]
    const ids = new Set<string>()
    for (const turn of [1, 2, 3]) {
      const body = { ...APIS.chat.body(ask({ toolChoice: 'required', parallel: false }, turn), 'it'), messages }
      const { status, body: answer } = await post(server, '/v1/chat/completions', body)
      expect([status, answer]).toMatchObject([200, {}])
      const { message } = (answer as { choices: { message: { tool_calls: { id: string }[] } }[] })
        .choices[0] as never as {
        message: { tool_calls: { id: string }[] }
      }
      for (const call of message.tool_calls) {
        expect(ids).not.toContain(call.id)
        ids.add(call.id)
        messages.push(message, { role: 'tool', tool_call_id: call.id, content: 'sunny' })
      }
    }
  })
})
