/** The numbers of a model, wherever they are computed. */
import { openNode } from './in-node.ts'
import { loadInPage } from './in-page.ts'
import type { Numbers } from './numbers.ts'
import { BESIDE, META } from './wire.ts'

/** The model that is looked into, or the one beside it. */
export type Slot = keyof typeof META

/** The bundled model, beside the page. */
export const BUNDLED = './tales-mla-8m/'

/** The name of the model that Node has for a slot alone. */
export function ownInNode(slot: Slot): string | undefined {
  return document.querySelector<HTMLMetaElement>(`meta[name="${META[slot]}"]`)?.content
}

/** The name of the model that Node has for a slot, which may be the same for both; undefined where only this page computes. */
export function modelInNode(slot: Slot): string | undefined {
  return ownInNode(slot) ?? ownInNode('main')
}

/** `source`: what this page is to compute; undefined: the model in Node, or where there is none the bundled one in this page. */
export function openNumbers(
  source: string | readonly File[] | undefined,
  slot: Slot,
  { onPart, onLost }: { readonly onPart: (part: number) => void; readonly onLost: (message: string) => void },
): Promise<Numbers> {
  if (source === undefined && modelInNode(slot) !== undefined) {
    const beside = slot === 'beside' && ownInNode(slot) !== undefined
    return openNode(new URL(beside ? BESIDE : '.', document.baseURI).href, onLost)
  }
  return loadInPage(source ?? BUNDLED, onPart)
}
