import { afterAll, beforeAll, describe, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { difference } from '../support/compare.ts'
import { Rng } from '../support/rng.ts'
import { runBehaviour } from './behaviour.ts'
import { type ConformanceCase, title } from './case.ts'
import { CASES } from './cases/index.ts'
import { Lab, type Result } from './lab.ts'
import { runProperties } from './properties.ts'
import { type Allowed, allowedFor } from './tolerances.ts'

export interface ConformanceOptions {
  readonly name: string
  readonly make: () => Promise<Kernels>
  /** Tests that this implementation is excused from, by their title, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[]
  /** Results of an implementation that must give the same bits: another thread count. Filled by its own run. */
  readonly sameBitsAs?: ResultStore
  /** Where this run leaves its results for such a comparison. */
  readonly store?: ResultStore
}

export type ResultStore = Map<string, Result[]>

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

    for (const c of CASES) {
      test(title(c), async () => {
        // The candidate first: memory that a reference used before could hold the right answer.
        const got = await runCase(c, kernels)
        const want = await expected(c)
        for (const [i, result] of got.entries()) compare(c, result, want[i]!)
        options.store?.set(title(c), got)
        const twin = options.sameBitsAs?.get(title(c))
        if (options.sameBitsAs && !twin) throw new Error('the run to compare with has no result')
        for (const [i, result] of (twin ? got : []).entries()) sameBits(result, twin![i]!)
      })
    }
    runBehaviour(test, () => kernels, options.make)
    runProperties(test, () => kernels)
  })
}

async function runCase(c: ConformanceCase, kernels: Kernels): Promise<Result[]> {
  const lab = new Lab(kernels, new Rng(title(c)))
  try {
    await c.record(lab)
    return await lab.results()
  } finally {
    lab.free()
  }
}

const references: ResultStore = new Map()

/** The reference's results, once for all implementations of a file. */
async function expected(c: ConformanceCase): Promise<Result[]> {
  const known = references.get(title(c))
  if (known) return known
  const kernels = createReferenceKernels()
  const results = await runCase(c, kernels)
  kernels.dispose()
  references.set(title(c), results)
  return results
}

function compare(c: ConformanceCase, got: Result, want: Result): void {
  const allowed = allowedFor(c.op, got.name, c.tolerance)
  const found = difference(got.values, want.values, limits(want, allowed), want.shape)
  if (found) throw new Error(`${got.name}: ${found} (${allowed.reason})`)
}

function sameBits(got: Result, twin: Result): void {
  const found = difference(got.values, twin.values, () => 0, twin.shape)
  if (found) throw new Error(`${got.name} with another number of threads: ${found}`)
}

/** abs + rel x (|want| + root mean square of the finite numbers of want's row). */
function limits({ values, shape }: Result, { rel, abs = 0 }: Allowed): (i: number) => number {
  const n = shape.at(-1) ?? 1
  const size = Array.from({ length: n === 0 ? 0 : values.length / n }, (_, row) => {
    const finite = values.subarray(row * n, (row + 1) * n).filter(x => Number.isFinite(x))
    return Math.sqrt(finite.reduce((sum, x) => sum + x * x, 0) / Math.max(finite.length, 1))
  })
  return i => abs + rel * (Math.abs(values[i]!) + size[Math.floor(i / n)]!)
}
