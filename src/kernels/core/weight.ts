/** Weights as the core holds them; weights.ts makes them. */
import type { PackedType } from '../../quant/packed.ts'
import type { FloatType } from '../../tensor/dtype.ts'
import type { ExpertWeights, Weight } from '../contract/weights.ts'
import type { CoreMemory } from './memory.ts'

/** A matrix in the core's memory or in a mapped file: of floats as the checkpoint stores it, of blocks packed. */
export interface CoreWeight extends Weight {
  readonly memory: CoreMemory
  readonly dtype: FloatType | PackedType
  /** Products are computed on its codes, with activations of 8 bits. */
  readonly packed: boolean
  readonly address: number
  /** Of f32 factors; 0: none. */
  readonly scales: number
  readonly blockRows: number
  readonly blockCols: number
}

export interface CoreExperts extends ExpertWeights {
  readonly memory: CoreMemory
  readonly packed: boolean
  /** Address of f64 [experts, 3]: address, type and address of scales. */
  readonly table: number
  readonly blockRows: number
  readonly blockCols: number
}

/** Throws RangeError for a weight of another kernel set. */
export function ownWeight(memory: CoreMemory, w: Weight, operation: string): CoreWeight {
  if ((w as Partial<CoreWeight>).memory === memory) return w as CoreWeight
  throw new RangeError(`${operation}: ${w.name} was not prepared by this kernel set`)
}

/** Throws RangeError for weights of another kernel set. */
export function ownExperts(memory: CoreMemory, w: ExpertWeights, operation: string): CoreExperts {
  if ((w as Partial<CoreExperts>).memory === memory) return w as CoreExperts
  throw new RangeError(`${operation}: ${w.name} was not prepared by this kernel set`)
}
