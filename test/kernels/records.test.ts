/** What is written from the table of operations is fresh, and the core lays out packed matrices as large as TypeScript says. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { CoreKernels } from '../../src/kernels/core/kernels.ts'
import { createNativeKernels } from '../../src/kernels/core/node/addon.ts'
import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import { packedSize } from '../../src/kernels/core/packed.ts'
import { PACKED_TYPES, packedBytes } from '../../src/quant/packed.ts'
import { BLOCK_TYPES } from '../../src/tensor/dtype.ts'

const ROOT = new URL('../../', import.meta.url)
const script = fileURLToPath(new URL('scripts/make-records.mjs', ROOT))
const { recordFiles } = (await import(script)) as { recordFiles(): Promise<Readonly<Record<string, string>>> }
const files = await recordFiles()

describe('what `npm run build:records` writes', () => {
  it.each(Object.keys(files))('%s is as the table of operations says', file => {
    expect(readFileSync(new URL(file, ROOT), 'utf8')).toBe(files[file])
  })
})

const SETS: Readonly<Record<string, () => Promise<Kernels>>> = {
  ...Object.fromEntries(
    ['amx', 'avx512bf16', 'avx512', 'avx2', 'neon', 'portable'].map(isa => [
      isa,
      () => createNativeKernels({ threads: 1, isa }),
    ]),
  ),
  simd128: () => createWasmKernels({ shared: false, isa: 'simd128' }),
  'relaxed-simd': () => createWasmKernels({ shared: false, isa: 'relaxed-simd' }),
}

describe('a packed matrix is as large as both languages say', () => {
  it.each(Object.keys(SETS))('%s', async set => {
    const kernels = await SETS[set]!().catch((error: Error) => error)
    // An instruction set that this machine, or an addon that this checkout, has not got.
    if (!(kernels instanceof CoreKernels)) return expect(set).not.toBe('simd128')
    for (const type of PACKED_TYPES) {
      const { elements } = BLOCK_TYPES[type]
      for (const blocks of [1, 2, 3, 5, 8, 9, 31]) {
        for (const rows of [1, 7, 15, 16, 17, 33, 100]) {
          const cols = blocks * elements
          expect(packedSize(kernels.memory, type, rows, cols), `${type} ${rows} x ${cols}`).toBe(
            packedBytes(type, rows, cols),
          )
        }
      }
    }
    kernels.dispose()
  })
})
