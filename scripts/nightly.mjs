// The checks that take too long for `npm test`, one after the other. All are run, whatever becomes of the others; what each
// says is shown as it comes, a summary at the end, and the exit code is 1 if one has failed.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const VITEST = ['node_modules/vitest/vitest.mjs', 'run', '--reporter=verbose']
const SOAK_MINUTES = 60

const CHECKS = {
  kills: {
    what: 'a writer of blocks is killed 500 times while another process reads',
    args: () => [...VITEST, 'test/cache/disk-store.test.ts', '-t', 'killed'],
    env: { LATENTKIT_KILLS: '500' },
  },
  interleavings: {
    what: '800 random orders of prompts, forks, drops, saves, restores and kills against recomputing',
    args: () => [...VITEST, 'test/engine/interleavings.test.ts'],
    env: { LATENTKIT_INTERLEAVINGS: '200' },
  },
  fuzz: { what: 'hostile files, with a seed of its own', args: () => ['scripts/fuzz.mjs'] },
  checkpoints: {
    what: 'every checkpoint of the fixtures on WebAssembly: both paths, three ways of prefill, three cache types',
    args: () => [...VITEST, 'test/model/checkpoints/wasm.test.ts'],
    env: { LATENTKIT_CHECKPOINTS: 'all' },
  },
  continuations: {
    what: 'the greedy continuations of SmolLM2, whole, as transformers has them',
    args: () => [...VITEST, 'test/model/smollm2.test.ts'],
    env: { LATENTKIT_CONTINUED: '64' },
  },
  perplexity: {
    what: 'the perplexity of SmolLM2 over 20 windows, as transformers has it',
    args: () => [...VITEST, 'test/evaluation/smollm2.test.ts'],
    env: { LATENTKIT_PERPLEXITY_WINDOWS: '20' },
  },
  modules: {
    what: 'the six modules of the core in prebuilt/ are what its sources give (skipped without clang 19)',
    args: () => [...VITEST, 'test/kernels/wasm.test.ts'],
    env: { LATENTKIT_MODULES: '1' },
  },
  grammar: {
    what: 'prebuilt/grammar.wasm is what its sources give (skipped without Rust)',
    args: () => [...VITEST, 'test/grammar/wasm.test.ts'],
    env: { LATENTKIT_GRAMMAR_BUILD: '1' },
  },
  training: {
    what: '20 steps of training on every kernel set against transformers in float64',
    args: () => [...VITEST, 'test/training/fixtures.test.ts'],
    env: { LATENTKIT_TRAINING_STEPS: '20' },
  },
  'kills-of-training': {
    what: 'a run of training is killed 50 times and ends with the same bits',
    args: () => [...VITEST, 'test/training/kills.test.ts'],
    env: { LATENTKIT_TRAINING_KILLS: '50' },
  },
  'texts-of-training': {
    what: 'a run learns from 300 MB of text with a heap of 256 MB',
    args: () => [...VITEST, 'test/training/texts.test.ts'],
    env: { LATENTKIT_TRAINING_TEXT_MB: '300' },
  },
  schemas: {
    what: '500 generated schemas, and those in the folders of LATENTKIT_SCHEMAS: all that is written validates',
    args: () => [...VITEST, 'test/grammar/collection.test.ts'],
    env: { LATENTKIT_SCHEMAS: process.env.LATENTKIT_SCHEMAS ?? 'test/grammar' },
  },
  answers: {
    what: '500 schemas and 200 sets of tools on SmolLM2 at temperature 1, 3 seeds: answers end, and validate',
    args: () => [...VITEST, 'test/engine/answers.test.ts'],
    env: {
      LATENTKIT_ANSWERS: process.env.LATENTKIT_ANSWERS ?? '500',
      LATENTKIT_SCHEMAS: process.env.LATENTKIT_SCHEMAS ?? '',
    },
  },
  served: {
    what: '100 schemas and sets of tools of the day over HTTP, by three APIs, streamed and not: what the library answers or refuses',
    args: () => [...VITEST, 'test/server/schemas.test.ts'],
    env: {
      LATENTKIT_SERVED: process.env.LATENTKIT_SERVED ?? '100',
      LATENTKIT_SERVED_SEED:
        process.env.LATENTKIT_SERVED_SEED ?? new Date().toISOString().slice(0, 10).replaceAll('-', ''),
      LATENTKIT_SCHEMAS: process.env.LATENTKIT_SCHEMAS ?? '',
    },
  },
  families: {
    what: "forced calls of random weights in the tokens and templates of 17 models' families, by every API",
    args: () => [...VITEST, 'test/server/families.test.ts'],
    env: { LATENTKIT_FAMILIES: 'all' },
  },
  openapi: {
    what: 'schemathesis over /openapi.json (skipped where it is not installed): no status 500, answers as described',
    args: () => ['scripts/schemathesis.mjs'],
  },
  clients: {
    what: "OpenAI's, Anthropic's, Ollama's clients, the AI SDK and LangChain in two sets of versions (skipped where npm has not got them)",
    args: () => ['scripts/clients.mjs'],
  },
  calls: {
    what: '20 sets of tools in each format over real vocabularies, any allowed token drawn: every call is whole and valid',
    args: () => [...VITEST, 'test/grammar/contrary-calls.test.ts'],
    env: { LATENTKIT_CALLS: process.env.LATENTKIT_CALLS ?? '20' },
  },
  numbers: {
    what: 'families with other sizes, seeds and switches, made by transformers in float64: every way of computing them (LATENTKIT_PYTHON)',
    args: () => [...VITEST, 'test/interop/families.test.ts', 'test/interop/encoder-decoders.test.ts'],
    env: {
      LATENTKIT_DRAWN_FAMILIES: process.env.LATENTKIT_DRAWN_FAMILIES ?? '60',
      LATENTKIT_FAMILY_SEED:
        process.env.LATENTKIT_FAMILY_SEED ?? String(1 + (Math.floor(Date.now() / 86_400_000) % 900)),
    },
  },
  inspect: {
    what: 'one head of 4,096 tokens of SmolLM2 within a second, the text read once',
    args: () => [...VITEST, 'test/reading/speed.test.ts'],
    env: { LATENTKIT_LONG: '1' },
  },
  explorer: {
    what: 'every view of the explorer in Chromium at three widths in both themes, without serious findings of axe; its times: first pattern, 7,808 patterns, 4,096 tokens',
    args: () => [...VITEST, 'test/explorer'],
    env: { LATENTKIT_EXPLORER: 'all' },
  },
  hostile: {
    what: '1,000 damaged bodies for each endpoint of the server, with a seed of the day: it answers or refuses, never fails',
    args: () => [...VITEST, 'test/server/hostile.test.ts'],
    env: {
      LATENTKIT_HOSTILE: process.env.LATENTKIT_HOSTILE ?? '1000',
      LATENTKIT_HOSTILE_SEED: process.env.LATENTKIT_HOSTILE_SEED ?? new Date().toISOString().slice(0, 10),
    },
  },
  web: {
    what: 'examples/browser as vite and webpack build it, latentkit/browser in Firefox, all cases of kernels and models in Chromium',
    args: () => ['test/interop/web/install.mjs'],
    env: { LATENTKIT_PAGE_CASES: 'all' },
  },
  runtimes: {
    what: 'latentkit and latentkit/browser in Deno and Bun; memory beyond 4 GiB in Node 24',
    args: () => ['test/interop/runtimes/run.mjs'],
  },
  address: sanitized('address', 'AddressSanitizer'),
  undefined: sanitized('undefined', 'UndefinedBehaviorSanitizer'),
  thread: sanitized('thread', 'ThreadSanitizer'),
  soak: {
    what: 'random traffic under a budget: bytes counted as allocated, resident memory flat',
    args: minutes => ['scripts/bench.mjs', 'soak', '--minutes', minutes],
  },
  'soak-server': {
    what: 'mixed traffic, clients that leave, two kills: no status 500, the same texts, resident memory flat',
    args: minutes => ['scripts/soak-server.mjs', '--minutes', String(Math.min(Number(minutes), 30))],
  },
}

