import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Kernels } from '../../contract/kernels.ts'
import { type CoreThread, JOIN, type ThreadStart } from '../wasm/platform.ts'
import { createWasmKernels as create, type WasmOptions } from '../wasm/wasm.ts'
import { webAssembly } from '../wasm/webassembly.ts'

/** WebAssembly's kernels with the files and threads of Node. */
export function createWasmKernels(options: WasmOptions = {}): Promise<Kernels> {
  const compileModule = async (url: URL) => webAssembly().compile(await readFile(url))
  return create({ availableThreads: availableParallelism(), canShareMemory: true, compileModule, startThread }, options)
}

function startThread(start: ThreadStart): Promise<CoreThread> {
  const source = `${JOIN}
const { parentPort, workerData } = require('node:worker_threads')
join(workerData, () => parentPort.postMessage('ready'))`
  const worker = new Worker(source, { eval: true, workerData: start, execArgv: [], name: 'latentkit core' })
  // A pool that nobody disposed of does not keep the process alive.
  worker.unref()
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve({ terminate: () => void worker.terminate() }))
    worker.once('error', reject)
  })
}
