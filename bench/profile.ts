/**
 * Where a token's time goes, by operation and amount of work, as the core's own clock has it: while a text is
 * written behind each context, and while a chunk of a prompt is read there.
 *
 *     node scripts/bench.mjs profile [mla-q8 ... | FILE] [--contexts 512,4096] [--kernels native|wasm] [--threads 2]
 *       [--models DIR] [--keep]
 */
import { Contender } from './contenders/contender.ts'
import { stream } from './contenders/stream.ts'
import { workModel } from './models/work-model.ts'
import { benchOptions } from './support/options.ts'
import { printJson, printTable } from './support/report.ts'

const CHUNK = 512
const STEPS = 16
const ROWS = 14
/** An operation with more amounts of work than this grows with every token. */
const MAX_KINDS = 12

const options = benchOptions({ contexts: [512, 4096] })
const contexts = options.contexts.toSorted((a, b) => a - b)
const results: Record<string, unknown>[] = []

for (const name of options.given.length > 0 ? options.given : ['mla-q8']) {
  const model = workModel(name, options.models)
  const ours = Contender.ours()
  await ours.ask('open', {
    ...{ model, threads: options.threads, kernels: options.kernels },
    contextLength: Math.max(...contexts) + CHUNK + 64,
  })
  for (const context of contexts) {
    const { length } = await ours.ask('truncate', { length: context })
    await ours.ask('read', { tokens: stream(length, context - length) })
    for (const read of [false, true]) {
      const tokens = stream(context, read ? CHUNK : STEPS)
      // Once to warm up, once for the clock.
      await ours.ask('profile', { tokens, read })
      await ours.ask('truncate', { length: context })
      const { ms, rows } = await ours.ask('profile', { tokens, read })
      await ours.ask('truncate', { length: context })
      const parts = merged(rows, read ? 1 : STEPS)
      const unit = read ? 'chunk' : 'token'
      const total = ms / (read ? 1 : STEPS)
      console.log(
        `\n${name}, ${read ? `${CHUNK} tokens read` : 'a token written'} behind ${context}: ${total.toFixed(2)} ms`,
      )
      printTable([
        ['operation', 'work', `times per ${unit}`, `ms per ${unit}`, 'share', 'G work/s'],
        ...parts
          .slice(0, ROWS)
          .map(p => [
            p.operation,
            p.work.toLocaleString('en-GB'),
            p.count.toFixed(0),
            p.ms.toFixed(3),
            `${((100 * p.ms) / total).toFixed(1)} %`,
            ((p.count * p.work) / p.ms / 1e6).toFixed(1),
          ]),
        ['all operations', '', '', parts.reduce((n, p) => n + p.ms, 0).toFixed(3), '', ''],
      ])
      results.push({ model: name, context, read, ms: total, parts })
    }
  }
  await ours.close()
}
printJson('profile', { kernels: options.kernels, threads: options.threads, results }, options.keep)

interface Part {
  readonly operation: string
  /** The mean where it changes from token to token. */
  readonly work: number
  readonly count: number
  readonly ms: number
}

/** Per token or chunk; an operation whose work changes from token to token is one line. */
function merged(
  rows: readonly { operation: string; work: number; count: number; seconds: number }[],
  per: number,
): Part[] {
  const kinds = new Map<string, number>()
  for (const { operation } of rows) kinds.set(operation, (kinds.get(operation) ?? 0) + 1)
  const parts = new Map<string, Part>()
  for (const { operation, work, count, seconds } of rows) {
    const key = (kinds.get(operation) ?? 0) > MAX_KINDS ? operation : `${operation} ${work}`
    const known = parts.get(key) ?? { operation, work: 0, count: 0, ms: 0 }
    const all = known.count + count / per
    parts.set(key, {
      operation,
      work: Math.round((known.work * known.count + (work * count) / per) / all),
      count: all,
      ms: known.ms + (1000 * seconds) / per,
    })
  }
  return [...parts.values()].sort((a, b) => b.ms - a.ms)
}
