import { availableParallelism } from 'node:os'
import { OptionError, OutOfMemoryError } from '../../../errors.ts'
import type { CoreHost, MappedFile } from '../host.ts'
import { CoreKernels } from '../kernels.ts'
import { loadAddon } from './find-addon.ts'

export interface NativeOptions {
  /** Default: what the machine can run at once. */
  readonly threads?: number
  /** By name (`native/core/dispatch.cpp`). Default: the best that the machine has. */
  readonly isa?: string
  /** Computes on quantised weights as f32 with f32 activations, instead of on their blocks with 8-bit activations. */
  readonly exact?: boolean
}

type Instance = object

/** What native/host/addon.cpp exports. */
interface Addon {
  readonly version?: string
  open(threads: number, isa: string): [Instance, string, number] | null
  close(instance: Instance): void
  allocate(instance: Instance, bytes: number): number
  release(instance: Instance, address: number): void
  write(address: number, bytes: Uint8Array): void
  read(address: number, bytes: Uint8Array): void
  run(instance: Instance, list: Float64Array, length: number, seconds?: Float64Array): number
  map(instance: Instance, path: string): [number, number, bigint]
  watch(instance: Instance, address: number): void
  changed(instance: Instance, address: number): boolean
  forget(address: number, bytes: number): void
}

/** Why the native kernels cannot be used; null if they can. */
export function nativeUnavailable(): string | null {
  try {
    loadAddon()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

export async function createNativeKernels(options: NativeOptions = {}): Promise<CoreKernels> {
  const { threads = availableParallelism(), isa, exact = false } = options
  if (!Number.isInteger(threads) || threads < 1) throw new OptionError(`threads is ${threads}, expected 1 or more.`)
  return new CoreKernels(new AddonHost(loadAddon(), threads, isa), exact)
}

class AddonHost implements CoreHost {
  readonly name = 'native'
  readonly lazy = true
  readonly isa: string
  readonly threads: number
  readonly #addon: Addon
  readonly #instance: Instance

  constructor(addon: Addon, threads: number, isa: string | undefined) {
    const opened = addon.open(threads, isa ?? '')
    if (!opened) throw new OptionError(`This machine or this build has no ${isa}; leave \`isa\` out to use the best.`)
    this.#addon = addon
    this.#instance = opened[0]
    this.isa = opened[1]
    this.threads = opened[2]
  }

  allocate(bytes: number): number {
    const address = this.#addon.allocate(this.#instance, bytes)
    if (address === 0) throw new OutOfMemoryError(`The system does not give ${bytes} bytes more.`)
    return address
  }

  release(address: number): void {
    this.#addon.release(this.#instance, address)
  }

  write(address: number, bytes: Uint8Array): void {
    this.#addon.write(address, bytes)
  }

  read(address: number, bytes: Uint8Array): void {
    this.#addon.read(address, bytes)
  }

  run(list: Float64Array, length: number, seconds?: Float64Array): number {
    return this.#addon.run(this.#instance, list, length, seconds)
  }

  map(path: string): MappedFile {
    const [address, bytes, modified] = this.#addon.map(this.#instance, path)
    return { address, bytes, modified }
  }

  watch(address: number): void {
    this.#addon.watch(this.#instance, address)
  }

  changed(address: number): boolean {
    return this.#addon.changed(this.#instance, address)
  }

  forget(address: number, bytes: number): void {
    this.#addon.forget(address, bytes)
  }

  dispose(): void {
    this.#addon.close(this.#instance)
  }
}
