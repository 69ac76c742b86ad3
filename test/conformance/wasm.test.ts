import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { type ResultStore, runConformance } from './run.ts'

/** Both modules of plain SIMD, and thread counts that must not change a bit. */
const store: ResultStore = new Map()
const isa = 'simd128'
runConformance({
  name: 'wasm without threads',
  make: () => createWasmKernels({ isa, shared: false }),
  store,
  cases: 'texts',
})
for (const threads of [1, 3]) {
  const make = () => createWasmKernels({ isa, threads, shared: true })
  runConformance({ name: `wasm, shared memory, ${threads} threads`, make, sameBitsAs: store, cases: 'texts' })
}
