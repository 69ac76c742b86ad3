import { PrefixTree } from '../../cache/prefix-tree.ts'
import type { BlockStorage } from '../../cache/stored/stored-block.ts'
import type { Model } from '../../model/model.ts'
import { rowRules } from '../../nn/provenance.ts'
import { DiskTier } from './disk-tier.ts'
import type { RowMover, SharedPast } from './timeline.ts'

/** What the sessions of one engine share: the tree of their full blocks, and what lies below it on disk. */
export interface EnginePast extends SharedPast {
  /** What later processes find again; null: nothing. */
  readonly disk: DiskTier | null
}

/** Blocks that are published in the tree are written to `store`. */
export function createEnginePast(model: Model, store: BlockStorage | null, mover: RowMover): EnginePast {
  const rules = rowRules(model.config)
  // Rows that have seen a source are of use to no other text.
  if (model.config.source) return { rules, mover, disk: null, prefixes: null }
  const disk = store && new DiskTier({ store, memory: model.kernels.memory, pool: model.pool, rules })
  return { rules, mover, disk, prefixes: new PrefixTree(model.pool, disk) }
}
