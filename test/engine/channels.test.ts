/** Chats in channels (gpt-oss): the bundled model with the family's marks as tokens of its own. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Engine } from 'latentkit'
import { afterAll, describe, expect, test } from 'vitest'
import { TALES } from './tales.ts'

const MARKS = ['<|start|>', '<|channel|>', '<|message|>', '<|constrain|>', '<|end|>', '<|return|>', '<|call|>']
const TEMPLATE =
  '{% for m in messages %}<|start|>{{ m.role }}{% if m.role == "assistant" %}<|channel|>final{% endif %}<|message|>{{ m.content }}<|end|>' +
  '{% endfor %}{% if add_generation_prompt %}<|start|>assistant{% if enable_thinking %}<|channel|>analysis<|message|>{% endif %}{% endif %}'

const folder = mkdtempSync(join(tmpdir(), 'latentkit-channels-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
for (const file of ['config.json', 'model.safetensors', 'tokenizer_config.json']) {
  symlinkSync(resolve(TALES, file), join(folder, file))
}
writeFileSync(
  join(folder, 'tokenizer.json'),
  JSON.stringify(withMarks(JSON.parse(readFileSync(`${TALES}/tokenizer.json`, 'utf8')))),
)

interface TokenizerJson {
  readonly added_tokens: object[]
  readonly model: { readonly vocab: Record<string, number>; merges: readonly unknown[] }
}

/** The last words of the vocabulary give way to the marks. */
function withMarks(tokenizer: TokenizerJson): TokenizerJson {
  const { added_tokens: added, model } = tokenizer
  const last = Object.entries(model.vocab).sort((a, b) => b[1] - a[1])
  for (const [i, mark] of MARKS.entries()) {
    const [word = '', id = 0] = last[i] ?? []
    delete model.vocab[word]
    model.vocab[mark] = id
    added.push({
      id,
      content: mark,
      special: true,
      normalized: false,
      single_word: false,
      lstrip: false,
      rstrip: false,
    })
  }
  const gone = new Set(last.slice(0, MARKS.length).map(([word]) => word))
  model.merges = model.merges.filter(
    merge => !gone.has(typeof merge === 'string' ? merge.replace(' ', '') : (merge as string[]).join('')),
  )
  return tokenizer
}

describe('in channels', async () => {
  const engine = await Engine.load(folder, { inline: true, threads: 1, chatTemplate: TEMPLATE })
  afterAll(() => engine.dispose())
  const say = [{ role: 'user', content: 'x' }] as const
  const parameters = {
    type: 'object',
    properties: { city: { enum: ['Bonn', 'Rom'] } },
    required: ['city'],
    additionalProperties: false,
  }
  const tools = { weather: { parameters }, now: {} }
  const schema = {
    type: 'object',
    properties: { age: { type: 'integer', minimum: 0, maximum: 99 } },
    required: ['age'],
    additionalProperties: false,
  }
  const drawn = { temperature: 1.2, seed: 2, maxTokens: 120 } as const

  test("with 'auto' a message is held from its recipient on, and what only spells one is not", async () => {
    const goesOn = async (...parts: readonly (readonly [text: string, parseSpecial: boolean])[]) => {
      await using session = engine.session()
      const ids = await Promise.all(
        parts.map(([text, parseSpecial]) => engine.tokenize(text, { addSpecialTokens: false, parseSpecial })),
      )
      const tokenIds = ids.flat()
      const options = { tools, ...drawn, maxTokens: tokenIds.length + 60, resume: { tokenIds } }
      const { tokenIds: all } = await session.chat(say, options)
      return engine.detokenize(all.slice(tokenIds.length))
    }
    const call = '<|channel|>commentary to=functions.'
    // At once: the model may well begin a call of its own later on.
    const held = /^ ?<\|constrain\|>json<\|message\|>\{\s*"city"\s*:\s*"(Bonn|Rom)"\s*\}<\|call\|>/
    expect(await goesOn([`${call}wea`, true])).toMatch(/^ther/)
    expect(await goesOn([`${call}weather`, true])).toMatch(held)
    expect(await goesOn([`<|channel|>analysis<|message|>Hm<|end|><|start|>assistant${call}weather`, true])).toMatch(
      held,
    )
    expect(await goesOn(['<|channel|>analysis<|message|>As in ', true], [`${call}weather`, false])).not.toMatch(held)
    expect(await goesOn(['<|channel|>commentary to=browser', true])).not.toMatch(held)
  })

  test('a prompt that ends in reasoning is followed by a message of its own, which a grammar holds', async () => {
    const begun = { reasoningEffort: 'low', thinkingBudget: 6, ...drawn } as const
    await using session = engine.session()
    const valued = await session.chat(say, { ...begun, schema })
    expect(valued.value).toEqual(JSON.parse(valued.content))
    expect(valued.reasoning).not.toBe('')
    const written = await engine.detokenize(valued.tokenIds)
    expect(written).toMatch(/<\|end\|><\|start\|>assistant<\|channel\|>final<\|message\|>\s*\{/)
    const called = await session.chat(say, { ...begun, tools, toolChoice: { name: 'weather' } })
    expect(called.toolCalls).toMatchObject([{ name: 'weather', complete: true }])
    expect(called.reasoning).not.toBe('')
  })

  test('an answer that goes on has no other header', async () => {
    await using session = engine.session()
    const messages = [...say, { role: 'assistant', content: 'The age: ' } as const]
    const { value, tokenIds } = await session.chat(messages, { continueFinalMessage: true, schema, ...drawn })
    expect(value).toEqual({ age: expect.any(Number) })
    expect(await engine.detokenize(tokenIds)).not.toContain('<|channel|>')
  })

  test('an answer that is resumed inside its message has the value of all of it', async () => {
    await using session = engine.session()
    const messages = [...say, { role: 'assistant', content: 'The age: ' } as const]
    const begun = { continueFinalMessage: true, schema, ...drawn } as const
    const { value, tokenIds } = await session.chat(messages, begun)
    const resume = { tokenIds: tokenIds.slice(0, 2) }
    expect((await session.chat(messages, { ...begun, resume })).value).toEqual(value)
    const text = 'Once upon a time there was a dog.'
    const whole = await session.chat(say, { choices: [text], ...drawn })
    const from = { tokenIds: whole.tokenIds.slice(0, -2) }
    expect((await session.chat(say, { choices: [text], ...drawn, resume: from })).value).toBe(text)
  })

  test('a text that spells marks is an answer like any other', async () => {
    await using session = engine.session()
    const text = 'It begins <|channel|>final<|message|> and ends <|end|>.'
    const { value, content } = await session.chat(say, { choices: [text], ...drawn })
    expect([value, content]).toEqual([text, text])
  })
})
