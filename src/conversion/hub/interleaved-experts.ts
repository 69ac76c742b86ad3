/** Experts as gpt-oss's own code has them: all of a layer in one tensor, [E, inputs, outputs], the outputs of gate and up by turns. */
import { computed } from '../../checkpoint/recode/derived.ts'
import { readRows } from '../../checkpoint/recode/weight-rows.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'

interface Stack {
  readonly name: string
  readonly shape: readonly number[]
  readonly source: WeightSource
}

const MATRIX = /^(.*\.mlp\.experts\.)(\d+)\.(gate|up|down)_proj\.weight$/
const BIAS = /^(.*\.mlp\.experts\.)(gate|up|down)_proj\.bias$/

/** Of a layer's expert matrices, or of their biases [E, rows], what the tensor is called that takes it in; null: it stays as it is. */
export function stackOf(name: string): string | null {
  const [, before, , module] = MATRIX.exec(name) ?? []
  const [, at, biased] = BIAS.exec(name) ?? []
  const part = module ?? biased
  if (!part) return null
  return `${before ?? at}${part === 'down' ? 'down_proj' : 'gate_up_proj'}${biased ? '_bias' : ''}`
}

/** `parts`: everything that `stackOf` gives this name, by name. */
export function stacked(name: string, parts: ReadonlyMap<string, WeightSource>): Stack {
  const turns = name.includes('gate_up_proj') ? ['gate', 'up'] : ['down']
  const of = (module: string) =>
    [...parts].filter(([part]) => part.includes(`${module}_proj`)).map(([, source]) => source)
  const modules = turns.map(of) as readonly (readonly WeightSource[])[]
  const [first] = modules[0] as readonly [WeightSource, ...WeightSource[]]
  if (name.endsWith('_bias')) {
    const width = turns.length * first.cols
    const source = computed(first, first.rows, width, async (start, count) => {
      const rows = await Promise.all(modules.map(([source]) => readRows(source as WeightSource, start, count)))
      return Float32Array.from(
        { length: count * width },
        (_, i) => rows[i % turns.length]![Math.floor(i / turns.length)]!,
      )
    })
    return { name, shape: [first.rows, width], source }
  }
  const [E, D, width] = [modules[0]!.length, first.cols, turns.length * first.rows]
  /** [rows, cols] of each module of the expert that was asked for last. */
  let last: { readonly expert: number; readonly matrices: readonly Float32Array[] } | null = null
  const matricesOf = async (expert: number) => {
    if (last?.expert !== expert) {
      const matrices = await Promise.all(modules.map(all => readRows(all[expert]!, 0, first.rows)))
      last = { expert, matrices }
    }
    return last.matrices
  }
  const source = computed(first, E * D, width, async (start, count) => {
    const made = new Float32Array(count * width)
    for (let r = 0; r < count; r++) {
      const matrices = await matricesOf(Math.floor((start + r) / D))
      const column = (start + r) % D
      for (let i = 0; i < width; i++) {
        made[r * width + i] = matrices[i % turns.length]![Math.floor(i / turns.length) * D + column]!
      }
    }
    return made
  })
  return { name, shape: [E, D, width], source }
}
