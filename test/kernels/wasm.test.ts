import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildModule, MODULES, type ModuleOptions, wasmCompilerProblem } from '../../scripts/build-wasm.mjs'
import { OptionError, OutOfMemoryError } from '../../src/errors.ts'
import { createWasmKernels } from '../../src/kernels/core/node/wasm.ts'
import type { WasmPlatform } from '../../src/kernels/core/wasm/platform.ts'
import { whyNarrow } from '../../src/kernels/core/wasm/sets.ts'
import { createWasmKernels as createOn } from '../../src/kernels/core/wasm/wasm.ts'
import { webAssembly } from '../../src/kernels/core/wasm/webassembly.ts'
import type { ByteSource } from '../../src/tensor/bytes.ts'
import { tempFolder } from '../support/temp-folder.ts'

describe('the WebAssembly kernels', () => {
  it('end the threads that have started when one cannot', async () => {
    const ended: number[] = []
    const platform: WasmPlatform = {
      availableThreads: 4,
      canShareMemory: true,
      compileModule: async url => webAssembly().compile(readFileSync(url)),
      startThread: async ({ thread }) => {
        if (thread === 2) throw new Error('no more threads')
        return { terminate: () => void ended.push(thread) }
      },
    }
    await expect(createOn(platform)).rejects.toThrow('no more threads')
    expect(ended).toEqual([1, 3])
  })

  it('say what they are', async () => {
    const shared = await createWasmKernels({ threads: 2, isa: 'simd128' })
    expect(shared.info).toEqual({ name: 'wasm', isa: 'simd128', threads: 2, numerics: 'wasm-simd128' })
    shared.dispose()
    const alone = await createWasmKernels({ threads: 4, shared: false })
    expect(alone.info.threads).toBe(1)
    alone.dispose()
    await expect(createWasmKernels({ threads: 0.5 })).rejects.toThrow(OptionError)
  })

  it.each([true, false])('grow their memory, and give zeroed memory again (shared: %s)', async shared => {
    const k = await createWasmKernels({ threads: 1, shared })
    const n = 5 << 20
    for (let i = 0; i < 3; i++) {
      const t = k.memory.alloc('f32', [n])
      expect(t.address % 64).toBe(0)
      const held = (await k.memory.read(t)) as Float32Array
      expect(held.every(x => x === 0)).toBe(true)
      k.memory.upload(t, held.fill(i + 1))
      k.axpby(t, 2, t)
      await k.submit()
      expect((await k.memory.read(t))[n - 1]).toBe(2 * (i + 1))
      k.memory.free(t)
    }
    expect(k.memory.allocatedBytes).toBe(0)
    k.dispose()
  })

  it('refuse a model beyond 4 GiB, with its size and the remedy', async () => {
    const k = await createWasmKernels({ threads: 1 })
    expect(() => k.memory.alloc('f32', [2 ** 30])).toThrow(OutOfMemoryError)
    const source: ByteSource = {
      name: 'model.safetensors',
      size: 9_000_000_000,
      read: async () => expect.unreachable('nothing is read before there is room for it'),
    }
    const bytes = { source, offset: 0, length: 2 ** 32 }
    const prepared = k.prepare({ name: 'w', dtype: 'f32', rows: 2 ** 15, cols: 2 ** 15, bytes })
    await expect(prepared).rejects.toThrow(OutOfMemoryError)
    await expect(prepared).rejects.toThrow(/model\.safetensors has 9000000000 bytes.*4 GiB.*native kernels/)
    k.dispose()
  })

  it('have addresses of 64 bits for weights beyond 3 GiB, or refuse what 32 cannot hold', async () => {
    const options = { threads: 1, weightBytes: 5 * 2 ** 30 }
    const asked = createWasmKernels({ ...options, isa: 'simd128' })
    await expect(asked).rejects.toThrow(
      /take 5\.0 GiB; WebAssembly's memory ends at 4 GiB here: this engine has only relaxed/,
    )
    const why = whyNarrow()
    if (why === null) {
      const k = await createWasmKernels(options)
      k.memory.alloc('u8', [2 ** 32])
      expect(k.memory.alloc('u8', [64]).address).toBeGreaterThan(2 ** 32)
      k.dispose()
    } else {
      const refused = createWasmKernels(options)
      await expect(refused).rejects.toThrow(OutOfMemoryError)
      await expect(refused).rejects.toThrow(why)
    }
    const narrow = await createWasmKernels({ threads: 1, weightBytes: 3 * 2 ** 30 })
    expect(() => narrow.memory.alloc('u8', [2 ** 32])).toThrow(/ends at 4 GiB/)
    narrow.dispose()
  })
})

const problem = await wasmCompilerProblem()

/** A compiler has half a minute of work on an idle machine. */
const COMPILE_TIME = 240_000

/** Two have every source of both sets, with threads and without; `npm run nightly -- modules` builds all. */
const NAMES = process.env.LATENTKIT_MODULES ? Object.keys(MODULES) : ['core-training.wasm', 'core-relaxed.wasm']

describe('the committed modules', () => {
  for (const name of NAMES) {
    const options = MODULES[name] as ModuleOptions
    it.skipIf(problem)(
      problem ? `${name} is what the source gives (${problem})` : `${name} is what the source gives`,
      async () => {
        const built = join(tempFolder(), name)
        await buildModule(built, options)
        const committed = readFileSync(new URL(`../../prebuilt/${name}`, import.meta.url))
        expect(readFileSync(built).equals(committed), 'run `npm run build:wasm` and commit the result').toBe(true)
      },
      COMPILE_TIME,
    )
  }
})
