/** The engine in this page: `latentkit/browser`, in files beside it. */
import type * as latentkit from '../../../src/browser.ts'
import type { Numbers } from './numbers.ts'

/** The bundled model, beside the page. */
const BUNDLED = './tales-mla-8m/'

/** `files`: a GGUF file, or what a folder of safetensors has; undefined: the bundled model. `onPart`: from 0 to 1. */
export async function loadInPage(files: readonly File[] | undefined, onPart: (part: number) => void): Promise<Numbers> {
  const module = new URL('latentkit/latentkit.js', document.baseURI).href
  const { Engine } = (await import(module)) as typeof latentkit
  const load = (offline: boolean) =>
    Engine.load(files ?? BUNDLED, {
      offline,
      onProgress: ({ status, loaded, total }) => status === 'load' && total > 0 && onPart(loaded / total),
    })
  // A kept model needs no network.
  const engine = await load(files === undefined && !navigator.onLine)
  return {
    info: engine.info,
    read: (text, changes) => engine.inspect(text, { changes }),
    neighbours: id => engine.neighbours(id),
    dispose: () => engine.dispose(),
  }
}
