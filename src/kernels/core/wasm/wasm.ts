/** The core as WebAssembly behind the host's interface: its module, its memory and its threads, whatever the platform. */
import { OptionError, OutOfMemoryError } from '../../../errors.ts'
import type { Kernels } from '../../contract/kernels.ts'
import { Heap } from '../heap.ts'
import type { CoreHost } from '../host.ts'
import { CoreKernels } from '../kernels.ts'
import type { CoreThread, WasmPlatform } from './platform.ts'
import {
  chooseSet,
  moduleOf,
  NARROW_BYTES,
  TRAINING_MODULE,
  trainingSet,
  type WasmSet,
  WIDE_MODULE,
  whyNarrow,
} from './sets.ts'
import { type CoreExports, PAGE, type Pointer, type WasmMemory, type WasmModule, webAssembly } from './webassembly.ts'

export interface WasmOptions {
  /** Default: what the machine can run at once, or 1 where memory cannot be shared. */
  readonly threads?: number
  /** Whether to use shared memory and threads. Default: if the platform has them and there is more than one thread. */
  readonly shared?: boolean
  /** Computes on quantised weights as f32 with f32 activations, instead of on their blocks with 8-bit activations. */
  readonly exact?: boolean
  /** `simd128` or `relaxed-simd`. Default, and for names of native sets: the best that the engine has. */
  readonly isa?: string
  /**
   * Bytes of weights to come, if known. Those that leave too little of 4 GiB get addresses of 64 bits, always on shared memory
   * and with relaxed SIMD. Throws OutOfMemoryError where there is no such memory.
   */
  readonly weightBytes?: number
  /**
   * With the operations of training. Always on shared memory, with plain SIMD and addresses of 32 bits: throws OptionError for
   * `relaxed-simd`, and OutOfMemoryError for more weights than those hold.
   */
  readonly training?: boolean
}

/** 4 GiB: addresses have 32 bits. */
const MAX_PAGES = 65536
/** 16 GiB: more no browser gives. */
const MAX_WIDE_PAGES = 2 ** 18
const THREAD_STACK = 256 << 10
/** Memory is taken from the platform in steps, which are few even for a large model. */
const GROWTH = 16 << 20

export async function createWasmKernels(platform: WasmPlatform, options: WasmOptions = {}): Promise<Kernels> {
  // Some browsers hide it where it cannot be used.
  const mayShare = platform.canShareMemory && typeof SharedArrayBuffer !== 'undefined'
  const threads = options.threads ?? (mayShare ? platform.availableThreads : 1)
  const { training = false } = options
  const wide = needsWide(options.weightBytes ?? 0, options.isa, training)
  if (!Number.isInteger(threads) || threads < 1) throw new OptionError(`threads is ${threads}, expected 1 or more.`)
  const pooled = options.shared ?? (mayShare && threads > 1)
  if (pooled && !mayShare) {
    throw new OptionError(
      'Memory cannot be shared here (that takes a worker of a cross-origin isolated page); use `shared: false`.',
    )
  }
  const set = wide ? 'relaxed-simd' : training ? trainingSet(options.isa) : chooseSet(options.isa)
  const file = wide ? WIDE_MODULE : training ? TRAINING_MODULE : moduleOf(set, pooled)
  const module = await platform.compileModule(file)
  // A thread alone gets shared memory even where no other may have it.
  const shared = pooled || wide || training
  const host = new WasmHost(module, { isa: set, shared, wide, threads: pooled ? threads : 1 })
  try {
    await host.startThreads(platform)
  } catch (error) {
    host.dispose()
    throw error
  }
  return new CoreKernels(host, options.exact ?? false)
}

/** Weights up to here leave the rest of 4 GiB to caches and activations. */
const ROOMY = 3 * 2 ** 30

