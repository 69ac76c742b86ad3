/** The numbers of a model, wherever they are computed. */
import { openNode } from './in-node.ts'
import { loadInPage } from './in-page.ts'
import type { Numbers } from './numbers.ts'
import { META } from './wire.ts'

/** The bundled model, beside the page. */
export const BUNDLED = './tales-mla-8m/'

/** The name of the model that Node has; undefined where only this page computes. */
export function modelInNode(): string | undefined {
  return document.querySelector<HTMLMetaElement>(`meta[name="${META}"]`)?.content
}

/** `source`: what this page is to compute; undefined: the model in Node, or where there is none the bundled one in this page. */
export function openNumbers(
  source: string | readonly File[] | undefined,
  { onPart, onLost }: { readonly onPart: (part: number) => void; readonly onLost: (message: string) => void },
): Promise<Numbers> {
  if (source === undefined && modelInNode() !== undefined) return openNode(document.baseURI, onLost)
  return loadInPage(source ?? BUNDLED, onPart)
}
