/**
 * Ours beside other engines that were built for the machine (`--against 'PROGRAM OPTIONS'`), round by round in one run:
 * ours, then each of the others, and the next round in the opposite order. Mean speed of a round counts for all.
 */
import { workModel } from '../models/work-model.ts'
import type { BenchOptions } from '../support/options.ts'
import { printJson, printTable, show, spread } from '../support/report.ts'
import { Contender } from './contender.ts'
import { LlamaBench } from './llama-bench.ts'

export interface AgainstWork {
  readonly kind: 'decode' | 'prefill'
  /** For one of `--contexts`: tokens read before the measurement (`depth`), and tokens measured. */
  test(context: number): { readonly depth: number; readonly tokens: number }
  /** Once for each context, not timed. */
  prepare(ours: Contender, context: number): Promise<void>
  /** One round of ours: milliseconds for all tokens of the test. */
  measure(ours: Contender, context: number): Promise<number>
}

export async function compareAgainst(options: BenchOptions, names: readonly string[], work: AgainstWork) {
  const { threads, kernels, rounds } = options
  const contexts = options.contexts.toSorted((a, b) => a - b)
  const others = options.against.map(command => new LlamaBench(command))
  const results: Record<string, unknown>[] = []
  const table = [
    ['model', work.kind === 'decode' ? 'context' : 'tokens', 'ours, tok/s', 'other, tok/s', 'ratio', 'other'],
  ]
  for (const name of names) {
    const model = workModel(name, options.models)
    const ours = Contender.ours()
    try {
      await ours.ask('open', { model, threads, kernels, contextLength: Math.max(...contexts) + 128 })
      for (const context of contexts) {
        const test = work.test(context)
        await work.prepare(ours, context)
        const rates = await alternate(rounds, [
          async () => (1000 * test.tokens) / (await work.measure(ours, context)),
          ...others.map(other => async () => other.measure({ model, threads, kind: work.kind, ...test })),
        ])
        const us = spread(rates[0] ?? [])
        for (const [i, other] of others.entries()) {
          const them = spread(rates[i + 1] ?? [])
          const ratio = us.median / them.median
          results.push({ model: name, ...test, ours: us, other: other.name, theirs: them, ratio })
          table.push([name, String(context), show(us, 1), show(them, 1), ratio.toFixed(2), other.name])
        }
      }
    } finally {
      await ours.close()
    }
  }
  printTable(table)
  printJson(`${work.kind}-against`, { kernels, threads, rounds, results }, options.keep)
}

/** What each entrant reached in each round. */
async function alternate(rounds: number, entrants: readonly (() => Promise<number>)[]): Promise<number[][]> {
  const rates: number[][] = entrants.map(() => [])
  const order = [...entrants.keys()]
  for (let round = 0; round < rounds; round++) {
    for (const i of order) {
      // Threads of the previous program spin for a moment after its end.
      await new Promise(resolve => setTimeout(resolve, 200))
      const rate = (await entrants[i]?.()) ?? Number.NaN
      rates[i]?.push(rate)
      console.error(`round ${round + 1}, ${i === 0 ? 'ours' : `other ${i}`}: ${rate.toFixed(1)} tok/s`)
    }
    order.reverse()
  }
  return rates
}
