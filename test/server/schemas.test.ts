/**
 * Answers under schemas and sets of tools over HTTP are the library's own, by each API, streamed or not; what the library refuses is a
 * 400 that names path and keyword. A few always; 100 (half of the schemas published ones, where there are folders with some):
 *
 *     LATENTKIT_SERVED=100 LATENTKIT_SCHEMAS=FOLDERS npx vitest run test/server/schemas.test.ts
 *
 * LATENTKIT_SERVED_MODEL: on another model than the bundled one. LATENTKIT_SERVED_SEED: others than the usual ones.
 */
import {
  bundledModel,
  ContextLengthError,
  Engine,
  GrammarError,
  type JsonSchema,
  OptionError,
  SchemaError,
} from 'latentkit'
import { afterAll, expect, test } from 'vitest'
import { CHAT_TEMPLATE } from '../engine/tales.ts'
import { generatedObjects, generatedSchemas, published, SCHEMA_FOLDERS } from '../grammar/schemas.ts'
import { testServer } from './support.ts'
import { APIS, type ApiName, askBy, type WireAnswer, type WireAsk } from './wire.ts'

const ASKED = Number(process.env.LATENTKIT_SERVED ?? 0)
const COUNT = ASKED || 8
const MAX_TOKENS = ASKED ? 256 : 100
/** Of questions; each is put to the server in all ways at once, which computes them together. */
const AT_ONCE = 2
const SEED = Number(process.env.LATENTKIT_SERVED_SEED ?? 17)
const source = process.env.LATENTKIT_SERVED_MODEL ?? bundledModel()
const load = { threads: 1, ...(source === bundledModel() && { chatTemplate: CHAT_TEMPLATE }) }
const server = await testServer({ models: [`it=${source}`], load })
const engine = await Engine.load(source, load)
afterAll(() => engine.dispose())

type Question = Omit<WireAsk, 'messages' | 'maxTokens'>

const WAYS = (['chat', 'responses', 'messages'] as ApiName[]).flatMap(api =>
  [false, true].map(stream => ({ api, stream })),
)

/** Six of ten are schemas, the others tools: required, one of them by name, left to the model, beside a schema. */
function questions(): [string, Question][] {
  const schemas = Math.round(COUNT * 0.6)
  const found = SCHEMA_FOLDERS.flatMap(published)
  const wanted = Math.min(Math.floor(schemas / 2), found.length)
  const spread = Array.from(
    { length: wanted },
    (_, i) => found[Math.floor((i * found.length) / wanted)] as [string, unknown],
  )
  const made = generatedSchemas(schemas - wanted, SEED).map((schema, i): [string, unknown] => [
    `generated ${i}`,
    schema,
  ])
  const objects = generatedObjects(3 * (COUNT - schemas), SEED + 1)
  const sets = Array.from({ length: COUNT - schemas }, (_, i): [string, Question] => {
    const its = objects.slice(3 * i, 3 * i + 1 + (i % 3)) as object[]
    const tools = Object.fromEntries(its.map((parameters, j) => [`tool_${j}`, { description: 'A tool', parameters }]))
    const choice = (['required', { name: 'tool_0' }, 'auto', 'required'] as const)[i % 4]
    const both = i % 8 === 6 && { schema: made[0]?.[1] }
    return [`tools ${i}`, { tools, toolChoice: choice ?? 'auto', parallel: false, ...both }]
  })
  const each = [...spread, ...made].map(([name, schema]): [string, Question] => [name, { schema }])
  return [...each, ...sets]
}

type Outcome = { readonly answer: WireAnswer } | { readonly refused: Error }

async function byLibrary(ask: WireAsk, seed: number): Promise<Outcome> {
  await using session = engine.session()
  const { schema, tools, toolChoice, parallel, maxTokens } = ask
  const calls = {
    ...(tools && { tools: tools as never }),
    ...(toolChoice && { toolChoice }),
    ...(parallel !== undefined && { parallel }),
  }
  const held = schema === undefined ? {} : { schema: schema as JsonSchema }
  try {
    const chat = await session.chat(ask.messages, { ...calls, ...held, seed, temperature: 1, maxTokens })
    const { content: text, reasoning, toolCalls, finishReason } = chat
    const its = toolCalls.map(({ id, name, arguments: given }) => ({ id, name, arguments: JSON.stringify(given) }))
    const reason = finishReason === 'toolCalls' ? 'calls' : finishReason === 'context' ? 'length' : finishReason
    return { answer: { text, reasoning, calls: its, reason: reason as WireAnswer['reason'] } }
  } catch (error) {
    return { refused: error as Error }
  }
}

