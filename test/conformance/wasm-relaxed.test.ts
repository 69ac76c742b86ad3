import { describe } from 'vitest'
import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { relaxedMissing } from '../support/relaxed-simd.ts'
import { runConformance } from './run.ts'

// Once, with threads: that neither they nor the module change a bit is shown by plain SIMD, from the same source.
describe.skipIf(relaxedMissing)(relaxedMissing ? `relaxed SIMD (${relaxedMissing})` : 'relaxed SIMD', () => {
  const make = () => createWasmKernels({ isa: 'relaxed-simd', threads: 3, shared: true })
  runConformance({ name: 'wasm, shared memory, 3 threads', make })
})
