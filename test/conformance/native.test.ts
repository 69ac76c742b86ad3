import { availableParallelism } from 'node:os'
import { describe, it } from 'vitest'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/native/index.ts'
import type { ConformanceCase } from './case.ts'
import { CASES } from './cases/index.ts'
import { type ResultStore, runConformance } from './run.ts'

const missing = nativeUnavailable()

/** The instruction sets this machine has, and thread counts that must not change a bit. */
if (missing) {
  describe('native', () => it.skip(`${CASES.length} cases: ${missing}`, () => {}))
} else {
  const stores: ResultStore[] = []
  for (const isa of ['avx512bf16', 'avx512', 'avx2', 'neon', 'portable']) {
    const problem = await createNativeKernels({ threads: 1, isa, exact: true }).then(
      kernels => kernels.dispose(),
      (error: Error) => error.message,
    )
    if (problem) {
      describe(`native ${isa}`, () => it.skip(`${CASES.length} cases: ${problem}`, () => {}))
      continue
    }
    const store: ResultStore = new Map()
    stores.push(store)
    runConformance({
      name: `native ${isa}, 1 thread`,
      make: () => createNativeKernels({ threads: 1, isa, exact: true }),
      store,
    })
    // Dividing the work is the same code for all: the best instruction set tries more divisions.
    const counts = store === stores[0] ? [2, 3, availableParallelism()] : [2]
    for (const threads of new Set(counts)) {
      const make = () => createNativeKernels({ threads, isa, exact: true })
      runConformance({ name: `native ${isa}, ${threads} threads`, make, sameBitsAs: store })
    }
  }

  // Where bf16 is multiplied as bf16. Bits must not depend on the number of threads here either.
  const problem = await createNativeKernels({ isa: 'avx512bf16' }).then(
    kernels => kernels.dispose(),
    (error: Error) => error.message,
  )
  if (problem) {
    describe('native avx512bf16, bf16 factors', () => it.skip(problem, () => {}))
  } else {
    const store: ResultStore = new Map()
    const rounded = {
      tolerance: (c: ConformanceCase) =>
        c.op === 'attention' && c.name.endsWith('bf16') ? 'attention bf16' : c.tolerance,
      skip: [
        {
          reason: 'the parts round other probabilities',
          tests: ['attention: parts of the keys merge to the whole, at once or carried'],
        },
      ],
    }
    for (const threads of [1, 2]) {
      const make = () => createNativeKernels({ threads, isa: 'avx512bf16' })
      const bits = threads === 1 ? { store } : { sameBitsAs: store }
      runConformance({ name: `native avx512bf16, bf16 factors, ${threads} threads`, make, ...rounded, ...bits })
    }
  }
}