/** Ids are new with each answer; how white space and a zero's sign are written in arguments is the wire's. */
const meaning = ({ text, reasoning, calls, reason }: WireAnswer) => {
  const its = calls.map(({ name, arguments: given }) => ({
    name,
    arguments: JSON.stringify(JSON.parse(given || '{}')),
  }))
  return { text, reasoning, calls: its, reason }
}

test(`${COUNT} schemas and sets of tools: what the library answers or refuses, the server does`, {
  timeout: 3_600_000,
}, async () => {
  const counts = { answers: 0, cut: 0, refused: 0, failed: 0 }
  const wrong: string[] = []
  const list = questions()
  let next = 0
  const worker = async () => {
    for (let i = next++; i < list.length; i = next++) {
      const [name, question] = list[i] as [string, Question]
      const wish = question.schema === undefined ? 'Use a tool.' : 'Write an example.'
      const more = { seed: i, temperature: 1 }
      const ask: WireAsk = { ...question, messages: [{ role: 'user', content: wish }], maxTokens: MAX_TOKENS, more }
      const wanted = await byLibrary(ask, i)
      const served = WAYS.map(async ({ api, stream }) => {
        try {
          same(await askBy(server, APIS[api], ask, { model: 'it', stream }), wanted)
        } catch (error) {
          wrong.push(`${name} by ${api}${stream ? ', streamed' : ''}: ${(error as Error).message}`)
        }
      })
      await Promise.all(served)
      if (ASKED && (i + 1) % 10 === 0) console.log(`${i + 1} of ${COUNT}, ${wrong.length} wrong`)
      if ('answer' in wanted) counts[wanted.answer.reason === 'length' ? 'cut' : 'answers']++
      else counts[wanted.refused instanceof SchemaError ? 'refused' : 'failed']++
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  if (ASKED) console.log({ seed: SEED, ...counts })
  expect(wrong.join('\n')).toBe('')
  expect(counts.answers).toBeGreaterThan(COUNT / 3)
})

/** The status that `askBy` gives an error event. */
const IN_STREAM = 0

function same(got: Awaited<ReturnType<typeof askBy>>, wanted: Outcome): void {
  if ('answer' in wanted) {
    // A call that was cut is no JSON in some APIs.
    if ('answer' in got && wanted.answer.reason === 'length' && wanted.answer.calls.length > 0) {
      expect(got.answer.reason).toBe('length')
      return
    }
    const [its, own] = ['answer' in got ? meaning(got.answer) : got, meaning(wanted.answer)]
    expect(its, JSON.stringify([its, own])).toEqual(own)
    return
  }
  const { refused } = wanted
  // A stream has begun when the schema is read no sooner than its headers have to go out; then the error is an event.
  const status = expect.toSatisfy((given: number) => given === 400 || given === IN_STREAM)
  if (refused instanceof ContextLengthError) {
    expect(got).toMatchObject({
      status,
      body: { error: { message: expect.stringMatching(/too long|maximum context/) } },
    })
  } else if (refused instanceof SchemaError) {
    const { path: schema_path, keyword: schema_keyword, message } = refused
    // The message names both; an event of /v1/responses has no other fields.
    const fields = 'status' in got && got.status === 400 ? { schema_path, schema_keyword } : {}
    expect(got).toMatchObject({ status, body: { error: { message, ...fields } } })
  } else if (refused instanceof GrammarError || refused instanceof OptionError) {
    expect(got).toMatchObject({ body: { error: { message: refused.message } } })
  } else throw refused
}

test('12: a refusal names path and keyword, in each API, streamed or not', async () => {
  const list = { type: 'array', contains: { type: 'string' }, minContains: 20 }
  const bad = { type: 'object', properties: { list }, required: ['list'] }
  const messages = [{ role: 'user', content: 'x' }] as const
  const asks: [WireAsk, string][] = [
    [{ messages, schema: bad, maxTokens: 20 }, '/properties/list'],
    [
      { messages, tools: { search: { parameters: bad } }, toolChoice: 'required', maxTokens: 20 },
      '/search/properties/list',
    ],
    [
      { messages, tools: { search: { parameters: bad } }, toolChoice: { name: 'search' }, maxTokens: 20 },
      '/search/properties/list',
    ],
  ]
  for (const [ask, path] of asks) {
    for (const [name, api] of Object.entries(APIS)) {
      for (const stream of [false, true]) {
        const got = await askBy(server, api, ask, { model: 'it', stream })
        expect(got, `${name} ${stream}`).toMatchObject({ status: 400 })
        const said = JSON.stringify('body' in got && got.body)
        expect(said).toMatch(
          ask.tools ? /search: The schema at \/properties\/list: contains/ : /at \/properties\/list: contains/,
        )
        // Programs read them from fields of their own.
        if (name !== 'ollama')
          expect(got).toMatchObject({ body: { error: { schema_path: path, schema_keyword: 'contains' } } })
      }
    }
  }
})
