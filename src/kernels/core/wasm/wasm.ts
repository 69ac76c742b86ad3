/** The core as WebAssembly behind the host's interface: its module, its memory and its threads, whatever the platform. */
import { OptionError, OutOfMemoryError } from '../../../errors.ts'
import type { Kernels } from '../../contract/kernels.ts'
import { Heap } from '../heap.ts'
import type { CoreHost } from '../host.ts'
import { CoreKernels } from '../kernels.ts'
import type { CoreThread, WasmPlatform } from './platform.ts'
import { chooseSet, moduleOf, type WasmSet } from './sets.ts'
import { type CoreExports, PAGE, type WasmMemory, type WasmModule, webAssembly } from './webassembly.ts'

export interface WasmOptions {
  /** Default: what the machine can run at once, or 1 where memory cannot be shared. */
  readonly threads?: number
  /** Whether to use shared memory and threads. Default: if the platform has them and there is more than one thread. */
  readonly shared?: boolean
  /** Computes on quantised weights as f32 with f32 activations, instead of on their blocks with 8-bit activations. */
  readonly exact?: boolean
  /** `simd128` or `relaxed-simd`. Default, and for names of native sets: the best that the engine has. */
  readonly isa?: string
}

/** 4 GiB: addresses have 32 bits. */
const MAX_PAGES = 65536
const THREAD_STACK = 256 << 10
/** Memory is taken from the platform in steps, which are few even for a large model. */
const GROWTH = 16 << 20

export async function createWasmKernels(platform: WasmPlatform, options: WasmOptions = {}): Promise<Kernels> {
  // Some browsers hide it where it cannot be used.
  const mayShare = platform.canShareMemory && typeof SharedArrayBuffer !== 'undefined'
  const threads = options.threads ?? (mayShare ? platform.availableThreads : 1)
  if (!Number.isInteger(threads) || threads < 1) throw new OptionError(`threads is ${threads}, expected 1 or more.`)
  const shared = options.shared ?? (mayShare && threads > 1)
  if (shared && !mayShare) {
    throw new OptionError(
      'Memory cannot be shared here (that takes a worker of a cross-origin isolated page); use `shared: false`.',
    )
  }
  const set = chooseSet(options.isa)
  const module = await platform.compileModule(moduleOf(set, shared))
  const host = new WasmHost(module, set, shared, shared ? threads : 1)
  try {
    await host.startThreads(platform)
  } catch (error) {
    host.dispose()
    throw error
  }
  return new CoreKernels(host, options.exact ?? false)
}

class WasmHost implements CoreHost {
  readonly name = 'wasm'
  readonly lazy = false
  readonly isa: WasmSet
  readonly threads: number
  readonly #module: WasmModule
  readonly #memory: WasmMemory
  readonly #core: CoreExports
  readonly #heap: Heap
  readonly #pool: number
  #workers: CoreThread[] = []
  #list = 0
  #listNumbers = 0

  constructor(module: WasmModule, isa: WasmSet, shared: boolean, threads: number) {
    const { Instance } = webAssembly()
    this.isa = isa
    this.threads = threads
    this.#module = module
    this.#memory = openMemory(shared)
    const env = {
      memory: this.#memory,
      allocate: (bytes: number) => this.#heap.allocate(bytes >>> 0),
      release: (address: number) => this.#heap.release(address >>> 0),
      seconds: () => performance.now() / 1000,
    }
    this.#core = new Instance(module, { env }).exports as CoreExports
    this.#heap = new Heap(
      this.#core.__heap_base.value,
      end => this.#reach(end),
      (address, bytes) => this.#bytes(address, bytes).fill(0),
    )
    this.#pool = this.allocate(this.#core.poolBytes())
    this.#core.start(this.#pool, threads)
  }

  async startThreads(platform: WasmPlatform): Promise<void> {
    const starts = Array.from({ length: this.threads - 1 }, (_, i) => ({
      module: this.#module,
      memory: this.#memory,
      pool: this.#pool,
      thread: i + 1,
      stack: this.allocate(THREAD_STACK) + THREAD_STACK,
    }))
    const started = await Promise.allSettled(starts.map(start => platform.startThread(start)))
    this.#workers = started.flatMap(thread => (thread.status === 'fulfilled' ? [thread.value] : []))
    for (const thread of started) if (thread.status === 'rejected') throw thread.reason
  }

  allocate(bytes: number): number {
    const address = this.#heap.allocate(bytes)
    if (address > 0) return address
    throw new OutOfMemoryError(
      `WebAssembly's memory ends at 4 GiB: ${this.#heap.bytes} bytes are in use and ${bytes} more are needed. ` +
        'Take a smaller model or a shorter context, or in Node the native kernels, which have no such limit (docs/install.md).',
    )
  }

  release(address: number): void {
    this.#heap.release(address)
  }

  write(address: number, bytes: Uint8Array): void {
    this.#bytes(address, bytes.length).set(bytes)
  }

  read(address: number, bytes: Uint8Array): void {
    bytes.set(this.#bytes(address, bytes.length))
  }

  run(list: Float64Array, length: number, seconds?: Float64Array): number {
    if (length > this.#listNumbers) {
      if (this.#list > 0) this.release(this.#list)
      this.#listNumbers = list.length
      this.#list = this.allocate(8 * this.#listNumbers)
    }
    new Float64Array(this.#memory.buffer, this.#list, length).set(list.subarray(0, length))
    return seconds ? this.#runTimed(length, seconds) : this.#core.run(this.#pool, this.#list, length)
  }

  #runTimed(length: number, seconds: Float64Array): number {
    const bytes = new Uint8Array(seconds.buffer, seconds.byteOffset, seconds.byteLength)
    const times = this.allocate(bytes.length)
    try {
      this.write(times, bytes)
      const result = this.#core.runTimed(this.#pool, this.#list, length, times)
      this.read(times, bytes)
      return result
    } finally {
      this.release(times)
    }
  }

  dispose(): void {
    this.#core.stop(this.#pool)
    for (const worker of this.#workers) worker.terminate()
  }

  /** The buffer is another one after the memory has grown. */
  #bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer, address, length)
  }

  /** Makes memory up to `end` usable. */
  #reach(end: number): boolean {
    const held = this.#memory.buffer.byteLength
    if (end <= held) return true
    if (end > MAX_PAGES * PAGE) return false
    const needed = Math.ceil((end - held) / PAGE)
    const wished = Math.min(Math.max(needed, GROWTH / PAGE), MAX_PAGES - held / PAGE)
    return this.#grow(wished) || this.#grow(needed)
  }

  #grow(pages: number): boolean {
    try {
      this.#memory.grow(pages)
      return true
    } catch {
      return false
    }
  }
}

/** Shared memory is reserved whole: where the platform has not got 4 GiB of addresses, less is asked for. */
function openMemory(shared: boolean): WasmMemory {
  const { Memory } = webAssembly()
  const initial = (1 << 20) / PAGE
  for (let maximum = MAX_PAGES; ; maximum /= 2) {
    try {
      return new Memory({ initial, maximum, shared })
    } catch (error) {
      if (maximum <= 4096) throw new OutOfMemoryError('WebAssembly gives no memory.', { cause: error })
    }
  }
}