function sanitized(kind, name) {
  return {
    what: `kernels, disk cache and engine with the core under ${name}`,
    args: () => ['scripts/sanitized.mjs', kind],
  }
}

const { names, minutes } = readArguments()
const outcomes = []
for (const name of names) {
  const { what, args, env } = CHECKS[name]
  console.log(`\n${new Date().toTimeString().slice(0, 8)} ${name}: ${what}`)
  const began = Date.now()
  const { status } = spawnSync(process.execPath, args(minutes), {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, ...env },
    stdio: 'inherit',
  })
  outcomes.push(`${status === 0 ? 'passed' : 'FAILED'} ${name}, ${((Date.now() - began) / 60_000).toFixed(1)} min`)
  if (status !== 0) process.exitCode = 1
}
console.log(`\n${outcomes.join('\n')}`)

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        'soak-minutes': { type: 'string', default: String(SOAK_MINUTES) },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help || positionals[0] === 'help') {
      console.log(usage())
      process.exit(0)
    }
    const wrong = positionals.find(name => !Object.hasOwn(CHECKS, name))
    if (wrong !== undefined) throw new Error(`there is no check ${JSON.stringify(wrong)}`)
    const minutes = values['soak-minutes']
    if (!(Number(minutes) > 0)) throw new Error(`--soak-minutes is ${minutes}; expected a number above 0`)
    return { names: positionals.length > 0 ? positionals : Object.keys(CHECKS), minutes }
  } catch (error) {
    console.error(`${error.message}\n\n${usage()}`)
    process.exit(2)
  }
}

function usage() {
  const width = Math.max(...Object.keys(CHECKS).map(name => name.length)) + 2
  const lines = Object.entries(CHECKS).map(([name, { what }]) => `  ${name.padEnd(width)}${what}`)
  return `usage: npm run nightly -- [check ...] [--soak-minutes ${SOAK_MINUTES}]\n\nWithout names, all of:\n${lines.join('\n')}`
}
