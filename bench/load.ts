/**
 * From starting a process to the first token of a text, the file in the system's page cache or not, and the memory that
 * is resident then; ours and llama.cpp's, each run a process of its own. Linux.
 *
 *     node scripts/bench.mjs load [mla-q8 ... | FILE.gguf] [--rounds 5] [--kernels native|wasm] [--no-rival] [--keep]
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { Contender, rivalInstalled } from './contenders/contender.ts'
import { stream } from './contenders/stream.ts'
import { workModel } from './models/work-model.ts'
import { benchOptions } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const PROMPT = 16

interface Run {
  readonly seconds: number
  /** All resident pages, and those of them that are no file's. */
  readonly residentBytes: number
  readonly ownBytes: number
}

const { given, models, rounds, threads, kernels, rival, keep } = benchOptions()
const results: Record<string, unknown>[] = []
const table = [['model', 'who', 'pages', 'first token, s', 'resident, MB', 'of the file', 'not of files, MB']]
for (const name of given.length > 0 ? given : ['mla-q8']) {
  const model = workModel(name, models)
  const fileBytes = statSync(model).size
  for (const cold of [true, false]) {
    const runs = { ours: [] as Run[], rival: [] as Run[] }
    for (let round = 0; round < rounds; round++) {
      runs.ours.push(await run('ours', model, cold))
      if (rival && rivalInstalled) runs.rival.push(await run('rival', model, cold))
    }
    for (const [who, list] of Object.entries(runs)) {
      if (list.length === 0) continue
      const seconds = spread(list.map(r => r.seconds))
      const resident = spread(list.map(r => r.residentBytes)).median
      const own = spread(list.map(r => r.ownBytes)).median
      results.push({ model: name, who, cold, seconds, residentBytes: resident, ownBytes: own, fileBytes })
      table.push([
        ...[name, who === 'ours' ? 'ours' : 'llama.cpp', cold ? 'cold' : 'warm', show(seconds)],
        ...[(resident / 1e6).toFixed(0), (resident / fileBytes).toFixed(2), (own / 1e6).toFixed(0)],
      ])
    }
  }
}
printTable(table)
printJson('load', { kernels, threads, results }, keep)

async function run(who: 'ours' | 'rival', model: string, cold: boolean): Promise<Run> {
  if (cold) dropPages(model)
  const start = performance.now()
  const contender = who === 'ours' ? Contender.ours() : Contender.rival()
  await contender.ask('open', { model, threads, ...(who === 'ours' && { kernels }) })
  await contender.ask('read', { tokens: stream(0, PROMPT) })
  await contender.ask('write', { tokens: stream(PROMPT, 1) })
  const seconds = (performance.now() - start) / 1000
  const status = readFileSync(`/proc/${contender.processId}/status`, 'utf8')
  const bytes = (field: string) => 1024 * Number(status.match(new RegExp(`${field}:\\s*(\\d+)`))?.[1])
  await contender.close()
  return { seconds, residentBytes: bytes('VmRSS'), ownBytes: bytes('RssAnon') + bytes('RssShmem') }
}

/** Asks the system to forget what it holds of a file. */
function dropPages(file: string): void {
  const { status } = spawnSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0', 'status=none'])
  mustBe('dd cannot drop a file from the page cache here', status === 0)
}
