/** Heads to choose: a button for each, in rows of layers. `4.2,4.1` in the address. */
import type { ReadingLayer } from '../../../../src/browser.ts'
import { ScrollBox } from '../../drawing/scroll-box.tsx'
import { changeParams, useAddress } from '../../state/address.ts'

interface HeadPlace {
  readonly layer: number
  readonly head: number
}

/** Those of the address that the model has. */
export function headsOf(text: string | undefined, layers: readonly ReadingLayer[]): HeadPlace[] {
  return [...(text ?? '').matchAll(/(\d+)\.(\d+)/g)]
    .map(([, layer, head]) => ({ layer: Number(layer), head: Number(head) }))
    .filter(({ layer, head }) => head < (layers[layer]?.heads ?? 0))
}

/** Rows of more heads than this are no list that one would read. */
const MAX_HEADS = 512

interface Props {
  label: string
  layers: readonly ReadingLayer[]
  /** The parameter of the address. */
  name: 'off' | 'patch'
}

export function HeadsChoice({ label, layers, name }: Props) {
  const { params } = useAddress()
  const chosen = new Set(headsOf(params[name], layers).map(({ layer, head }) => `${layer}.${head}`))
  const toggle = (head: string) => {
    const next = chosen.has(head) ? [...chosen].filter(one => one !== head) : [...chosen, head]
    changeParams({ [name]: next.length > 0 ? next.join(',') : undefined })
  }
  const shown = layers.filter(
    ({ heads }, i) => heads > 0 && layers.slice(0, i + 1).reduce((n, layer) => n + layer.heads, 0) <= MAX_HEADS,
  )
  return (
    <ScrollBox label={label}>
      <div class="head-rows">
        {shown.map(({ layer, heads }) => (
          <fieldset key={layer} aria-label={`Layer ${layer}`}>
            {Array.from({ length: heads }, (_, head) => `${layer}.${head}`).map(head => (
              <button
                key={head}
                type="button"
                class={`head ${name}`}
                aria-pressed={chosen.has(head)}
                onClick={() => toggle(head)}
              >
                {head}
              </button>
            ))}
          </fieldset>
        ))}
      </div>
    </ScrollBox>
  )
}
