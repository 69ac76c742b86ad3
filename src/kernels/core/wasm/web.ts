/** What a page or a worker of the web offers the core: how it reads a module and starts a thread. */
import { type CoreThread, JOIN, type ThreadStart, type WasmPlatform } from './platform.ts'
import { compileResponse } from './webassembly.ts'

/** Of `globalThis` in pages and workers. */
interface WebGlobals {
  readonly crossOriginIsolated?: boolean
  readonly document?: unknown
  readonly navigator?: { readonly hardwareConcurrency?: number }
  readonly Worker: new (url: string) => WebWorker
}

interface WebWorker {
  onmessage: (() => void) | null
  onerror: ((event: { message?: string }) => void) | null
  postMessage(data: unknown): void
  terminate(): void
}

const web = globalThis as unknown as WebGlobals

export const WEB: WasmPlatform = {
  availableThreads: web.navigator?.hardwareConcurrency ?? 1,
  // Browsers share memory only with pages isolated from other origins, and let only workers wait for other threads.
  canShareMemory: web.crossOriginIsolated === true && web.document === undefined,
  async compileModule(url) {
    const response = await fetch(url)
    if (!response.ok) throw new Error(`${url} cannot be fetched (HTTP ${response.status})`)
    return compileResponse(response)
  },
  startThread,
}

function startThread(start: ThreadStart): Promise<CoreThread> {
  const source = `${JOIN}onmessage = event => join(event.data, () => postMessage('ready'))`
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new web.Worker(url)
  return new Promise<CoreThread>((resolve, reject) => {
    worker.onmessage = () => resolve(worker)
    worker.onerror = event => reject(new Error(event.message ?? 'a thread could not be started'))
    worker.postMessage(start)
  }).finally(() => URL.revokeObjectURL(url))
}
