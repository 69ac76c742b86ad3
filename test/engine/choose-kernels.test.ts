import { describe, expect, it } from 'vitest'
import { chooseKernels } from '../../src/engine/load/choose-kernels.ts'
import type { KernelFactories } from '../../src/engine/types/platform.ts'
import { KernelsUnavailableError } from '../../src/index.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'
import { createReferenceKernels } from '../../src/kernels/reference/index.ts'
import type { KernelOptions } from '../../src/tools.ts'

const asked: [string, KernelOptions][] = []
const make = (kind: string) => async (options: KernelOptions) => {
  asked.push([kind, options])
  return createReferenceKernels() as Kernels
}
const lacking = (why: string) => async () => {
  throw new Error(why)
}
const all: KernelFactories = { native: make('native'), wasm: make('wasm'), reference: make('reference') }

describe('chooseKernels', () => {
  it('takes the native ones where they can be had, with the options', async () => {
    asked.length = 0
    expect((await chooseKernels('auto', { threads: 3, isa: 'avx2' }, all)).fallbackReason).toBeNull()
    expect(asked).toEqual([['native', { threads: 3, isa: 'avx2' }]])
  })

  it('falls back on WebAssembly and says why', async () => {
    asked.length = 0
    const { fallbackReason } = await chooseKernels('auto', {}, { ...all, native: lacking('The addon is not built.') })
    expect(fallbackReason).toBe('no native kernels: The addon is not built')
    expect(asked.map(([kind]) => kind)).toEqual(['wasm'])
  })

  it('does not fall back from a choice', async () => {
    const choice = chooseKernels('native', {}, { ...all, native: lacking('no g++') })
    await expect(choice).rejects.toThrow(KernelsUnavailableError)
    await expect(choice).rejects.toThrow(/native kernels cannot be used: no g\+\+\. .*auto/)
  })

  it('says what is lacking when there are none', async () => {
    const none = { ...all, native: lacking('no g++'), wasm: lacking('no SIMD') }
    await expect(chooseKernels('auto', {}, none)).rejects.toThrow(/no g\+\+.*no SIMD.*reference/)
  })

  it('gives the one that was named, without a reason', async () => {
    asked.length = 0
    expect((await chooseKernels('wasm', { threads: 1 }, all)).fallbackReason).toBeNull()
    expect((await chooseKernels('reference', {}, all)).fallbackReason).toBeNull()
    expect(asked.map(([kind]) => kind)).toEqual(['wasm', 'reference'])
  })
})
