/** Heads to switch off: a button for each, in rows of layers. `off=4.2,4.1` in the address. */
import type { ReadingLayer } from '../../../../src/browser.ts'
import { ScrollBox } from '../../drawing/scroll-box.tsx'
import { changeParams, useAddress } from '../../state/address.ts'

export function offHeads(off: string | undefined): (readonly [layer: number, head: number])[] {
  return [...(off ?? '').matchAll(/(\d+)\.(\d+)/g)].map(([, layer, head]) => [Number(layer), Number(head)])
}

/** Rows of more heads than this are no list that one would read. */
const MOST_HEADS = 512

export function Heads({ layers }: { layers: readonly ReadingLayer[] }) {
  const { params } = useAddress()
  const off = new Set(offHeads(params.off).map(pair => pair.join('.')))
  const toggle = (name: string) => {
    const next = off.has(name) ? [...off].filter(one => one !== name) : [...off, name]
    changeParams({ off: next.length > 0 ? next.join(',') : undefined })
  }
  const shown = layers.filter((_, i) => layers.slice(0, i + 1).reduce((n, layer) => n + layer.heads, 0) <= MOST_HEADS)
  return (
    <ScrollBox label="Heads to switch off">
      <div class="head-rows">
        {shown.map(({ layer, heads }) => (
          <fieldset key={layer} aria-label={`Layer ${layer}`}>
            {Array.from({ length: heads }, (_, head) => `${layer}.${head}`).map(name => (
              <button key={name} type="button" class="head" aria-pressed={off.has(name)} onClick={() => toggle(name)}>
                {name}
              </button>
            ))}
          </fieldset>
        ))}
      </div>
    </ScrollBox>
  )
}
