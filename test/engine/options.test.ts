/** Options and arguments as plain JavaScript may give them, at every door of the engine: an OptionError that names what was wrong. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Engine, OptionError, openTokenizer, type Session } from '../../src/index.ts'
import { convertModel, inspectModel, measurePerplexity } from '../../src/tools.ts'
import { loadTales, PLAIN_TEMPLATE, TALES } from './tales.ts'

type Wrong = never

describe('what is wrong is refused by name', () => {
  let engine: Engine
  let session: Session
  beforeAll(async () => {
    engine = await loadTales({ chatTemplate: PLAIN_TEMPLATE })
    session = engine.session()
  })
  afterAll(() => engine.dispose())

  const refused = async (work: () => unknown, message: RegExp | string) => {
    const error = await (async () => work())().catch((e: unknown) => e)
    expect(error).toBeInstanceOf(OptionError)
    expect((error as Error).message).toMatch(message)
  }
  const user = [{ role: 'user', content: 'x' }]

  /** Each call with options in its last place. */
  const doors: Readonly<Record<string, (options: Wrong) => unknown>> = {
    load: o => loadTales(o),
    session: o => engine.session(o),
    restore: o => engine.restore('x', o),
    tokenize: o => engine.tokenize('x', o),
    detokenize: o => engine.detokenize([1], o),
    applyChatTemplate: o => engine.applyChatTemplate(user, o),
    generate: o => engine.generate('x', o),
    prompt: o => session.prompt('x', o),
    continuations: o => session.continuations('x', 2, o),
    bestOf: o => session.bestOf('x', 2, o),
    save: o => session.save('x', o),
    convertModel: o => convertModel(TALES, 'x', o),
    inspectModel: o => inspectModel(TALES, o),
    openTokenizer: o => openTokenizer(TALES, o),
    measurePerplexity: o => measurePerplexity(TALES, 'x', o),
  }

  it.each(Object.keys(doors))('options of %s: misspelt, null, no object, hostile', async name => {
    const door = doors[name] as (options: Wrong) => unknown
    await refused(() => door({ colour: 1 } as Wrong), /has no option colour; expected \w+/)
    // Where it is spread into other options it is no object of its own any more.
    if (name !== 'load') {
      await refused(() => door(null as Wrong), /^The options of \w+ are null; expected an object$/)
      await refused(() => door('text' as Wrong), /^The options of \w+ are "text"/)
    }
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('mine')
        },
      },
    )
    if (name !== 'load') await refused(() => door(hostile as Wrong), /cannot be read: mine/)
  })

  it.each([
    ['load', { thread: 1 }, 'threads'],
    ['load', { kernel: 'native' }, 'kernels'],
    ['session', { contextlength: 8 }, 'contextLength'],
    ['prompt', { max_tokens: 3 }, 'maxTokens'],
    ['prompt', { beams: { widht: 2 } }, 'width'],
    ['generate', { temprature: 1 }, 'temperature'],
    ['restore', { recompite: true }, 'recompute'],
    ['convertModel', { weight: 'f16' }, 'weights'],
  ])('%s with %o: did you mean %s?', (name, options, meant) =>
    refused(() => (doors[name] as (o: Wrong) => unknown)(options as Wrong), `did you mean ${meant}?`),
  )

  it.each<[Record<string, unknown>, RegExp]>([
    [{ maxTokens: Number.POSITIVE_INFINITY }, /^maxTokens is Infinity; expected a whole number, 0 or more/],
    [{ maxTokens: '5' }, /^maxTokens is "5"/],
    [{ seed: '7' }, /^seed is "7"/],
    [{ seed: 7n }, /^seed is 7n/],
    [{ temperature: null }, /^temperature is null/],
    [{ stopSequences: 'x' }, /^stopSequences is "x"; expected a list of texts/],
    [{ stopSequences: ['x', 5] }, /^stopSequences\[1\] is 5/],
    [{ presencePenalty: 5 }, /^presencePenalty is 5; expected a number from -2 to 2/],
    [{ signal: { aborted: false } }, /^signal is an object; expected an AbortSignal/],
    [{ ignoreEos: 'yes' }, /^ignoreEos is "yes"; expected true or false/],
    [{ tools: [{ f: () => 1 }] }, /^tools\[0\]\.f is a function/],
    [{ templateVariables: { a: { b: Symbol('s') } } }, /^templateVariables\.a\.b is a symbol/],
    [{ templateVariables: [] }, /^templateVariables is an empty list; expected an object/],
  ])('prompt with %o', (options, message) => refused(() => session.prompt('x', options as Wrong), message))

  it('arguments that are none', async () => {
    const circle: unknown[] = []
    circle.push(circle)
    for (const prompt of [5, null, undefined, {}, new Map(), Symbol('s'), () => 'x']) {
      await refused(() => session.prompt(prompt as Wrong), /^prompt is /)
      await refused(() => engine.generate(prompt as Wrong), /^prompt is /)
    }
    await refused(() => session.prompt([{ role: 'user', content: circle }] as Wrong), /contains itself/)
    const picture = [{ type: 'text', text: 'x' }, { type: 'image_url' }]
    await refused(
      () => session.prompt([{ role: 'user', content: picture }] as Wrong),
      /content\[1\].*"image_url".*text only/,
    )
    await refused(() => engine.applyChatTemplate('x' as Wrong), /^messages is "x"/)
    for (const text of [5, null, ['x']]) await refused(() => engine.tokenize(text as Wrong), /^text is /)
    for (const [ids, message] of [
      [[1, -1], /^tokenIds\[1\] is -1; expected a token id/],
      [[Number.NaN], /^tokenIds\[0\] is NaN/],
      [['1'], /^tokenIds\[0\] is "1"/],
      [new Array(2), /^tokenIds\[0\] is undefined/],
      ['1 2', /^tokenIds is "1 2"; expected a list/],
      [null, /^tokenIds is null/],
      [{ length: 1e12 }, /^tokenIds is an object/],
    ] as const) {
      await refused(() => engine.detokenize(ids as Wrong), message)
    }
    expect(await engine.detokenize(Int32Array.from(await engine.tokenize('A fox.')) as unknown as number[])).toBe(
      'A fox.',
    )
    for (const n of [0, -1, 1.5, Number.NaN, '2', null, undefined]) {
      await refused(() => session.continuations('x', n as Wrong), /^n is .*; expected a whole number from 1 to 1024/)
      await refused(() => session.bestOf('x', n as Wrong), /^n is /)
    }
    await refused(() => session.drop(-1, 2), /^from is -1/)
    await refused(() => session.drop(0, 1.5), /^to is 1\.5/)
    for (const file of ['', 5, null]) {
      await refused(() => session.save(file as Wrong), /^file is /)
      await refused(() => engine.restore(file as Wrong), /^file is /)
    }
    expect((await session.prompt('x', { maxTokens: 1, temperature: 0 })).tokenIds).toHaveLength(1)
  })
})

describe('a function of the caller that throws while a model loads', () => {
  const mine = new Error('mine')
  it.each([
    [
      'at once',
      () => {
        throw mine
      },
    ],
    [
      'later',
      async () => {
        throw mine
      },
    ],
  ])('%s: loading rejects with it', async (_, onProgress) => {
    await expect(loadTales({ onProgress })).rejects.toBe(mine)
  })
})
