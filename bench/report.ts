/** What every bench prints: a table, the machine, and one line of JSON at the end. */
import { availableParallelism, cpus, loadavg } from 'node:os'

export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** Median, and the 10th and 90th percentile. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN
  return { median: at(0.5), low: at(0.1), high: at(0.9) }
}

export function show({ median, low, high }: Spread, digits = 2): string {
  return `${median.toFixed(digits)} (${low.toFixed(digits)} … ${high.toFixed(digits)})`
}

export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0)))
  for (const row of rows) console.log(row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  '))
}

/** The machine as it is now: a load above 0 means that others took part. */
export function machine(): Record<string, unknown> {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    node: process.version,
    load: Number(loadavg()[0]?.toFixed(2)),
  }
}

export function printJson(bench: string, results: Record<string, unknown>): void {
  console.log(JSON.stringify({ bench, ...results, machine: machine() }))
}

/** Ends the bench with an error, before any number is printed, when what it measures is wrong. */
export function mustBe(what: string, correct: boolean): void {
  if (!correct) throw new Error(`not measured: ${what}`)
}
