import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import { difference } from '../support/compare.ts'
import { Rng } from '../support/rng.ts'
import { type ConformanceCase, title } from './case.ts'
import { Lab, type Result } from './lab.ts'
import { type Allowed, allowedFor } from './tolerances.ts'

/** Results by title of the case. */
export type ResultStore = Map<string, Result[]>

/** Runs a case on a kernel set and on the reference; throws where they differ by more than is allowed. */
export async function checkCase(c: ConformanceCase, kernels: Kernels, tolerance = c.tolerance): Promise<Result[]> {
  // The candidate first: memory that a reference used before could hold the right answer.
  const got = await runCase(c, kernels)
  const want = await expected(c)
  for (const [i, result] of got.entries()) compare(c.op, result, want[i]!, tolerance)
  return got
}

/** What the operations of a case leave. */
export async function runCase(c: ConformanceCase, kernels: Kernels): Promise<Result[]> {
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

function compare(op: string, got: Result, want: Result, tolerance: ConformanceCase['tolerance']): void {
  const allowed = allowedFor(op, got.name, tolerance)
  const found = difference(got.values, want.values, limits(want, allowed), want.shape)
  if (found) throw new Error(`${got.name}: ${found} (${allowed.reason})`)
}

/** Throws unless two runs of a case left the same numbers. */
export function sameBits(got: readonly Result[], twin: readonly Result[] | undefined): void {
  if (twin?.length !== got.length) throw new Error('the run to compare with has no such results')
  for (const [i, { name, values, shape }] of got.entries()) {
    const found = difference(values, twin[i]!.values, () => 0, shape)
    if (found) throw new Error(`${name} with another number of threads: ${found}`)
  }
}

/** abs + rel x (|want| + root mean square of the finite numbers of want's row). */
function limits({ values, shape }: Result, { rel, abs = 0 }: Allowed): (i: number) => number {
  const n = shape.at(-1) ?? 1
  const sizes: number[] = []
  const sizeOf = (row: number) => {
    const finite = values.subarray(row * n, (row + 1) * n).filter(x => Number.isFinite(x))
    return Math.sqrt(finite.reduce((sum, x) => sum + x * x, 0) / Math.max(finite.length, 1))
  }
  // Of the rows that differ only.
  return i => {
    const row = Math.floor(i / n)
    sizes[row] ??= sizeOf(row)
    return abs + rel * (Math.abs(values[i]!) + sizes[row])
  }
}
