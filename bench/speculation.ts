/**
 * Tokens per second with guessing ahead and without, where it should help (a text that repeats its prompt) and where it
 * cannot (a story), greedy and sampled. The text must be the same. `tales` and `smollm2` look up what followed before;
 * `smollm2-draft` is SmolLM2 in bf16 with its own Q4_1 file as draft model, of a third of the bytes; `mtp` guesses with a model's module of
 * multi-token prediction, and a folder's name does so with the model in it.
 *
 *     node scripts/bench.mjs speculation [tales|smollm2|smollm2-draft|mtp|FOLDER ...] [--rounds 3] [--threads 2]
 *       [--kernels native|wasm] [--keep]
 */
import { existsSync, readFileSync } from 'node:fs'
import { Engine, type LoadOptions, type Message, type PromptOptions, type SpeculationKind } from '../src/index.ts'
import { benchOptions, oneOf } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const TALES = 'models/tales-mla-8m'
const SMOLLM2 = '../shared/models/smollm2-135m-instruct'

interface Work {
  readonly what: string
  readonly prompt: string | readonly Message[]
  readonly options: PromptOptions
}

const fairytale = () => readFileSync('../shared/data/fairytales.txt', 'utf8').slice(20_000, 20_700)
const story = { role: 'user', content: 'Tell me a story about a lighthouse keeper and a storm.' }
const GREEDY = { temperature: 0, ignoreEos: true }
/** A story that no one has told: the temperature is high, so that nothing repeats. */
const SAMPLED = { temperature: 1, topP: 1, seed: 3, ignoreEos: true }

interface Bench {
  readonly source: string
  readonly load?: LoadOptions
  readonly kind: SpeculationKind
  readonly tokens: number
  readonly work: () => Work[]
}

const smollm2 = {
  source: SMOLLM2,
  tokens: 150,
  work: (): Work[] => [
    {
      what: 'repeat this text',
      prompt: [{ role: 'user', content: `Repeat this text word for word:\n\n${fairytale()}` }],
      options: GREEDY,
    },
    { what: 'story, greedy', prompt: [story], options: GREEDY },
    { what: 'story, sampled', prompt: [story], options: SAMPLED },
  ],
}

const stories = (): Work[] => [
  { what: 'story, greedy', prompt: 'Once upon a time', options: GREEDY },
  {
    what: 'story as `npm start`',
    prompt: 'Once upon a time',
    options: { temperature: 0.7, topP: 1, minP: 0.1, repetitionPenalty: 1.05, seed: 3, ignoreEos: true },
  },
  { what: 'story, sampled', prompt: 'Once upon a time', options: SAMPLED },
]
const mtp: Bench = { source: TALES, kind: 'mtp', load: { mtp: 'on' }, tokens: 300, work: stories }

const BENCHES: Readonly<Record<string, Bench>> = {
  tales: {
    source: TALES,
    kind: 'ngram',
    tokens: 300,
    work: () => [
      { what: 'a verse again and again', prompt: 'La la la, sang the bird. La la la,', options: GREEDY },
      { what: 'story, greedy', prompt: 'Once upon a time', options: GREEDY },
      { what: 'story, sampled', prompt: 'Once upon a time', options: SAMPLED },
    ],
  },
  smollm2: { ...smollm2, kind: 'ngram' },
  mtp,
  'smollm2-draft': { ...smollm2, kind: 'draft', load: { weights: 'bf16', draft: SMOLLM2 } },
}

const { given, rounds, threads, kernels, keep } = benchOptions({ rounds: 3 })
const results: Record<string, unknown>[] = []
const table = [['model', 'text', 'off, tok/s', 'on, tok/s', 'speed-up', 'guesses held']]
// The bundled model may have no such module.
for (const name of given.length > 0 ? given : Object.keys(BENCHES).filter(name => name !== 'mtp')) {
  const known = existsSync(name) ? { ...mtp, source: name } : BENCHES[oneOf(name, 'the bench', Object.keys(BENCHES))]
  const { source, load, kind, tokens, work } = known as Bench
  const engine = await Engine.load(source, { kernels, threads, ...load })
  for (const { what, prompt, options } of work()) {
    const ask = (speculation: SpeculationKind) =>
      engine.generate(prompt, { ...options, maxTokens: tokens, speculation })
    const rates: Record<'off' | 'on', number[]> = { off: [], on: [] }
    let [drafted, accepted] = [0, 0]
    await ask('off')
    for (let round = 0; round < rounds; round++) {
      const [off, on] = [await ask('off'), await ask(kind)]
      mustBe(`${name}, ${what}: the texts differ`, off.tokenIds.join() === on.tokenIds.join())
      rates.off.push(off.timings.tokensPerSecond)
      rates.on.push(on.timings.tokensPerSecond)
      ;({ draftTokens: drafted, acceptedTokens: accepted } = on.usage)
    }
    const speedUp = spread(rates.on.map((rate, i) => rate / (rates.off[i] as number)))
    const [off, on] = [spread(rates.off), spread(rates.on)]
    results.push({ model: name, what, off, on, speedUp, drafted, accepted, tokens })
    table.push([name, what, show(off, 1), show(on, 1), show(speedUp), `${accepted} of ${drafted}`])
  }
  await engine.dispose()
}
printTable(table)
printJson('speculation', { kernels, threads, results }, keep)
