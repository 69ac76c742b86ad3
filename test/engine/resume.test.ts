/** An answer goes on from its ids in another engine as if nothing had happened. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type Chunk,
  type Completion,
  ContextLengthError,
  Engine,
  type LoadOptions,
  OptionError,
  type PromptOptions,
} from '../../src/index.ts'
import { createNativeKernels } from '../../src/kernels/core/node/addon.ts'
import { KERNEL_SETS } from '../support/kernel-sets.ts'
import { loadTales } from './tales.ts'

const STORY = 'Once upon a time, there was a little girl named Lily. She lived in a house in the wood. '
/** More than a cell of the path grid. */
const LONG = `${STORY.repeat(6)}The fox`
const WINDOWED = 'test/fixtures/checkpoints/gemma3-mqa'

/** Every option that a text's past matters to. */
const DRAWN: Readonly<Record<string, PromptOptions>> = {
  greedy: { temperature: 0 },
  seeded: { temperature: 1, topP: 0.95, seed: 7 },
  penalties: { temperature: 1.2, seed: 3, repetitionPenalty: 1.2, frequencyPenalty: 0.4, presencePenalty: 0.2 },
  xtc: { temperature: 1, seed: 4, xtc: { probability: 0.5, threshold: 0.05 }, typicalP: 0.9, minP: 0.01 },
  mirostat: { temperature: 1, seed: 5, mirostat: { tau: 3, eta: 0.3 }, repetitionPenalty: 1.1 },
  rules: { temperature: 1, seed: 6, dry: { multiplier: 0.8 }, bannedTexts: [' the', 'They'], minTokens: 12 },
  guesses: { temperature: 0, speculation: 'ngram' },
}

async function whole(
  engine: Engine,
  prompt: string,
  options: PromptOptions,
): Promise<Completion & { chunks: Chunk[] }> {
  const generation = engine.generate(prompt, options)
  const chunks: Chunk[] = []
  for await (const chunk of generation) chunks.push(chunk)
  return { ...(await generation), chunks }
}

/** Resumes after each of `cuts` and holds what comes to the text that nothing had interrupted. */
async function resumes(
  first: Completion & { chunks: Chunk[] },
  there: Engine,
  prompt: string,
  options: PromptOptions,
  cuts: readonly number[],
): Promise<void> {
  for (const cut of cuts) {
    const tokenIds = first.chunks.slice(0, cut).map(({ tokenId }) => tokenId)
    const rest = await whole(there, prompt, { ...options, seed: first.seed, resume: { tokenIds } })
    expect([cut, rest.text], `after ${cut}`).toEqual([cut, first.text])
    expect(rest.tokenIds).toEqual(first.tokenIds)
    expect(rest.finishReason).toBe(first.finishReason)
    // The log-probabilities are of the logits' own bits.
    expect(rest.logprobs).toEqual(first.logprobs?.slice(cut))
    expect(rest.chunks.map(({ text }) => text)).toEqual(first.chunks.slice(cut).map(({ text }) => text))
    expect(rest.usage.resumedTokens ?? 0).toBe(Math.min(cut, first.tokenIds.length))
    expect(rest.usage.completionTokens).toBe(first.tokenIds.length)
  }
}

const upTo = (n: number) => Array.from({ length: n + 1 }, (_, i) => i)

/** Instruction sets of the native kernels that this machine has. */
const ISAS = ['amx', 'avx512bf16', 'avx512', 'avx2', 'neon', 'portable']
const native = await Promise.all(
  ISAS.map(isa =>
    createNativeKernels({ isa }).then(
      kernels => {
        kernels.dispose()
        return isa
      },
      () => null,
    ),
  ),
)
const sets: readonly LoadOptions[] = [
  ...native.flatMap(isa => (isa ? [{ kernels: 'native' as const, isa }] : [])),
  { kernels: 'wasm' },
]

