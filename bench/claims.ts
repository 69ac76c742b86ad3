/**
 * Claims of the articles that lead to MLA, each with what it comes to here: computed by the planner, counted, or read off the engine's own
 * buffers. `--measure` times what cannot be computed, by the processor's time of one thread, and keeps it in bench/results/claims.json.
 * `--write` puts all of them into docs/claims.md, whose test holds it to them.
 *
 *     node scripts/bench.mjs claims [NAME ...] [--measure] [--write] [--json]
 */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { computedClaims, keptMeasurements } from './claims/all.ts'
import { MEASUREMENTS, type Measured } from './claims/measured.ts'
import { filledPage } from './claims/page.ts'
import { parseOptions, refuse } from './support/options.ts'
import { machine, printJson, printTable } from './support/report.ts'

const PAGE = path.resolve('docs', 'claims.md')
const KEPT = path.resolve('bench', 'results', 'claims.json')

const { values, positionals } = parseOptions({
  allowPositionals: true,
  options: {
    measure: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})
const claims = computedClaims()
const names = claims.map(({ name }) => name)
const unknown = positionals.find(name => !names.includes(name))
if (unknown !== undefined) refuse(`there is no claim ${unknown}; there are ${names.join(', ')}`)
const chosen = positionals.length > 0 ? claims.filter(({ name }) => positionals.includes(name)) : claims
if (values.measure) {
  const kept = new Map(keptMeasurements(KEPT)?.measured.map(found => [found.name, found]))
  for (const { name } of chosen) {
    const measure = MEASUREMENTS[name]
    if (measure) kept.set(name, { name, ...(await measure()) })
  }
  const measured: Measured[] = names.flatMap(name => kept.get(name) ?? [])
  writeFileSync(KEPT, `${JSON.stringify({ machine: machine(), measured }, null, 2)}\n`)
}
const kept = keptMeasurements(KEPT)
if (!values.json) {
  for (const { name, claim, verdict, found, table, command } of chosen) {
    console.log(`\n${name}: ${claim}\n${verdict.toUpperCase()}`)
    for (const sentence of found) console.log(`- ${sentence}`)
    if (table) printTable(table)
    const measured = kept?.measured.find(found => found.name === name)
    for (const sentence of measured?.found ?? []) console.log(`- ${sentence}`)
    if (measured?.table) printTable(measured.table)
    if (command) console.log(`$ ${command}`)
  }
}
if (values.write) {
  writeFileSync(PAGE, filledPage(readFileSync(PAGE, 'utf8'), claims, kept))
  console.log(`written to ${path.relative(process.cwd(), PAGE)}`)
}
printJson('claims', { claims: chosen, kept })
