import { afterAll, beforeAll, describe, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { TRAINING_NAMES } from '../../src/kernels/operations/table.ts'
import { runBehaviour } from './behaviour.ts'
import { type ConformanceCase, title } from './case.ts'
import { CASES } from './cases/index.ts'
import { checkCase, type ResultStore, runCase, sameBits } from './check.ts'
import { runProperties, runRowProperties } from './properties.ts'

export type { ResultStore }

export interface ConformanceOptions {
  readonly name: string
  readonly make: () => Promise<Kernels>
  /** Tests that this implementation is excused from, by their title, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[]
  /** The entry of `TOLERANCES` for a case in which this implementation may round more than others. */
  readonly tolerance?: (c: ConformanceCase) => ConformanceCase['tolerance']
  /** Which cases: without those of operations that only training records, only those, or all. Default all. */
  readonly cases?: 'texts' | 'training'
  /**
   * Results of an implementation that must give the same bits: another thread count. Filled by its own run, which held them to the
   * reference.
   */
  readonly sameBitsAs?: ResultStore
  /** Where this run leaves its results for such a comparison. */
  readonly store?: ResultStore
}

/** Holds a kernel set to the reference: every case, the behaviour around them, and the properties. */
export function runConformance(options: ConformanceOptions): void {
  describe(options.name, () => {
    let kernels: Kernels
    beforeAll(async () => {
      kernels = await options.make()
    })
    afterAll(() => kernels?.dispose())
    const skipped = new Map(options.skip?.flatMap(({ reason, tests }) => tests.map(test => [test, reason] as const)))
    const test = (name: string, run: () => Promise<void>) => {
      if (skipped.has(name)) it.skip(`${name} (${skipped.get(name)})`)
      else it(name, run)
    }

    const counts = (op: string) => !options.cases || TRAINING_NAMES.includes(op) === (options.cases === 'training')
    for (const c of CASES) {
      if (!counts(c.op)) continue
      test(title(c), async () => {
        if (options.sameBitsAs) return sameBits(await runCase(c, kernels), options.sameBitsAs.get(title(c)))
        const results = await checkCase(c, kernels, options.tolerance?.(c))
        options.store?.set(title(c), results)
      })
    }
    runRowProperties(test, () => kernels, counts)
    if (options.cases === 'training') return
    runBehaviour(test, () => kernels, options.make)
    runProperties(test, () => kernels)
  })
}
