import { Checkpoint } from '../checkpoint/checkpoint.ts'
import { quote } from '../checkpoint/quote.ts'
import { computed, reordered, transposedMatrix } from '../checkpoint/recode/derived.ts'
import { recoded } from '../checkpoint/recode/recoded.ts'
import { hubRow } from '../checkpoint/recode/rotated-rows.ts'
import { readRows } from '../checkpoint/recode/weight-rows.ts'
import { UnsupportedModelError } from '../errors.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import { surveyWeights } from '../model/load.ts'
import { modelOf, type OpenedModel } from '../model/open/opened-model.ts'
import { isBlockType } from '../tensor/dtype.ts'
import { type AdaptedModule, type Adapter, withoutPrefix } from './adapter.ts'
import { checkAdapter } from './prepared.ts'

/**
 * A model whose matrices have an adapter's changes taken in. They are computed when they are read, and have the type that they had; a quantised
 * one becomes bf16. Throws CheckpointError and UnsupportedModelError where they do not belong together.
 */
export async function merged(model: OpenedModel, adapter: Adapter): Promise<OpenedModel> {
  await checkAdapter(adapter, model)
  const { checkpoint, family, config } = model
  const { prefixes } = family.names
  const modules = new Map(adapter.modules.map(module => [`${withoutPrefix(module.module, prefixes)}.weight`, module]))
  const order = new Map<string, number>()
  await surveyWeights(model, undefined, {
    of: async (module, _rows, _cols, headDim) => {
      const name = `${withoutPrefix(module, prefixes)}.weight`
      if (headDim !== undefined) order.set(name, headDim)
      // A tied output is the embedding, also where the file has another matrix of its name.
      const isTied = config.tiedEmbeddings && module === family.names.output
      if (modules.has(name) && (isTied || !checkpoint.has(`${module}.weight`))) {
        const met = `${checkpoint.name} has no ${quote(`${module}.weight`)} of its own`
        const how = 'it is tied, or in two parts as in GGUF files: convert the model to a folder, and merge into that'
        throw new UnsupportedModelError(`${met}, into which ${adapter.name} could be merged; ${how}`)
      }
      return undefined
    },
  })
  return modelOf(
    new MergedCheckpoint(checkpoint, name => {
      const key = withoutPrefix(name, prefixes)
      const module = modules.get(key)
      const headDim = order.get(key)
      return module && headDim !== undefined
        ? { ...module, up: reordered(module.up, module.up.rows, row => hubRow(row, headDim)) }
        : module
    }),
  )
}

class MergedCheckpoint extends Checkpoint {
  readonly #moduleOf: (tensor: string) => AdaptedModule | undefined

  constructor(checkpoint: Checkpoint, moduleOf: (tensor: string) => AdaptedModule | undefined) {
    super(checkpoint)
    this.#moduleOf = moduleOf
  }

  override matrix(
    name: string,
    rows: number,
    cols: number,
    options: { readonly transposed?: boolean } = {},
  ): WeightSource {
    const base = super.matrix(name, rows, cols, options)
    const module = this.#moduleOf(name)
    if (!module) return base
    const type = isBlockType(base.dtype) || base.dtype === 'e4m3' ? 'bf16' : base.dtype
    const sum = summed(base, module)
    if (!base.transposed) return recoded(sum, type)
    return { ...recoded(transposedMatrix(sum), type), rows, cols, transposed: true }
  }
}

/** W + scale * up down, f32. */
function summed(base: WeightSource, { down, up, scale }: AdaptedModule): WeightSource {
  const { rows, cols } = base
  let read: Promise<Float32Array> | null = null
  return computed(base, rows, cols, async (start, count) => {
    read ??= readRows(down, 0, down.rows)
    const [sums, a, b] = await Promise.all([readRows(base, start, count), read, readRows(up, start, count)])
    const rank = down.rows
    for (let n = 0; n < count; n++) {
      const row = sums.subarray(n * cols, (n + 1) * cols)
      const added = new Float64Array(cols)
      for (let r = 0; r < rank; r++) {
        const factor = scale * (b[n * rank + r] as number)
        for (let k = 0; k < cols; k++) added[k] = (added[k] as number) + factor * (a[r * cols + k] as number)
      }
      for (let k = 0; k < cols; k++) row[k] = (row[k] as number) + (added[k] as number)
    }
    return sums
  })
}
