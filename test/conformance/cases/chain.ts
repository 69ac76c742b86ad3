import { lastOf } from '../../../src/tensor/tensor.ts'
import type { ConformanceCase } from '../case.ts'

/** Operations of one list take effect in order, and a buffer may be used again. */
const thousands: ConformanceCase = {
  op: 'chain',
  name: 'thousands of operations in one list',
  record(lab) {
    const y = lab.inout('y', 'f32', [3, 7], lab.rng.normals(21))
    const x = lab.normals([3, 7])
    for (let i = 0; i < 5000; i++) lab.k.axpby(y, 0.5, y, 0.25 + (i % 3) / 8, x)
  },
}

const layers = [1, 5, 40].flatMap((T): ConformanceCase[] => [
  {
    op: 'chain',
    name: `a gated MLP of ${T} tokens, twice through the same buffers`,
    async record(lab) {
      const { k } = lab
      const D = 50
      const F = 70
      const up = await lab.weight('bf16', 2 * F, D)
      const down = await lab.weight('f32', D, F)
      const norm = lab.normals([D])
      const x = lab.inout('x', 'f32', [T, D], lab.rng.normals(T * D))
      const normed = lab.output('normed', 'f32', [T, D])
      const both = lab.output('both', 'f32', [T, 2 * F])
      const gated = lab.output('gated', 'f32', [T, F])
      for (let layer = 0; layer < 2; layer++) {
        k.rmsNorm(normed, x, norm, 1e-6)
        k.matmul(both, normed, up, { scale: 0.2 })
        k.gate(gated, lastOf(both, 0, F), lastOf(both, F, F), 'silu')
        k.matmul(x, gated, down, { residual: x, scale: 0.2 })
      }
    },
  },
  {
    op: 'chain',
    name: `${T} tokens through a router and their experts`,
    async record(lab) {
      const { k } = lab
      const [D, F, E, K] = [40, 24, 6, 2]
      const router = await lab.weight('f32', E, D)
      const up = await lab.experts('bf16', E, F, D)
      const down = await lab.experts('bf16', E, D, F)
      const x = lab.normals([T, D])
      const logits = lab.output('logits', 'f32', [T, E])
      const indices = lab.output('indices', 'i32', [T, K])
      const weights = lab.output('weights', 'f32', [T, K])
      const plan = lab.output('plan', 'i32', [E + 1 + 2 * T * K])
      const raised = lab.output('raised', 'f32', [T * K, F])
      const part = lab.output('part', 'f32', [T * K, D])
      k.matmul(logits, x, router, { scale: 0.2 })
      const options = { scoring: 'sigmoid', groups: 1, topkGroups: 1, groupScore: 'max', normalise: true, scale: 1 }
      k.route(indices, weights, logits, options as Parameters<typeof k.route>[3])
      k.groupByExpert(plan, indices, E)
      k.expertMatmul(raised, x, up, plan, true)
      k.activate(raised, raised, 'gelu_tanh')
      k.expertMatmul(part, raised, down, plan, false)
      k.combineExperts(lab.output('y', 'f32', [T, D]), part, weights, plan, x)
    },
  },
])

export const chainCases: readonly ConformanceCase[] = [...layers, thousands]
