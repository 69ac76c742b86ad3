import { fitting } from '../../quant/fallback.ts'
import type { EncodableType } from '../../quant/numbers.ts'
import { isBlockType, WEIGHT_TYPES } from '../../tensor/dtype.ts'

/**
 * What a matrix is for: decides how exact it has to be.
 *
 * - `matrix`: projections, experts.
 * - `embedding`, `output`: one row per token; `tied` is both.
 * - `positions`: learned positions, added to the stream as they are.
 * - `latent`: the projection down to MLA's latent and rope key. All that later tokens see of a token passes through it.
 * - `router`: a small error sends a token to another expert.
 * - `small`: numbers near 1e-9, below what f16 and the scales of blocks hold: f32 or bf16.
 */
export type WeightRole = 'matrix' | 'embedding' | 'output' | 'tied' | 'positions' | 'latent' | 'router' | 'small'

/** The type for one matrix with rows of `cols` numbers when the user asks for the model in type `wanted`. */
export function weightTypeFor(wanted: EncodableType, role: WeightRole, cols: number): EncodableType {
  if (role === 'router' || role === 'positions') return 'f32'
  if (role === 'small') return wanted === 'bf16' ? 'bf16' : 'f32'
  if (!isBlockType(wanted)) return wanted
  return fitting(atLeast(leastFor(role), wanted), cols)
}

/** The lowest type for a role. The output's is llama-quantize's rule; the latent's projection is a few percent of a layer. */
function leastFor(role: WeightRole): EncodableType {
  if (role === 'latent') return 'q8_0'
  return role === 'output' || role === 'tied' ? 'q6_k' : 'q2_k'
}

function atLeast(least: EncodableType, wanted: EncodableType): EncodableType {
  return bits(least) > bits(wanted) ? least : wanted
}

function bits(type: EncodableType): number {
  return WEIGHT_TYPES[type].bytes / WEIGHT_TYPES[type].elements
}
