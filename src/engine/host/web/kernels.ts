import type { CoreThread, ThreadStart, WasmPlatform } from '../../../kernels/core/wasm/platform.ts'
import { createWasmKernels } from '../../../kernels/core/wasm/wasm.ts'
import { compileResponse } from '../../../kernels/core/wasm/webassembly.ts'
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
    compileModule: async url =>
      compileResponse(await fetchFile(assets[url.pathname.split('/').at(-1) as keyof Assets])),
    startThread: start => startThread(assets, start),
  }
}

/** By a script of its own, not by a text: a content security policy may forbid scripts without an address. */
function startThread(assets: Assets, start: ThreadStart): Promise<CoreThread> {
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
