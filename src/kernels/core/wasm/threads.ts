import type { WasmMemory, WasmModule } from './webassembly.ts'

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
 * A thread: an instance of the module on the shared memory, which stays in the core until the pool stops. As text,
 * so that it needs no file that a bundler would have to find.
 */
const SOURCE = `
const join = ({ module, memory, pool, thread, stack }, ready) => {
  const refuse = () => 0
  const { exports } = new WebAssembly.Instance(module, { env: { memory, allocate: refuse, release: refuse } })
  exports.__stack_pointer.value = stack
  ready()
  exports.thread(pool, thread)
}
if (typeof require === 'function') {
  const { parentPort, workerData } = require('node:worker_threads')
  join(workerData, () => parentPort.postMessage('ready'))
} else {
  onmessage = event => join(event.data, () => postMessage('ready'))
}
`

/** Resolves when the thread is about to wait for work. */
export function startThread(start: ThreadStart): Promise<CoreThread> {
  return typeof process !== 'undefined' && process.versions?.node ? startInNode(start) : startInBrowser(start)
}

function startInNode(start: ThreadStart): Promise<CoreThread> {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const worker = new Worker(SOURCE, { eval: true, workerData: start, execArgv: [], name: 'latentkit core' })
  // A pool that nobody disposed of does not keep the process alive.
  worker.unref()
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve({ terminate: () => void worker.terminate() }))
    worker.once('error', reject)
  })
}

interface BrowserWorker {
  onmessage: (() => void) | null
  onerror: ((event: { message?: string }) => void) | null
  postMessage(data: unknown): void
  terminate(): void
}

function startInBrowser(start: ThreadStart): Promise<CoreThread> {
  const { Worker } = globalThis as unknown as { Worker: new (url: string) => BrowserWorker }
  const url = URL.createObjectURL(new Blob([SOURCE], { type: 'text/javascript' }))
  const worker = new Worker(url)
  return new Promise<CoreThread>((resolve, reject) => {
    worker.onmessage = () => resolve(worker)
    worker.onerror = event => reject(new Error(event.message ?? 'a thread could not be started'))
    worker.postMessage(start)
  }).finally(() => URL.revokeObjectURL(url))
}