for (const set of sets) {
  describe(`resume, ${set.isa ?? set.kernels}`, () => {
    let here: Engine
    let there: Engine
    beforeAll(async () => {
      here = await loadTales(set)
      there = await loadTales(set)
    })
    afterAll(async () => {
      await here.dispose()
      await there.dispose()
    })

    for (const [name, drawn] of Object.entries(DRAWN)) {
      // How tokens are drawn is the same on all.
      if (set !== sets[0] && !['greedy', 'mirostat'].includes(name)) continue
      it(`after each token: ${name}`, async () => {
        const options = { ...drawn, maxTokens: 14, logprobs: 0, ignoreEos: true }
        const first = await whole(here, LONG, options)
        expect(first.tokenIds).toHaveLength(14)
        expect(first.usage.promptTokens).toBeGreaterThan(128)
        await resumes(first, there, LONG, options, upTo(14))
      })
    }

    it('with nothing cached, and beside other texts', async () => {
      const options: PromptOptions = { temperature: 1, seed: 9, maxTokens: 12, logprobs: 0, ignoreEos: true }
      const first = await whole(here, LONG, options)
      const other = there.generate(STORY, { maxTokens: 60, ignoreEos: true })
      await resumes(first, there, LONG, { ...options, reuse: false }, [1, 6, 11])
      await other
      const cold = await loadTales({ ...set, chunkSize: 32, threads: 2 })
      await resumes(first, cold, LONG, options, [5])
      await cold.dispose()
    })
  })
}

describe('resume, reference', () => {
  it('after each token, with sliding windows', async () => {
    for (const { name, missing } of KERNEL_SETS) {
      if (missing) continue
      const load: LoadOptions = { inline: true, threads: 1, kernels: name as 'reference' }
      const [here, there] = [await Engine.load(WINDOWED, load), await Engine.load(WINDOWED, load)]
      const options: PromptOptions = { temperature: 1, seed: 1, maxTokens: 10, logprobs: 0, ignoreEos: true }
      const prompt = STORY.slice(0, 60)
      await resumes(await whole(here, prompt, options), there, prompt, options, upTo(10))
      await here.dispose()
      await there.dispose()
    }
  })
})

const FAREWELL = 'They all lived happily ever after.'

/** A text of some tokens that ends by itself. */
async function endingText(engine: Engine): Promise<[string, PromptOptions]> {
  for (let seed = 0; seed < 100; seed++) {
    const options = { temperature: 1, seed, maxTokens: 30 }
    const { finishReason, tokenIds } = await engine.generate(FAREWELL, options)
    if (finishReason === 'stop' && tokenIds.length > 2) return [FAREWELL, options]
  }
  throw new Error('no seed ends the text')
}

