import { expect, it } from 'vitest'
import { post, testServer } from './support.ts'

/** Tokens of a block of the cache: what is found ends at its grid. */
const BLOCK = 64

it('16: each turn finds what the turns before have read and written', async () => {
  const server = await testServer()
  const messages: unknown[] = [
    { role: 'system', content: 'A story.' },
    { role: 'user', content: 'Once upon a time there was a little girl who lived with her mother. One day' },
  ]
  let before = 0
  for (let turn = 0; turn < 5; turn++) {
    const body: {
      choices: { message: object }[]
      usage: { prompt_tokens: number; total_tokens: number; prompt_tokens_details: { cached_tokens: number } }
    } = (await post(server, '/v1/chat/completions', { messages, max_tokens: 80, min_tokens: 60, seed: turn })).body
    const { usage } = body
    // The last token of an answer was drawn, but not read.
    expect(usage.prompt_tokens_details.cached_tokens).toBe(Math.max(0, Math.floor((before - 1) / BLOCK) * BLOCK))
    before = usage.total_tokens
    messages.push(body.choices[0]?.message, { role: 'user', content: 'Then the girl' })
  }
  expect(before).toBeGreaterThan(5 * 60)
})
