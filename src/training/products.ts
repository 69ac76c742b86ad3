import type { Factors } from '../kernels/contract/operation-options.ts'
import { OPERATIONS, type Operations } from '../kernels/operations/table.ts'
import type { Scratch } from '../nn/scratch.ts'

/**
 * Operations whose products and attention are those that training takes: of many rows, with factors of this type. Those of generation are made
 * for few rows, for weights that are packed and keys that are cached.
 */
export function trainingProducts(kernels: Operations, scratch: Pick<Scratch, 'take'>, factors: Factors): Operations {
  const others = Object.keys(OPERATIONS).map(name => {
    const operation = kernels[name as keyof Operations] as (...args: never[]) => void
    return [name, operation.bind(kernels)]
  })
  return {
    ...(Object.fromEntries(others) as unknown as Operations),
    matmul: (y, x, w, options) => kernels.trainingMatmul(y, x, w, { ...options, factors }),
    attention: args => kernels.trainingAttention({ ...args, lse: args.lse ?? scratch.take(args.q.shape.slice(0, 2)) }),
    expertMatmul: (y, x, w, plan, gather) => kernels.trainingExpertMatmul(y, x, w, plan, gather, factors),
    matmulBackward: (dx, dy, w, scale, _, add) => kernels.matmulBackward(dx, dy, w, scale, factors, add),
    weightBackward: (dw, dy, x, scale) => kernels.weightBackward(dw, dy, x, scale, factors),
    expertMatmulBackward: (dx, dy, w, plan) => kernels.expertMatmulBackward(dx, dy, w, plan, factors),
    expertWeightBackward: (dw, dy, x, plan, gather) => kernels.expertWeightBackward(dw, dy, x, plan, gather, factors),
  }
}
