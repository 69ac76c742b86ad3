/** The module for training has what the others lack, and their bits in what both have. */
import { expect, it } from 'vitest'
import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { type ResultStore, runConformance } from './run.ts'

const store: ResultStore = new Map()
runConformance({
  name: 'wasm for training, 1 thread',
  make: () => createWasmKernels({ training: true, threads: 1 }),
  store,
  cases: 'training',
})
runConformance({
  name: 'wasm for training, 3 threads',
  make: () => createWasmKernels({ training: true, threads: 3 }),
  sameBitsAs: store,
  cases: 'training',
})

it('what a module for texts has not got is refused with the remedy', async () => {
  const k = await createWasmKernels({ threads: 1, isa: 'simd128' })
  k.sumSquares(k.memory.alloc('f32', [1]), k.memory.alloc('f32', [3]))
  await expect(k.submit()).rejects.toThrow('training: true')
  k.dispose()
})
