/**
 * What this machine can do at most: bytes read and products in registers, with 1 to n threads, natively and in
 * WebAssembly (whose "int8" is its product of 16 bits where it has none of 8, which relaxed SIMD brings).
 *
 *     node scripts/bench.mjs roofline [--threads N] [--keep]
 */
import { type Limit, measureLimit } from './roofline/peaks.ts'
import { benchOptions } from './support/options.ts'
import { printJson, printTable, show, spread } from './support/report.ts'

const { threads: most, keep } = benchOptions()
const LIMITS: readonly (readonly [Limit, string])[] = [
  ['read', 'read, GB/s'],
  ['f32', 'f32 products, GFLOP/s'],
  ['bf16', 'bf16 dot, GFLOP/s'],
  ['int8', 'int8 dot, GOP/s'],
]
const rows: Record<string, unknown>[] = []
const table = [['', 'limit', 'threads', 'highest', 'median (p10 … p90)']]
for (const kind of ['native', 'wasm'] as const) {
  for (const [limit, title] of LIMITS) {
    for (let threads = 1; threads <= most; threads++) {
      const rates = (await measureLimit(kind, limit, threads))?.map(rate => rate / 1e9)
      if (!rates) continue
      const highest = rates.at(-1) as number
      rows.push({ kind, limit, threads, highest, ...spread(rates) })
      table.push([kind, title, String(threads), highest.toFixed(1), show(spread(rates), 1)])
    }
  }
}
printTable(table)
printJson('roofline', { rows }, keep)
