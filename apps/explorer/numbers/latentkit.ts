import type * as latentkit from '../../../src/browser.ts'

/** `latentkit/browser`, in files beside the page. */
export async function loadLatentkit(): Promise<typeof latentkit> {
  const module = new URL('latentkit/latentkit.js', document.baseURI).href
  return import(module) as Promise<typeof latentkit>
}
