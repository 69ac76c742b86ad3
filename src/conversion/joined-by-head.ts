/** Qwen3-Next's matrix of q, k, v and the gate, whose rows lie head by head of the keys on the hub, and by kinds, the gate apart, in llama.cpp's files. */
import { computed, reordered } from '../checkpoint/recode/derived.ts'
import { readRows } from '../checkpoint/recode/weight-rows.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import type { DeltaRuleConfig } from '../nn/states/config.ts'

type Sizes = Pick<DeltaRuleConfig, 'nHeads' | 'nKeyHeads' | 'keyDim' | 'valueDim'>

interface Apart {
  /** [2 G dk + H dv, D]: the rows of all heads of q, of k, of v. */
  readonly mixed: WeightSource
  /** [H dv, D] */
  readonly gate: WeightSource
}

/** Numbers of a head of keys that q, k, v and the gate have, in this order. */
const widthsOf = ({ nHeads: H, nKeyHeads: G, keyDim: dk, valueDim: dv }: Sizes) => {
  const value = (H / G) * dv
  return [dk, dk, value, value] as const
}

/** `joined`: [2 G dk + 2 H dv, D]. */
export function withoutGate(joined: WeightSource, sizes: Sizes): Apart {
  const G = sizes.nKeyHeads
  const widths = widthsOf(sizes)
  const perHead = widths.reduce((a, b) => a + b)
  /** The row in `joined` of row `row` of kinds from `kind` on. */
  const order = (row: number, kind: number): number => {
    const width = widths[kind] as number
    if (row >= G * width) return order(row - G * width, kind + 1)
    const before = widths.slice(0, kind).reduce((a, b) => a + b, 0)
    return Math.floor(row / width) * perHead + before + (row % width)
  }
  const gateRows = G * widths[3]
  return {
    mixed: reordered(joined, G * perHead - gateRows, row => order(row, 0)),
    gate: reordered(joined, gateRows, row => order(row, 3)),
  }
}

/** The reverse: f32. */
export function withGate({ mixed, gate }: Apart, sizes: Sizes): WeightSource {
  const G = sizes.nKeyHeads
  const widths = widthsOf(sizes)
  const perHead = widths.reduce((a, b) => a + b)
  return computed(mixed, G * perHead, mixed.cols, async (start, count) => {
    const rows = new Float32Array(count * mixed.cols)
    for (let row = start; row < start + count; ) {
      const [head, at] = [Math.floor(row / perHead), row % perHead]
      const { kind, within } = kindOf(at, widths)
      const taken = Math.min((widths[kind] as number) - within, start + count - row)
      const before = kind === 3 ? 0 : G * widths.slice(0, kind).reduce((a, b) => a + b, 0)
      const from = before + head * (widths[kind] as number) + within
      rows.set(await readRows(kind === 3 ? gate : mixed, from, taken), (row - start) * mixed.cols)
      row += taken
    }
    return rows
  })
}

function kindOf(at: number, widths: readonly number[]) {
  let [kind, within] = [0, at]
  while (within >= (widths[kind] as number)) within -= widths[kind++] as number
  return { kind, within }
}