describe('the end of a resumed answer', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await loadTales()
  })
  afterAll(() => engine.dispose())

  it('is where it would have been: end of the text, stop sequences, the context', async () => {
    const cases: [string, PromptOptions][] = [
      await endingText(engine),
      [STORY, { temperature: 0, maxTokens: 60, stopSequences: [' day', 'ily w'] }],
      [STORY, { temperature: 0, maxTokens: 60, stopSequences: ['. S', '. He', ' to'], minTokens: 6 }],
    ]
    for (const [prompt, options] of cases) {
      const given = { ...options, logprobs: 0 }
      const first = await whole(engine, prompt, given)
      expect(first.finishReason).toBe('stop')
      const cuts = upTo(first.chunks.length)
      for (const cut of cuts) {
        const tokenIds = first.chunks.slice(0, cut).map(({ tokenId }) => tokenId)
        const session = engine.session()
        const rest = await session.prompt(prompt, { ...given, resume: { tokenIds } })
        expect([cut, rest.text, rest.tokenIds, rest.finishReason]).toEqual([cut, first.text, first.tokenIds, 'stop'])
        // The timeline is that of the whole answer, and it goes on.
        expect(session.tokens.slice(-first.tokenIds.length)).toEqual(first.tokenIds)
        expect(session.cache.tokens).toBe(session.tokens.length)
        await session.dispose()
      }
    }
    const session = engine.session({ contextLength: 30 })
    const full = await session.prompt(STORY.slice(0, 40), { temperature: 0, ignoreEos: true })
    expect(full.finishReason).toBe('context')
    for (const cut of [1, full.tokenIds.length - 1, full.tokenIds.length]) {
      const other = engine.session({ contextLength: 30 })
      const resume = { tokenIds: full.tokenIds.slice(0, cut) }
      const rest = await other.prompt(STORY.slice(0, 40), { temperature: 0, ignoreEos: true, resume })
      expect([rest.text, rest.finishReason]).toEqual([full.text, 'context'])
    }
    const more = { tokenIds: [...full.tokenIds, 5] }
    await expect(
      engine.session({ contextLength: 30 }).prompt(STORY.slice(0, 40), { ignoreEos: true, resume: more }),
    ).rejects.toThrow(ContextLengthError)
  })

  it('goes on in a session that has a past, and draws on after it', async () => {
    const [a, b] = [engine.session(), engine.session()]
    const options: PromptOptions = { temperature: 1, seed: 2, maxTokens: 10, ignoreEos: true }
    for (const session of [a, b]) await session.prompt(STORY, { ...options, maxTokens: 5 })
    const first = await a.prompt(' Then', options)
    const next = await a.prompt('', { temperature: 1, maxTokens: 6, ignoreEos: true })
    const rest = await b.prompt(' Then', { ...options, resume: { tokenIds: first.tokenIds.slice(0, 4) } })
    expect(rest.text).toBe(first.text)
    expect(b.tokens.length).toBe(a.tokens.length - 6)
    const after = await b.prompt('', { temperature: 1, maxTokens: 6, ignoreEos: true })
    expect(after.text).toBe(next.text)
  })

  it('refuses what no answer can have been', async () => {
    const refused = (options: PromptOptions, message: RegExp) =>
      expect(engine.generate(STORY, options)).rejects.toThrow(message)
    const [, ending] = await endingText(engine)
    const { tokenIds } = await engine.generate(FAREWELL, ending)
    const eos = await engine.generate(FAREWELL, { ...ending, logprobs: 0 })
    const ids = [...tokenIds, ...(eos.logprobs ?? []).slice(tokenIds.length).map(({ id }) => id)]
    expect(ids).toHaveLength(tokenIds.length + 1)
    await refused({ resume: { tokenIds: [1, 99_999] } }, /^resume\.tokenIds\[1\] is 99999; expected an id/)
    await refused({ resume: { tokenIds: [1, 2, 3] }, maxTokens: 2 }, /has 3 ids and maxTokens is 2/)
    await refused({ resume: { tokenIds: [...ids, 5] } }, /goes on after its id \d+, with which the answer ends/)
    await refused({ resume: { tokenIds: [...ids, 5] }, mirostat: {} }, /goes on after its id \d+/)
    await refused({ resume: {} as { tokenIds: number[] } }, /resume has no tokenIds/)
    await refused({ resume: { tokenIds: [-1] } }, /resume\.tokenIds\[0\] is -1/)
    await refused({ resume: { tokenIds: [1] }, beams: { width: 2 } }, /resume and beams were given/)
    await expect(engine.session().continuations(STORY, 2, { resume: { tokenIds: [1] } })).rejects.toThrow(OptionError)
  })
})

describe('engine.fingerprint', () => {
  it('is equal where the bits are, and different where they are not', async () => {
    const of = async (options: LoadOptions) => {
      const engine = await loadTales(options)
      const print = await engine.fingerprint()
      await engine.dispose()
      return print
    }
    const plain = await of({ kernels: 'wasm' })
    expect(plain).toMatch(/^latentkit \S+; wasm-(simd128|relaxed-simd); .*; [0-9a-f]{32}$/)
    expect(await of({ kernels: 'wasm', threads: 2, chunkSize: 64, contextLength: 100, keptBytes: 0 })).toBe(plain)
    const others = [
      await of({ kernels: 'reference' }),
      await of({ kernels: 'wasm', cacheType: 'f32' }),
      await of({ kernels: 'wasm', weights: 'q8_0' }),
      await of({ kernels: 'wasm', weights: 'q8_0', exact: true }),
      await of({ kernels: 'wasm', chatTemplate: '{{ messages[0].content }}' }),
    ]
    expect(new Set([plain, ...others]).size).toBe(6)
  })
})
