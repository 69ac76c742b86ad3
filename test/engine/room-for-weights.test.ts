/** Kernels with too little memory for the weights are replaced, once it is known how large those are. */
import { expect, it } from 'vitest'
import { withRoom } from '../../src/engine/load/choose-kernels.ts'
import type { KernelOptions } from '../../src/engine/types/platform.ts'
import { OutOfMemoryError } from '../../src/errors.ts'
import type { Kernels } from '../../src/kernels/contract/kernels.ts'

const GIB = 2 ** 30

function kernelsNamed(name: string) {
  const made = { disposed: false }
  const dispose = () => {
    made.disposed = true
  }
  const kernels = { info: { name }, dispose } as unknown as Kernels
  return { kernels, made, fallbackReason: 'kept' }
}

async function ask(name: string, weightBytes: number, wasm: (options: KernelOptions) => Promise<Kernels>) {
  const { kernels, made, fallbackReason } = kernelsNamed(name)
  const absent = async (): Promise<never> => expect.unreachable()
  const options = { threads: 3, weightBytes }
  const chosen = await withRoom({ kernels, fallbackReason }, options, {
    native: absent,
    reference: absent,
    wasm,
  }).catch((error: unknown) => error)
  return { chosen, kernels, made }
}

it('asks WebAssembly for more where more than 3 GiB come', async () => {
  const larger = kernelsNamed('wasm').kernels
  const asked: KernelOptions[] = []
  const make = async (options: KernelOptions) => {
    asked.push(options)
    return larger
  }
  const { chosen, made } = await ask('wasm', 5 * GIB, make)
  expect(chosen).toEqual({ kernels: larger, fallbackReason: 'kept' })
  expect(made.disposed).toBe(true)
  expect(asked).toEqual([{ threads: 3, weightBytes: 5 * GIB }])
  for (const [name, bytes] of [
    ['wasm', 3 * GIB],
    ['native', 50 * GIB],
  ] as const) {
    const { chosen, kernels, made } = await ask(name, bytes, make)
    expect(chosen).toMatchObject({ kernels })
    expect(made.disposed).toBe(false)
  }
})

it('leaves the kernels to the caller where there is no more', async () => {
  const refuse = async () => {
    throw new OutOfMemoryError('no more')
  }
  const { chosen, made } = await ask('wasm', 5 * GIB, refuse)
  expect(chosen).toBeInstanceOf(OutOfMemoryError)
  expect(made.disposed).toBe(false)
})
