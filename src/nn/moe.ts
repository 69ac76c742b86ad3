import type { Kernels } from '../kernels/contract/kernels.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { Arena } from './arena.ts'
import type { MoeConfig } from './config.ts'
import { linear } from './layers.ts'
import { denseMlp } from './mlp.ts'
import type { MoeWeights } from './weights.ts'

/**
 * DeepSeekMoE (arXiv 2401.06066; V3 paper, arXiv 2412.19437, eq. 12-16): y = residual + shared(x) + sum of the chosen
 * experts, weighted. Tokens are gathered per expert, so that each expert is one product. x, y, residual [T, D].
 */
export function mixtureOfExperts(
  k: Kernels,
  arena: Arena,
  w: MoeWeights,
  c: MoeConfig,
  y: Tensor,
  x: Tensor,
  residual: Tensor,
): void {
  const [T, D] = x.shape as [number, number]
  const { nExperts: E, topK: K, expertSize: F, activation } = c
  const mark = arena.mark()

  const logits = arena.take([T, E])
  const chosen = arena.take([T, K], 'i32')
  const weights = arena.take([T, K])
  const plan = arena.take([E + 1 + 2 * T * K], 'i32')
  linear(k, logits, x, w.router)
  k.route(chosen, weights, logits, w.selectionBias ? { ...c, bias: w.selectionBias } : c)
  k.groupByExpert(plan, chosen, E)

  const gate = arena.take([T * K, F])
  const up = arena.take([T * K, F])
  const part = arena.take([T * K, D])
  k.expertMatmul(gate, x, w.gate, plan, true)
  k.expertMatmul(up, x, w.up, plan, true)
  k.gate(up, gate, up, activation)
  k.expertMatmul(part, up, w.down, plan, false)
  if (w.shared) {
    const shared = arena.take([T, D])
    denseMlp(k, arena, w.shared, activation, shared, x, { residual, scale: 1 })
    k.combineExperts(y, part, weights, plan, shared)
  } else {
    k.combineExperts(y, part, weights, plan, residual)
  }
  arena.release(mark)
}
