/** Structured output as users have it: what finishes is what was asked for, whatever is drawn, and has its type. */
import {
  type BestText,
  type Chat,
  type Continuation,
  Engine,
  type Generation,
  OptionError,
  OutputError,
  type PromptOptions,
  SchemaError,
} from 'latentkit'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import * as z from 'zod'
import { TALES } from './tales.ts'

const PROMPT = 'Once upon a time, there was'
const SEEDS = [1, 2, 3]
const Person = z.object({
  name: z.string().min(1).max(12),
  age: z.int().min(0).max(120),
  pets: z.array(z.enum(['cat', 'dog'])).max(2),
  home: z.union([z.null(), z.object({ street: z.string().max(8) })]),
})

const Tale = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }

/** JSON schemas, and whether a value is one of theirs, said another way. */
const SCHEMAS: readonly (readonly [string, object, (value: unknown) => boolean])[] = [
  [
    'a list of numbers',
    { type: 'array', items: { type: 'number', minimum: -1, maximum: 1 }, minItems: 1, maxItems: 3 },
    value => (value as number[]).every(x => x >= -1 && x <= 1) && (value as number[]).length <= 3,
  ],
  [
    'a date and a pattern',
    {
      type: 'object',
      properties: { on: { type: 'string', format: 'date' }, code: { type: 'string', pattern: '^[A-Z]{2}\\d{3}$' } },
      required: ['on', 'code'],
      additionalProperties: false,
    },
    value => {
      const { on, code } = value as { on: string; code: string }
      return !Number.isNaN(Date.parse(on)) && /^[A-Z]{2}\d{3}$/.test(code)
    },
  ],
  [
    'a tree',
    {
      $ref: '#/$defs/node',
      $defs: {
        node: {
          type: 'object',
          properties: { id: { enum: [1, 2] }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } },
          required: ['id', 'next'],
          additionalProperties: false,
        },
      },
    },
    function isNode(value): boolean {
      const { id, next } = value as { id: number; next: unknown }
      return (id === 1 || id === 2) && (next === null || isNode(next))
    },
  ],
]

let engine: Engine
beforeAll(async () => {
  engine = await Engine.load(TALES, { threads: 1, kernels: 'wasm' })
})
afterAll(() => engine.dispose())

