/**
 * This build beside that of another checkout, alternating in one run: decoding, prefill, a batch of texts, the bundled
 * model (where the time outside kernels counts most) and the first token. A ratio above 1 means that this build is faster.
 *
 *     node scripts/bench.mjs compare CHECKOUT [--rounds 9] [--threads 2]
 *
 * The larger model is SmolLM2. CHECKOUT is a folder with both of its builds, `dist` and `build/latentkit.node`. Each build loads its models once, in a
 * process of its own. Both must write the same texts.
 */
import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { workModel } from './models/work-model.ts'
import { benchOptions, refuse } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const TALES = 'models/tales-mla-8m'
const STORY = 'Once upon a time there was a king who had three sons, and the youngest of them was kind. '

/** What one process measures of one build, by name: seconds, and what was written. */
export type Measured = readonly [seconds: number, text: string]

if (process.send) await serve()
else await compare()

async function compare(): Promise<void> {
  const options = benchOptions({ rounds: 9 })
  const [other] = options.given
  if (!other || options.given.length > 1) refuse('one CHECKOUT is expected')
  const roots = [process.cwd(), path.resolve(other)]
  for (const root of roots) {
    for (const file of ['dist/src/index.js', 'build/latentkit.node']) {
      if (!existsSync(path.join(root, file))) refuse(`${path.join(root, file)} is not there: both builds are needed`)
    }
  }
  const workers = roots.map(root =>
    fork(fileURLToPath(import.meta.url), [root, String(options.threads), workModel('smollm2', options.models)]),
  )
  const names = ['decode', 'decode, bundled model', 'prefill', 'prefill, bundled model', 'batch of 8']
  const results: Record<string, unknown> = {}
  const rows = [['', 'this build, ms', 'the other, ms', 'ratio']]
  for (const name of [...names, 'first token']) {
    const times: [number[], number[]] = [[], []]
    for (let round = -1; round < options.rounds; round++) {
      const measured: Measured[] = []
      // Whoever is second finds the machine as the first left it: they change places.
      for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
        measured[which] =
          name === 'first token' ? firstToken(roots[which] as string) : await ask(workers[which] as Worker, name)
      }
      const [ours, theirs] = measured as [Measured, Measured]
      mustBe(`${name}: the texts differ: ${ours[1]} and ${theirs[1]}`, ours[1] === theirs[1])
      if (round < 0) continue
      times[0].push(ours[0] * 1e3)
      times[1].push(theirs[0] * 1e3)
    }
    const ratio = spread(times[1].map((ms, i) => ms / (times[0][i] as number)))
    results[name] = { ours: spread(times[0]), other: spread(times[1]), ratio }
    rows.push([name, show(spread(times[0]), 1), show(spread(times[1]), 1), show(ratio, 3)])
  }
  for (const worker of workers) worker.kill()
  printTable(rows)
  printJson('compare', { rounds: options.rounds, results })
}

type Worker = ReturnType<typeof fork>

async function ask(worker: Worker, name: string): Promise<Measured> {
  worker.send(name)
  const [answer] = await once(worker, 'message')
  return answer as Measured
}

/** Seconds of a whole process that writes one token, from its start to its end. */
function firstToken(root: string): Measured {
  const args = ['dist/apps/cli/main.js', 'generate', STORY, '--max-tokens', '1', '--temperature', '0']
  const start = performance.now()
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' })
  mustBe(`generate ended with ${status}`, status === 0)
  return [(performance.now() - start) / 1e3, stdout]
}

/** The other end of `ask`: one build's engine. */
async function serve(): Promise<void> {
  const [root = '', threads = '2', large = ''] = process.argv.slice(2)
  const { Engine } = (await import(
    pathToFileURL(path.join(root, 'dist', 'src', 'index.js')).href
  )) as typeof import('../src/index.ts')
  const load = (model: string) =>
    Engine.load(model, { threads: Number(threads), kernels: 'native', contextLength: 2048 })
  const [tales, work] = [await load(TALES), await load(large)]
  const greedy = { temperature: 0 } as const
  let seed = 0

  async function once(
    engine: Awaited<ReturnType<typeof load>>,
    prompt: string,
    maxTokens: number,
    part: 'promptMs' | 'generationMs',
  ): Promise<Measured> {
    const session = engine.session()
    const { timings, tokenIds } = await session.prompt(prompt, { ...greedy, maxTokens })
    await session.dispose()
    return [timings[part] / 1e3, tokenIds.join()]
  }
  const measures: Record<string, () => Promise<Measured>> = {
    decode: () => once(work, STORY.repeat(24), 24, 'generationMs'),
    'decode, bundled model': () => once(tales, STORY, 200, 'generationMs'),
    // A new beginning each time: rows of an earlier prompt are not computed again.
    prefill: () => once(work, `${seed++} ${STORY.repeat(24)}`, 1, 'promptMs'),
    'prefill, bundled model': () => once(tales, `${seed++} ${STORY.repeat(40)}`, 1, 'promptMs'),
    'batch of 8': async () => {
      const start = performance.now()
      const texts = await Promise.all(
        Array.from({ length: 8 }, (_, i) => tales.generate(`${i} ${STORY}`, { ...greedy, maxTokens: 64 })),
      )
      return [(performance.now() - start) / 1e3, texts.map(t => t.tokenIds.join()).join(';')]
    },
  }
  process.on('message', async name => process.send?.(await (measures[name as string] as () => Promise<Measured>)()))
}
