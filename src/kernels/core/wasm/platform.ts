import type { WasmMemory, WasmModule } from './webassembly.ts'

/** What these kernels need of the machine beside WebAssembly itself: `src/engine/host/web/kernels.ts` for browsers, `../node/wasm.ts` for Node. */
export interface WasmPlatform {
  /** Threads that the machine can run at once. */
  readonly availableThreads: number
  /** Whether threads can share memory, and this one may wait for others. */
  readonly canShareMemory: boolean
  /** One of the modules, compiled once for all threads. */
  compileModule(url: URL): Promise<WasmModule>
  /** Resolves when the thread is about to wait for work. */
  startThread(start: ThreadStart): Promise<CoreThread>
}

/** What a thread needs to join the pool. */
export interface ThreadStart {
  readonly module: WasmModule
  readonly memory: WasmMemory
  readonly pool: number
  /** Of this thread in the pool, from 1. */
  readonly thread: number
  /** End of its stack; stacks grow downwards. */
  readonly stack: number
}

export interface CoreThread {
  terminate(): void
}

/**
 * Defines `join(start, ready)` in a thread: an instance of the module on the shared memory, which stays in the core until the
 * pool stops. As text, so that it needs no file that a bundler would have to find.
 */
export const JOIN = `
const join = ({ module, memory, pool, thread, stack }, ready) => {
  const refuse = () => 0
  const { exports } = new WebAssembly.Instance(module, { env: { memory, allocate: refuse, release: refuse, seconds: refuse } })
  const pointer = typeof exports.__stack_pointer.value === 'bigint' ? BigInt : Number
  exports.__stack_pointer.value = pointer(stack)
  ready()
  exports.thread(pointer(pool), thread)
}
`
