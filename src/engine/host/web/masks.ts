import type { FromMasks } from '../../../grammar/thread/protocol.ts'
import type { MaskPlatform } from '../../types/platform.ts'
import type { Assets } from './assets.ts'
import { fetchWhole } from './fetch-whole.ts'
import { startWorker, web } from './web-globals.ts'

/** Masks in a worker of their own, started and loaded when a text is first held to a grammar. */
export function webMasks(assets: Assets): MaskPlatform {
  return {
    start: events => {
      const worker = startWorker(assets['latentkit-masks.js'], 'latentkit grammar')
      worker.onmessage = ({ data }) => events.message(data as FromMasks)
      worker.onerror = event => {
        event.preventDefault()
        events.failed(event.message || `${assets['latentkit-masks.js']} cannot be loaded`)
      }
      return {
        post: (message, transfer) => worker.postMessage(message, transfer ? [...transfer] : []),
        terminate: () => worker.terminate(),
      }
    },
    wasm: () => fetchWhole(assets['grammar.wasm']),
    shared: web.crossOriginIsolated === true,
    mayBlock: web.crossOriginIsolated === true,
  }
}
