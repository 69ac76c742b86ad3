/** What of a latent model learns when it is healed: the matrices of its attention, each at a rate that fits its size. */
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { elementCount, rowsOf } from '../../tensor/tensor.ts'
import { AdamW } from '../../training/adamw.ts'
import { gradientNorm } from '../../training/gradient-norm.ts'
import { nameOf, type Parameter, type Parameters } from '../../training/parameters.ts'

const LEARNED = /\.self_attn\.(q_proj|q_b_proj|kv_a_proj_with_mqa|kv_b_proj|o_proj)\.weight$/
const DOWN = /\.kv_a_proj_with_mqa\.weight$/

/** Whether a tensor learns, by its name. A latent of the query passes the input on, and norms are constants: they stay. */
export function learns(name: string): boolean {
  return LEARNED.test(name)
}

/** Whether it has rows that are so small that they need f32 (`form.ts`). */
export function isSmall(name: string): boolean {
  return DOWN.test(name)
}

interface Part {
  readonly parameter: Parameter
  /** Root mean square at the beginning. */
  readonly size: number
  readonly optimiser: AdamW
}

/**
 * Each part is its size times numbers about 1, and these are what AdamW learns: queries hold the softmax scale and the rows of the latent are 1e-9, so that no one
 * rate of the weights themselves would suit all.
 */
export class Parts {
  readonly #kernels: Kernels
  readonly #parameters: Parameters
  readonly #parts: readonly Part[]

  private constructor(kernels: Kernels, parameters: Parameters, parts: readonly Part[]) {
    this.#kernels = kernels
    this.#parameters = parameters
    this.#parts = parts
  }

  /** Before anything is learned. `rank`: numbers of the latent, the first rows of what makes it and the rope key. */
  static async of(kernels: Kernels, parameters: Parameters, rank: number): Promise<Parts> {
    const parts: Part[] = []
    for (const parameter of parameters.all.flatMap(one => split(one, rank))) {
      const size =
        (await gradientNorm(kernels, [parameter], 'values')) / Math.sqrt(elementCount(parameter.values.shape))
      parts.push({ parameter, size, optimiser: new AdamW(kernels, [parameter], { weightDecay: 0 }) })
    }
    return new Parts(kernels, parameters, parts)
  }

  /** The L2 norm of the gradients with respect to the numbers about 1. */
  async norm(): Promise<number> {
    let squares = 0
    for (const { parameter, size } of this.#parts)
      squares += (size * (await gradientNorm(this.#kernels, [parameter]))) ** 2
    return Math.sqrt(squares)
  }

  /** `gradientScale`: what gradients are multiplied by first. */
  async step(rate: number, gradientScale: number): Promise<void> {
    for (const { size, optimiser } of this.#parts) await optimiser.step(rate * size, gradientScale * size)
  }

  /** All that a step changes, by name, for `restore`. */
  async numbers(): Promise<Map<string, Float32Array>> {
    const all = await this.#parameters.numbers()
    for (const { optimiser } of this.#parts)
      for (const [name, numbers] of await optimiser.numbers()) all.set(name, numbers)
    return all
  }

  /** As they were after so many steps. Throws RangeError where numbers are missing. */
  restore(numbers: ReadonlyMap<string, Float32Array>, steps: number): void {
    this.#parameters.restore(numbers)
    for (const { optimiser } of this.#parts) optimiser.restore(numbers, steps)
  }
}

/** Rows of the latent and of the rope key differ in size as nothing else does. */
function split(parameter: Parameter, rank: number): Parameter[] {
  const name = nameOf(parameter)
  if (!isSmall(name)) return [parameter]
  const [source] = parameter.sources as [Parameter['sources'][number]]
  const rows = parameter.values.shape[0] as number
  const part = (what: string, from: number, count: number): Parameter => ({
    ...parameter,
    sources: [{ ...source, name: `${name} ${what}` }],
    values: rowsOf(parameter.values, from, count),
    gradient: rowsOf(parameter.gradient, from, count),
  })
  return [part('latent', 0, rank), part('rope', rank, rows - rank)]
}
