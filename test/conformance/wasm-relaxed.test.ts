import { describe } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { whyNarrow } from '../../src/kernels/core/wasm/sets.ts'
import { relaxedMissing } from '../support/relaxed-simd.ts'
import { type ResultStore, runConformance } from './run.ts'

const store: ResultStore = new Map()

// Once, with threads: that neither they nor the module change a bit is shown by plain SIMD, from the same source.
describe.skipIf(relaxedMissing)(relaxedMissing ? `relaxed SIMD (${relaxedMissing})` : 'relaxed SIMD', () => {
  const make = () => createWasmKernels({ isa: 'relaxed-simd', threads: 3, shared: true })
  runConformance({ name: 'wasm, shared memory, 3 threads', make, store, cases: 'texts' })
})

/** With so many weights to come, addresses have 64 bits; what is tested lies beyond those of 32. */
async function beyond(threads: number, shared: boolean): Promise<Kernels> {
  const kernels = await createWasmKernels({ weightBytes: 2 ** 32, threads, shared })
  kernels.memory.alloc('u8', [2 ** 32])
  return kernels
}

const narrow = relaxedMissing ?? whyNarrow()
const skip = [
  {
    reason: 'the padding is counted, too',
    tests: ['memory is zeroed, aligned to 64 bytes and counted'],
  },
]
describe.skipIf(narrow)(narrow ? `addresses of 64 bits (WebAssembly here ${narrow})` : 'addresses of 64 bits', () => {
  runConformance({ name: 'wasm, 1 thread', make: () => beyond(1, false), skip, cases: 'texts' })
  runConformance({
    name: 'wasm, shared memory, 3 threads',
    make: () => beyond(3, true),
    skip,
    sameBitsAs: store,
    cases: 'texts',
  })
})
