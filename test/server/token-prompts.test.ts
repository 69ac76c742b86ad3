/** Prompts by token ids are read as they are: as a text they would be others. */
import { expect, test } from 'vitest'
import { post, testServer } from './support.ts'

const server = await testServer()
const asked = { max_tokens: 6, temperature: 0, ignore_eos: true }

async function tokenize(content: string, more: object = {}): Promise<number[]> {
  return ((await post(server, '/tokenize', { content, ...more })).body as { tokens: number[] }).tokens
}

/** Ids of single characters, which the tokenizer joins. */
const apart = (await Promise.all([...'Once upon a time'].map(c => tokenize(c)))).flat()

type Answer = { choices: { text: string }[]; usage: { prompt_tokens: number } }
const complete = async (more: object) =>
  (await post(server, '/v1/completions', { ...asked, ...more })).body as unknown as Answer

test('/v1/completions: one list, and several', async () => {
  // A text begins with the model's first token.
  const joined = [0, ...(await tokenize('Once upon a time'))]
  expect(joined.length).toBeLessThan(apart.length)
  const one = await complete({ prompt: apart })
  expect(one.usage.prompt_tokens).toBe(apart.length)
  const text = await complete({ prompt: 'Once upon a time' })
  const two = await complete({ prompt: [apart, joined] })
  expect(two.choices.map(choice => choice.text)).toEqual([one.choices[0]?.text, text.choices[0]?.text])
  expect(two.usage.prompt_tokens).toBe(apart.length + joined.length)
  expect((await complete({ prompt: apart, echo: true })).choices[0]?.text).toBe(
    `Once upon a time${one.choices[0]?.text}`,
  )
  expect((await complete({ prompt: apart, n: 2 })).choices).toHaveLength(2)
})

test('/completion: ids, and texts among them', async () => {
  const count = async (prompt: unknown) => {
    const { body } = await post(server, '/completion', { prompt, n_predict: 1 })
    return (body as { tokens_evaluated: number }).tokens_evaluated
  }
  expect(await count(apart)).toBe(apart.length)
  const [begin, end] = [await tokenize('Once upon', { add_special: true }), await tokenize(' a time')]
  expect(await count(['Once upon', ...apart, ' a time'])).toBe(begin.length + apart.length + end.length)
})

test('ids that are none are a 400 that names them', async () => {
  for (const prompt of [[1, 999_999], [[1], [-1]], [[]]]) {
    const { status, body } = await post(server, '/v1/completions', { ...asked, prompt })
    expect([status, body]).toMatchObject([400, { error: { message: expect.stringMatching(/tokenIds\[\d\]|empty/) } }])
  }
  expect((await post(server, '/completion', { prompt: [1, -2] })).status).toBe(400)
})
