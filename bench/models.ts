/**
 * Writes the random work models that are not there yet; other benches do so themselves when they need one.
 *
 *     node scripts/bench.mjs models [mla-q8 gqa-q8 lite-q4] [--models DIR]
 */
import { statSync } from 'node:fs'
import { workModel } from './models/work-model.ts'
import { benchOptions } from './support/options.ts'
import { printTable } from './support/report.ts'

const { given, models } = benchOptions()
const names = given.length > 0 ? given : ['mla-q8', 'gqa-q8']
printTable([
  ['model', 'MB', 'file'],
  ...names.map(name => {
    const file = workModel(name, models)
    return [name, (statSync(file).size / 1e6).toFixed(0), file]
  }),
])
