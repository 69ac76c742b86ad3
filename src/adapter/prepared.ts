import { quote } from '../checkpoint/quote.ts'
import { reordered } from '../checkpoint/recode/derived.ts'
import { hubRow } from '../checkpoint/recode/rotated-rows.ts'
import { CheckpointError, UnsupportedModelError } from '../errors.ts'
import type { Weight, WeightSource } from '../kernels/contract/weights.ts'
import type { Adapters } from '../model/load/loader.ts'
import { surveyWeights } from '../model/load.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'
import type { LowRank } from '../nn/layers.ts'
import { type AdaptedModule, type Adapter, withoutPrefix } from './adapter.ts'
import { refuseOrderedHeads } from './ordered-heads.ts'

/** An adapter's matrices as kernels get them, in the order of rows that the model's own have. */
export function preparedAdapter(
  adapter: Adapter,
  { family }: OpenedModel,
  prepare: (source: WeightSource) => Promise<Weight>,
): Adapters {
  const { prefixes } = family.names
  const modules = new Map(adapter.modules.map(module => [withoutPrefix(module.module, prefixes), module]))
  return {
    of: async (module, rows, _cols, headDim): Promise<LowRank | undefined> => {
      const found = modules.get(withoutPrefix(module, prefixes))
      if (!found) return undefined
      const up = headDim === undefined ? found.up : reordered(found.up, rows, row => hubRow(row, headDim))
      return { down: await prepare(found.down), up: await prepare(up), scale: found.scale }
    },
  }
}

/**
 * Checks that an adapter belongs to a model: that each of its modules is there and of the right size. Reads no weights. Throws CheckpointError
 * and UnsupportedModelError, naming the module.
 */
export async function checkAdapter(adapter: Adapter, model: OpenedModel): Promise<void> {
  const { checkpoint, family } = model
  const { prefixes } = family.names
  const left = new Map(adapter.modules.map(module => [withoutPrefix(module.module, prefixes), module]))
  if (left.size < adapter.modules.length) {
    throw new CheckpointError(`${adapter.name} changes a module twice, under names with and without a prefix`)
  }
  const byTurns = model.config.layers.some(({ attention: a }) => a.kind === 'delta' && a.keysByTurns)
  if (byTurns) for (const { module } of adapter.modules) refuseOrderedHeads(adapter.name, module, model)
  const known = new Set<string>()
  await surveyWeights(model, undefined, {
    of: async (module, rows, cols) => {
      const name = withoutPrefix(module, prefixes)
      known.add(name.slice(name.lastIndexOf('.') + 1))
      const found = left.get(name)
      left.delete(name)
      if (found) checkShape(adapter, found, checkpoint.name, rows, cols)
      return undefined
    },
  })
  const [unknown] = left.values()
  if (!unknown) return
  const met = `${adapter.name} changes ${quote(unknown.module)}`
  if (/\.experts\./.test(unknown.module)) {
    throw new UnsupportedModelError(`${met}, a single expert; adapters of experts are not supported: merge it in PEFT`)
  }
  const names = [...known].join(', ')
  throw new CheckpointError(
    `${met}, which ${checkpoint.name} does not have or cannot have changed; it has ${names}. Is it for another model?`,
  )
}

function checkShape(
  { name }: Adapter,
  { module, down, up }: AdaptedModule,
  model: string,
  rows: number,
  cols: number,
): void {
  if (up.rows === rows && down.cols === cols) return
  throw new CheckpointError(
    `${name} changes ${quote(module)} as a matrix [${up.rows}, ${down.cols}]; ${model} has [${rows}, ${cols}] there. It is for another model`,
  )
}
