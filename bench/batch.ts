/**
 * Tokens per second of 1 to 16 texts written together: weights are read once for all, each cache once for its own text.
 *
 *     node scripts/bench.mjs batch [mla-q8 ... | FILE] [--contexts 512] [--rounds 5] [--kernels native|wasm] [--keep]
 */
import { Contender } from './contenders/contender.ts'
import { workModel } from './models/work-model.ts'
import { benchOptions } from './support/options.ts'
import { mustBe, printJson, printTable, show, spread } from './support/report.ts'

const SEQUENCES = [1, 2, 4, 8, 16]
const STEPS = 16
const WARM_UP = 2

const { given, models, contexts, rounds, threads, kernels, keep } = benchOptions({ contexts: [512] })
const results: Record<string, unknown>[] = []
const table = [['model', 'context', 'texts', 'together, tok/s', 'of one text']]
for (const name of given.length > 0 ? given : ['mla-q8']) {
  const ours = Contender.ours()
  await ours.ask('open', { model: workModel(name, models), threads, kernels })
  for (const length of contexts) {
    let alone = Number.NaN
    let firstText: readonly number[] = []
    for (const sequences of SEQUENCES) {
      const runs = []
      for (let i = 0; i < rounds; i++) {
        runs.push(await ours.ask('writeTogether', { sequences, length, steps: STEPS + WARM_UP }))
      }
      if (sequences === 1) firstText = runs[0]?.likeliest ?? []
      mustBe(
        `the first of ${sequences} texts is not what it is alone`,
        runs.every(({ likeliest }) => likeliest.every((id, i) => id === firstText[i])),
      )
      const rate = spread(runs.map(({ ms }) => (1000 * sequences) / spread(ms.slice(WARM_UP)).median))
      if (sequences === 1) alone = rate.median
      results.push({ model: name, context: length, sequences, rate, ratio: rate.median / alone })
      table.push([name, String(length), String(sequences), show(rate, 1), `${(rate.median / alone).toFixed(2)} x`])
    }
  }
  await ours.close()
}
printTable(table)
printJson('batch', { kernels, threads, results }, keep)