describe('a schema', () => {
  it.each(SCHEMAS)('%s holds for every seed, alone, in a batch and with guesses', async (_, schema, isValid) => {
    const options = (seed: number) => ({
      schema: schema as Record<string, unknown>,
      seed,
      temperature: 1,
      topP: 1,
      maxTokens: 400,
    })
    const alone = []
    for (const seed of SEEDS) alone.push(await engine.generate(PROMPT, options(seed)))
    const together = await Promise.all(SEEDS.map(seed => engine.generate(PROMPT, options(seed))))
    const guessed = await Promise.all(
      SEEDS.map(seed => engine.generate(PROMPT, { ...options(seed), speculation: 'ngram' })),
    )
    expect(together.map(({ text }) => text)).toEqual(alone.map(({ text }) => text))
    expect(guessed.map(({ text }) => text)).toEqual(alone.map(({ text }) => text))
    const finished = alone.filter(({ finishReason }) => finishReason === 'stop')
    expect(finished.length).toBeGreaterThan(0)
    for (const { text, value } of finished) {
      expect(value).toEqual(JSON.parse(text))
      expect(isValid(value)).toBe(true)
    }
  })

  it('of zod gives its own type, and what the schema makes of the value', async () => {
    const Upper = z.object({
      ...Person.shape,
      name: z
        .string()
        .max(9)
        .transform(name => name.toUpperCase()),
    })
    const generation = engine.generate(PROMPT, { schema: Upper, seed: 1, temperature: 1, maxTokens: 400 })
    expectTypeOf(generation).toEqualTypeOf<Generation<z.infer<typeof Upper>>>()
    const { value } = await generation
    expect(value?.name).toBe(value?.name.toUpperCase())
    expect(Person.parse(value)).toEqual(value)
  })

  it('of valibot does, too', async () => {
    const schema = v.object({ kind: v.picklist(['a', 'b']), n: v.pipe(v.number(), v.integer(), v.maxValue(9)) })
    const { value } = await engine.generate(PROMPT, { schema, seed: 2, maxTokens: 100 })
    expectTypeOf(value).toEqualTypeOf<{ kind: 'a' | 'b'; n: number } | undefined>()
    expect(v.parse(schema, value)).toEqual(value)
  })

  it('shows the value as it grows', async () => {
    const generation = engine.generate(PROMPT, { schema: Person, seed: 1, temperature: 1, maxTokens: 400 })
    const partials: unknown[] = []
    for await (const { partial } of generation) partials.push(partial)
    const { value } = await generation
    expect(partials.at(-1)).toEqual(value)
    const sizes = partials.map(partial => JSON.stringify(partial ?? '').length)
    expect(new Set(sizes).size).toBeGreaterThan(5)
    expect(partials.some(partial => Object.keys((partial as object) ?? {}).length === 1)).toBe(true)
  })

  it('that does not come to its end has no value and is no error', async () => {
    const { value, finishReason, text } = await engine.generate(PROMPT, { schema: Person, seed: 1, maxTokens: 4 })
    expect([value, finishReason]).toEqual([undefined, 'length'])
    expect(text.trimStart()).toMatch(/^\{/)
  })

  it('whose own check fails is an OutputError with the text', async () => {
    const schema = z.object({ n: z.int().min(0).max(9) }).refine(() => false, 'never')
    const error = await engine.generate(PROMPT, { schema, seed: 1, maxTokens: 60 }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(OutputError)
    expect((error as OutputError).message).toMatch(/never/)
    expect(JSON.parse((error as OutputError).text)).toEqual({ n: expect.any(Number) })
  })

  it('11: ends, also where a model wants nothing but line breaks', async () => {
    const logitBias = { '\n': 100, ' ': 99, '\t': 98 }
    const { text, value, finishReason, tokenIds } = await engine.generate(PROMPT, {
      ...{ schema: Person, logitBias, temperature: 0, maxTokens: 800 },
    })
    expect(finishReason).toBe('stop')
    expect(Person.parse(value)).toEqual(value)
    expect(tokenIds.length).toBeLessThan(700)
    // One line break with its indentation, wherever JSON may have white space.
    expect(text).toMatch(/\n/)
    expect(text).not.toMatch(/\n\s*\n|\s{18}/)
  })

  it('that takes long to check leaves the thread of who asks alone', async () => {
    const schema = { anyOf: Array.from({ length: 3000 }, (_, i) => ({ const: `c${i}` })) }
    let [last, gap] = [performance.now(), 0]
    const began = last
    const timer = setInterval(() => {
      gap = Math.max(gap, performance.now() - last)
      last = performance.now()
    }, 5)
    const { value } = await engine.generate(PROMPT, { schema, seed: 1, maxTokens: 60 })
    clearInterval(timer)
    expect(value).toMatch(/^c\d+$/)
    expect(Math.max(gap, performance.now() - last)).toBeLessThan((performance.now() - began) / 2)
  })

  it('that cannot be held is refused by path and keyword', async () => {
    const schema = { type: 'object', properties: { tags: { type: 'array', contains: {}, minContains: 20 } } }
    const error = await engine.generate(PROMPT, { schema, maxTokens: 5 }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(SchemaError)
    expect(error).toMatchObject({ path: '/properties/tags', keyword: 'contains' })
    const nothing = await engine.generate(PROMPT, { schema: false, maxTokens: 5 }).catch((e: unknown) => e)
    expect(nothing).toBeInstanceOf(SchemaError)
  })

  it('ends in time where few tokens are left', async () => {
    const rest = { type: 'object', properties: { text: { type: 'string' }, list: { type: 'array', items: Tale } } }
    const schema = { ...rest, required: ['text', 'list'], additionalProperties: false, minProperties: 2 }
    const options = { schema, temperature: 1, seed: 3, maxTokens: 60 }
    const { value, finishReason, tokenIds } = await engine.generate(PROMPT, options)
    expect(finishReason).toBe('stop')
    expect(value).toMatchObject({ text: expect.any(String), list: expect.any(Array) })
    expect(tokenIds.length).toBeGreaterThan(20)
    for (let seed = 1; seed <= 6; seed++) {
      const { value, finishReason } = await engine.generate(PROMPT, { ...options, seed, maxTokens: 50 + 20 * seed })
      expect([typeof value, finishReason]).toEqual(['object', 'stop'])
    }
  })

  it('is resumed after any of its tokens, with the same value', async () => {
    // Where a text is cut matters to the grammar, which is the same however it is drawn.
    for (const [drawing, step] of [
      [{}, 7],
      [{ mirostat: { tau: 4 } }, 29],
      [{ speculation: 'ngram' as const }, 29],
    ] as const) {
      const options = { schema: Person, temperature: 1, seed: 5, maxTokens: 90, ...drawing }
      const whole = await engine.generate(PROMPT, options)
      expect(whole.value).toBeDefined()
      for (let n = 1; n <= whole.tokenIds.length; n += step) {
        const generation = engine.generate(PROMPT, { ...options, resume: { tokenIds: whole.tokenIds.slice(0, n) } })
        let last: unknown
        for await (const { partial } of generation) last = partial
        const { text, value, finishReason } = await generation
        expect([text, value, finishReason]).toEqual([whole.text, whole.value, whole.finishReason])
        expect(last).toEqual(whole.value)
      }
    }
  })

  it('has its value where the last token completes it', async () => {
    const schema = { type: 'array', items: { enum: [1] }, minItems: 2, maxItems: 2 }
    const { tokenIds } = await engine.generate(PROMPT, { schema, seed: 1, maxTokens: 60 })
    const { value } = await engine.generate(PROMPT, { schema, seed: 1, maxTokens: tokenIds.length })
    expect(value).toEqual([1, 1])
  })
})

describe('other forms', () => {
  it('are held', async () => {
    const write = (options: object) => engine.generate(PROMPT, { seed: 3, temperature: 1, maxTokens: 400, ...options })
    expect(['red', 'green']).toContain((await write({ choices: ['red', 'green'] })).value)
    expect((await write({ regex: /\d{3}-[a-f]{2,4}/ })).value).toMatch(/^\d{3}-[a-f]{2,4}$/)
    const grammar = 'start: greeting " " NAME\ngreeting: "hi" | "hey"\nNAME: /[a-z]{2,5}/'
    expect((await write({ grammar })).value).toMatch(/^(hi|hey) [a-z]{2,5}$/)
    const { value, finishReason } = await write({ json: true, maxTokens: 150 })
    if (finishReason === 'stop') expect(typeof value).toBe('object')
  })

  it('have their types', async () => {
    const options = { seed: 3, maxTokens: 1 }
    const session = engine.session()
    const named = ['red', 'green'] as const
    const calls = {
      choices: engine.generate(PROMPT, { ...options, choices: named }),
      inline: session.prompt(PROMPT, { ...options, choices: ['red', 'green'] }),
      regex: session.prompt(PROMPT, { ...options, regex: /a+/ }),
      grammar: engine.generate(PROMPT, { ...options, grammar: 'start: "a"' }),
      json: session.prompt(PROMPT, { ...options, json: true }),
      free: engine.generate(PROMPT, options),
      wide: engine.generate(PROMPT, options as PromptOptions),
    }
    expectTypeOf(calls.choices).toEqualTypeOf<Generation<'red' | 'green'>>()
    expectTypeOf(calls.inline).toEqualTypeOf<Generation<'red' | 'green'>>()
    expectTypeOf(calls.regex).toEqualTypeOf<Generation<string>>()
    expectTypeOf(calls.grammar).toEqualTypeOf<Generation<string>>()
    expectTypeOf(calls.json).toEqualTypeOf<Generation<{ [key: string]: unknown }>>()
    expectTypeOf(calls.free).toEqualTypeOf<Generation<unknown>>()
    expectTypeOf(calls.wide).toEqualTypeOf<Generation<unknown>>()
    await Promise.all(Object.values(calls))
    const several = () => ({
      choices: session.continuations(PROMPT, 2, { choices: named }),
      schema: session.continuations(PROMPT, 2, { schema: Person }),
      best: session.bestOf(PROMPT, 2, { json: true }),
      free: session.bestOf(PROMPT, 2),
    })
    expectTypeOf<ReturnType<typeof several>>().toEqualTypeOf<{
      choices: Promise<readonly Continuation<'red' | 'green'>[]>
      schema: Promise<readonly Continuation<z.infer<typeof Person>>[]>
      best: Promise<BestText<{ [key: string]: unknown }>>
      free: Promise<BestText<unknown>>
    }>()
    const chats = () => ({
      choices: session.chat([], { choices: named, tools: { now: { execute: ({ zone }) => zone } } }),
      json: session.chat([], { json: true }),
      schema: session.chat([], { schema: Person }),
    })
    expectTypeOf<ReturnType<typeof chats>>().toEqualTypeOf<{
      choices: Chat<'red' | 'green'>
      json: Chat<{ [key: string]: unknown }>
      schema: Chat<z.infer<typeof Person>>
    }>()
    // @ts-expect-error A name that is none is seen beside a form, too.
    const misspelt = () => engine.generate(PROMPT, { choices: named, maxToken: 1 })
    await expect(misspelt()).rejects.toThrow(/maxToken/)
  })

  it('a stop sequence ends them where it comes; what it cuts has no value', async () => {
    const write = (options: PromptOptions) => engine.generate(PROMPT, { seed: 1, maxTokens: 60, ...options })
    const schema = { type: 'array', items: { enum: ['one', 'two'] }, minItems: 2, maxItems: 2 }
    const whole = await write({ schema })
    expect(whole.value).toHaveLength(2)
    const cut = await write({ schema, stopSequences: [','] })
    const { text, value, finishReason, stopSequence } = cut
    expect([text, value, finishReason, stopSequence]).toEqual([whole.text.split(',')[0], undefined, 'stop', ','])
    const comma = (await engine.tokenize(',')).at(-1) as number
    const byId = await write({ regex: 'a,b', choices: undefined as never, stopTokenIds: [comma] })
    expect([byId.text, byId.value, byId.stopTokenId]).toEqual(['a', undefined, comma])
    // Text that is held back, since it may begin a stop sequence, belongs to the value.
    for (const stopSequences of [['##'], [']x', '"]"']]) {
      const { value, text, stopSequence } = await write({ schema, stopSequences })
      expect([value, text, stopSequence]).toEqual([whole.value, whole.text, undefined])
    }
    const word = await write({ regex: 'one|one two', choices: undefined as never, stopSequences: [' two'] })
    expect([word.text, word.value]).toEqual(['one', 'one'])
    const tokenIds = cut.tokenIds.slice(0, 2)
    const resumed = await write({ schema, stopSequences: [','], resume: { tokenIds } })
    expect([resumed.text, resumed.value, resumed.stopSequence]).toEqual([text, undefined, ','])
  })

  it('hold in several texts, the best of some, and beams', async () => {
    const options = { schema: Person, seed: 1, temperature: 1, maxTokens: 400 }
    const session = engine.session()
    for (const { session: own, generation } of await session.continuations(PROMPT, 3, options)) {
      const { value, finishReason } = await generation
      if (finishReason === 'stop') expect(Person.parse(value)).toEqual(value)
      await own.dispose()
    }
    const { completion, session: best } = await session.bestOf(PROMPT, 2, options)
    expect(Person.parse(completion.value)).toEqual(completion.value)
    await best.dispose()
    const { value } = await engine.generate(PROMPT, { choices: ['red', 'green'], beams: { width: 2 } })
    expect(['red', 'green']).toContain(value)
    await session.dispose()
  })

  it.each([
    [{ json: true, regex: 'a' }, /^json and regex were given; a text is held to one of them$/],
    [{ json: true, ignoreEos: true }, /^ignoreEos and json were given/],
    [{ choices: [] }, /^choices is an empty list/],
    [{ schema: 5 as never }, /^schema is 5; expected a JSON schema, or one of zod/],
    [{ regex: 5 as never }, /^regex is 5; expected a regular expression/],
    [{ grammar: 'start: nothing' }, /^grammar cannot be held: .*nothing/],
  ])('%j is an OptionError', async (options, message) => {
    const error = await engine.generate(PROMPT, { ...options, maxTokens: 3 }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(OptionError)
    expect((error as Error).message).toMatch(message)
  })
})

it('reasoning that the prompt opens is free, and the value comes after it', async () => {
  const chatTemplate = '{% for m in messages %}{{ m.content }}{% endfor %}<think>{% if false %}</think>{% endif %}'
  const thinker = await Engine.load(TALES, { threads: 1, kernels: 'wasm', chatTemplate })
  const messages = [{ role: 'user', content: PROMPT }] as const
  const generation = thinker.generate(messages, {
    schema: Person,
    thinkingBudget: 12,
    seed: 1,
    temperature: 1,
    maxTokens: 400,
  })
  let thoughts = ''
  let answer = ''
  for await (const { text, reasoning, partial } of generation) {
    if (reasoning) thoughts += text
    else answer += text
    if (reasoning) expect(partial).toBeUndefined()
  }
  const { text, value, finishReason } = await generation
  expect(text).toBe(thoughts + answer)
  expect(thoughts).toMatch(/^[^{]*[a-z][^{]*<\/think>$/)
  expect(finishReason).toBe('stop')
  expect(JSON.parse(answer)).toEqual(value)
  await thinker.dispose()
})
