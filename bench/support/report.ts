/** What every bench prints: a table, the machine, and one line of JSON at the end. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import path from 'node:path'

export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** One line for each run. */
const KEPT = path.resolve('bench', 'results', 'kept.jsonl')

/** The value below which a share of all values is. */
export function quantiles(values: readonly number[]): (share: number) => number {
  const sorted = values.toSorted((a, b) => a - b)
  return share => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** Median, and the 10th and 90th percentile. */
export function spread(values: readonly number[]): Spread {
  const at = quantiles(values)
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
    features: features(),
    cores: availableParallelism(),
    memoryGB: Math.round(totalmem() / 1e9),
    node: process.version,
    commit: commit(),
    time: new Date().toISOString(),
    load: Number(loadavg()[0]?.toFixed(2)),
  }
}

/** Instructions that decide what kernels can reach; hosted machines hide their processor's name. */
function features(): string[] {
  try {
    const flags = new Set(
      readFileSync('/proc/cpuinfo', 'utf8')
        .match(/^flags\s*:(.*)$/m)?.[1]
        ?.split(' '),
    )
    return ['avx2', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'avx_vnni', 'amx_int8'].filter(flag => flags.has(flag))
  } catch {
    return []
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

/** The last line. `keep`: bench/results/kept.jsonl gets a line with the same, rounded, and what was asked for. */
export function printJson(bench: string, results: Record<string, unknown>, keep = false): void {
  const { time, commit, ...where } = machine()
  console.log(JSON.stringify({ bench, ...results, machine: { ...where, commit, time } }))
  if (!keep) return
  // Where things lie here helps nobody elsewhere: `/models/a.gguf` is kept as `a.gguf`.
  const asked = process.argv
    .slice(2)
    .filter(argument => argument !== '--keep')
    .map(argument => argument.replaceAll(/(^|\s)\/\S*\//g, '$1'))
  const run = { time, commit, bench, arguments: asked, ...results, machine: where }
  appendFileSync(KEPT, `${JSON.stringify(run, (_, value) => (typeof value === 'number' ? rounded(value) : value))}\n`)
  console.log(`kept in ${path.relative(process.cwd(), KEPT)}`)
}

/** Four digits say what a bench can tell; counts stay as they are. */
function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(value.toPrecision(4))
}

/** Ends the bench with an error, before any number is printed, when what it measures is wrong. */
export function mustBe(what: string, correct: boolean): void {
  if (!correct) throw new Error(`not measured: ${what}`)
}