/** Whether weights of so many bytes get addresses of 64 bits. Throws where they need them and there are none. */
function needsWide(weightBytes: number, isa: string | undefined, training: boolean): boolean {
  if (weightBytes <= ROOMY) return false
  const why = training
    ? 'has no module for more that trains or measures losses'
    : isa === 'simd128'
      ? 'has only relaxed SIMD for more, and `isa` asks for simd128'
      : whyNarrow()
  if (why === null) return true
  if (weightBytes <= NARROW_BYTES) return false
  const size = (weightBytes / 2 ** 30).toFixed(1)
  throw new OutOfMemoryError(
    `The weights take ${size} GiB; WebAssembly's memory ends at 4 GiB here: this engine ${why}. Take a smaller model or a ` +
      (training
        ? 'smaller quantisation, or the native kernels (docs/install.md).'
        : 'smaller quantisation, or an engine that has them, such as Node 24 (docs/browser.md).'),
  )
}

interface WasmHostOptions {
  readonly isa: WasmSet
  readonly shared: boolean
  /** Addresses of 64 bits. */
  readonly wide: boolean
  readonly threads: number
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
  readonly #maxPages: number
  /** Makes a number what the module takes for an address. */
  readonly #pointer: (address: number) => Pointer
  #workers: CoreThread[] = []
  #list = 0
  #listNumbers = 0

  constructor(module: WasmModule, { isa, shared, wide, threads }: WasmHostOptions) {
    const { Instance } = webAssembly()
    this.isa = isa
    this.threads = threads
    this.#module = module
    this.#maxPages = wide ? MAX_WIDE_PAGES : MAX_PAGES
    this.#pointer = wide ? BigInt : Number
    this.#memory = openMemory(shared, wide)
    const env = {
      memory: this.#memory,
      allocate: (bytes: Pointer) => this.#pointer(this.#heap.allocate(plain(bytes))),
      release: (address: Pointer) => this.#heap.release(plain(address)),
      seconds: () => performance.now() / 1000,
    }
    this.#core = new Instance(module, { env }).exports as CoreExports
    this.#heap = new Heap(
      Number(this.#core.__heap_base.value),
      end => this.#reach(end),
      (address, bytes) => this.#bytes(address, bytes).fill(0),
    )
    this.#pool = this.allocate(Number(this.#core.poolBytes()))
    this.#core.start(this.#pointer(this.#pool), threads)
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
      `WebAssembly's memory ends at ${this.#maxPages / 2 ** 14} GiB: ${this.#heap.bytes} bytes are in use and ${bytes} more are needed. ` +
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
    if (seconds) return this.#runTimed(length, seconds)
    return this.#core.run(this.#pointer(this.#pool), this.#pointer(this.#list), length)
  }

  #runTimed(length: number, seconds: Float64Array): number {
    const bytes = new Uint8Array(seconds.buffer, seconds.byteOffset, seconds.byteLength)
    const times = this.allocate(bytes.length)
    try {
      this.write(times, bytes)
      const pointer = this.#pointer
      const result = this.#core.runTimed(pointer(this.#pool), pointer(this.#list), length, pointer(times))
      this.read(times, bytes)
      return result
    } finally {
      this.release(times)
    }
  }

  dispose(): void {
    this.#core.stop(this.#pointer(this.#pool))
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
    if (end > this.#maxPages * PAGE) return false
    const needed = Math.ceil((end - held) / PAGE)
    const wished = Math.min(Math.max(needed, GROWTH / PAGE), this.#maxPages - held / PAGE)
    return this.#grow(wished) || this.#grow(needed)
  }

  #grow(pages: number): boolean {
    try {
      this.#memory.grow(this.#pointer(pages))
      return true
    } catch {
      return false
    }
  }
}

/** An address or a size that comes from the module: of 32 bits as a signed number. */
const plain = (value: Pointer): number => (typeof value === 'bigint' ? Number(value) : value >>> 0)

/** Shared memory is reserved whole: where the platform has not got so many addresses, less is asked for. */
function openMemory(shared: boolean, wide: boolean): WasmMemory {
  const { Memory } = webAssembly()
  const initial = (1 << 20) / PAGE
  for (let maximum = wide ? MAX_WIDE_PAGES : MAX_PAGES; ; maximum /= 2) {
    try {
      if (!wide) return new Memory({ initial, maximum, shared })
      return new Memory({ initial: BigInt(initial), maximum: BigInt(maximum), shared, address: 'i64' })
    } catch (error) {
      if (maximum <= 4096) throw new OutOfMemoryError('WebAssembly gives no memory.', { cause: error })
    }
  }
}
