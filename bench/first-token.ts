/**
 * From pressing return to the first token of the bundled model, Node's own start included: the command line as a user
 * starts it, files in the page cache. At most 500 ms is the aim.
 *
 *     node scripts/bench.mjs first-token [runs]
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { positive } from './support/options.ts'
import { mustBe, printJson, printTable, type Spread, show, spread } from './support/report.ts'

const CLI = fileURLToPath(new URL('../apps/cli/main.js', import.meta.url))
const INDEX = new URL('../src/index.js', import.meta.url).href
const PROMPT = 'Once upon a time, there was a little girl named Lily.'
const EXPECTED = ' She loved to play'

/** A program that does nothing else, to tell the engine's share from the command line's. */
const ENGINE_ONLY = `
  import { Engine } from '${INDEX}'
  const engine = await Engine.load('models/tales-mla-8m')
  for await (const { text } of engine.generate(${JSON.stringify(PROMPT)}, { maxTokens: 4, temperature: 0 })) process.stdout.write(text)
  await engine.dispose()`

interface Run {
  /** Milliseconds from the spawn to the first byte on stdout. */
  readonly first: number
  readonly all: number
  readonly text: string
}

function run(args: readonly string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
    let first = Number.NaN
    let text = ''
    child.stdout.on('data', (data: Buffer) => {
      if (Number.isNaN(first)) first = performance.now() - start
      text += data.toString()
    })
    child.on('error', reject)
    child.on('close', () => resolve({ first, all: performance.now() - start, text }))
  })
}

const cases: Record<string, readonly string[]> = {
  'latentkit generate': [CLI, 'generate', PROMPT, '--max-tokens', '4', '--temperature', '0'],
  'engine alone': ['--input-type=module', '-e', ENGINE_ONLY],
  'node -e 0': ['-e', 'console.log(0)'],
}
const runs = positive(process.argv[2] ?? '15', 'the number of runs')
const results: Record<string, Spread> = {}
for (const [name, args] of Object.entries(cases)) {
  const warm = await run(args)
  if (name !== 'node -e 0') mustBe(`${name} wrote ${JSON.stringify(warm.text)}`, warm.text.includes(EXPECTED))
  const firsts: number[] = []
  for (let i = 0; i < runs; i++) firsts.push((await run(args)).first)
  results[name] = spread(firsts)
}
printTable([
  ['ms to the first byte', 'median (p10 … p90)'],
  ...Object.entries(results).map(([name, s]) => [name, show(s, 0)]),
])
printJson('first-token', { runs, ms: results })
