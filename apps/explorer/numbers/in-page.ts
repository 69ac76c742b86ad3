/** The engine in this page: `latentkit/browser`, in files beside it. */
import { loadLatentkit } from './latentkit.ts'
import type { Numbers } from './numbers.ts'
import { numbersOf } from './of-engine.ts'

/** `source`: an address, a GGUF file, or what a folder of safetensors has. `onPart`: from 0 to 1. */
export async function loadInPage(source: string | readonly File[], onPart: (part: number) => void): Promise<Numbers> {
  await kept()
  const { Engine } = await loadLatentkit()
  const engine = await Engine.load(source, {
    // A kept model needs no network.
    offline: typeof source === 'string' && !navigator.onLine,
    onProgress: ({ status, loaded, total }) => status === 'load' && total > 0 && onPart(loaded / total),
  })
  return numbersOf(engine, 'page')
}

/** Longer than keeping the page takes. */
const KEPT_WITHIN_MS = 2000

/** At the first visit: until what is loaded from now on is kept for use without a network, if that is to be had. */
async function kept(): Promise<void> {
  const { serviceWorker } = navigator
  if (!serviceWorker || serviceWorker.controller !== null) return
  await new Promise<void>(resolve => {
    serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true })
    setTimeout(resolve, KEPT_WITHIN_MS)
  })
}
