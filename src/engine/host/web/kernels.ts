import type { CoreThread, ThreadStart, WasmPlatform } from '../../../kernels/core/wasm/platform.ts'
import { createWasmKernels } from '../../../kernels/core/wasm/wasm.ts'
import { compileResponse, type WasmModule } from '../../../kernels/core/wasm/webassembly.ts'
import { createReferenceKernels } from '../../../kernels/reference/index.ts'
import type { KernelFactories } from '../../types/platform.ts'
import type { Assets } from './assets.ts'
import { fetchFile } from './fetch-whole.ts'
import { startWorker, web } from './web-globals.ts'

/** The kernel sets that run in a worker of a page. */
export function webKernels(assets: Assets): KernelFactories {
  return {
    native: async () => {
      throw new Error('a browser runs none')
    },
    wasm: options => createWasmKernels(platformOf(assets), options),
    reference: async () => createReferenceKernels(),
  }
}

function platformOf(assets: Assets): WasmPlatform {
  return {
    availableThreads: web.navigator?.hardwareConcurrency ?? 1,
    canShareMemory: web.crossOriginIsolated === true,
    // Named by its file; a bundler may have moved it.
    compileModule: url => compiled(assets[url.pathname.split('/').at(-1) as keyof Assets]),
    startThread: start => startThread(assets, start),
  }
}

/** Servers of single-page programs send a page for what they lack, and policies may forbid to compile. */
async function compiled(file: string): Promise<WasmModule> {
  const response = await fetchFile(file)
  return compileResponse(response).catch((error: Error) => {
    throw new Error(`${file} cannot be compiled (${error.message}; docs/browser.md)`, { cause: error })
  })
}

/** By a script of its own, not by a text: a content security policy may forbid scripts without an address. */
async function startThread(assets: Assets, start: ThreadStart): Promise<CoreThread> {
  const url = assets['latentkit-thread.js']
  const worker = startWorker(url, 'latentkit core')
  return new Promise((resolve, reject) => {
    worker.onmessage = () => resolve(worker)
    worker.onerror = event => {
      event.preventDefault()
      worker.terminate()
      reject(new Error(`a thread could not be started: ${event.message || `${url} cannot be loaded`}`))
    }
    worker.postMessage(start)
  })
}
