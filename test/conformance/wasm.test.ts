import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { type ResultStore, runConformance } from './run.ts'

/** Both modules, and thread counts that must not change a bit. */
const store: ResultStore = new Map()
runConformance({ name: 'wasm without threads', make: () => createWasmKernels({ shared: false }), store })
for (const threads of [1, 3]) {
  const make = () => createWasmKernels({ threads, shared: true })
  runConformance({ name: `wasm, shared memory, ${threads} threads`, make, sameBitsAs: store })
}
