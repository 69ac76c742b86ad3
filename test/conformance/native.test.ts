import { availableParallelism } from 'node:os'
import { describe, it } from 'vitest'
import { createNativeKernels, nativeUnavailable } from '../../src/kernels/core/node/addon.ts'
import type { ConformanceCase } from './case.ts'
import { CASES } from './cases/index.ts'
import { type ResultStore, runConformance } from './run.ts'

const missing = nativeUnavailable()

/** Rows of bf16 or less are multiplied as bf16, and what may be rounded is, unless exact arithmetic is asked for. */
const ROUNDED = {
  tolerance: (c: ConformanceCase) => {
    if (c.op === 'headMatmul' && c.name.endsWith('bf16 factors')) return 'headMatmul bf16'
    return c.op === 'attention' && /(bf16|int8|fp8)$/.test(c.name) && !c.name.startsWith('expanded')
      ? 'attention bf16'
      : c.tolerance
  },
  skip: [
    {
      reason: 'parts round other probabilities',
      tests: ['attention: parts of the keys, carried on, give the whole'],
    },
  ],
}

/** The instruction sets this machine has, and thread counts that must not change a bit. */
if (missing) {
  describe('native', () => it.skip(`${CASES.length} cases: ${missing}`, () => {}))
} else {
  const stores: ResultStore[] = []
  for (const isa of ['amx', 'avx512bf16', 'avx512', 'avx2', 'neon', 'portable']) {
    const problem = await createNativeKernels({ threads: 1, isa }).then(
      kernels => kernels.dispose(),
      (error: Error) => error.message,
    )
    if (problem) {
      describe(`native ${isa}`, () => it.skip(`${CASES.length} cases: ${problem}`, () => {}))
      continue
    }
    const options = isa === 'avx512bf16' || isa === 'amx' ? ROUNDED : {}
    const store: ResultStore = new Map()
    stores.push(store)
    runConformance({
      name: `native ${isa}, 1 thread`,
      make: () => createNativeKernels({ threads: 1, isa }),
      store,
      ...options,
    })
    // Dividing the work is the same code for all: the best instruction set tries more divisions.
    const counts = store === stores[0] ? [2, 3, availableParallelism()] : [2]
    for (const threads of new Set(counts)) {
      const make = () => createNativeKernels({ threads, isa })
      runConformance({ name: `native ${isa}, ${threads} threads`, make, sameBitsAs: store, ...options })
    }
  }
}
