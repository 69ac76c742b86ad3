/**
 * What this machine reaches with these kernels on a model's own shapes. A described machine gives a bound; this gives
 * an estimate: parts of a step run one after the other, so their times add up.
 */
import type { Kernels } from '../../kernels/contract/kernels.ts'
import type { Machine } from '../machines.ts'
import type { PlanModel } from '../plan-model.ts'
import { modelWeightBytes } from '../weights.ts'
import { attentionRate } from './attention-rate.ts'
import { operationSeconds } from './operation-seconds.ts'
import { productRate } from './product-rate.ts'

/** Takes a second or two and up to 300 MB, which are given back. The kernels stay the caller's. */
export async function measureMachine(kernels: Kernels, model: PlanModel): Promise<Machine> {
  const { name, isa, threads } = kernels.info
  const { activeBytes } = modelWeightBytes(model, undefined, { draft: false })
  const products = await productRate(kernels, model)
  const attention = await attentionRate(kernels, model, activeBytes)
  const operations = await operationSeconds(kernels, model.hiddenSize, model.vocabSize)
  return {
    name: 'measured',
    title: `this machine (${name} kernels, ${isa}, ${threads === 1 ? '1 thread' : `${threads} threads`})`,
    memoryBytes: null,
    bandwidth: products.bytesPerSecond,
    flops: products.flops,
    measured: {
      attentionFlops: attention.flops,
      attentionSeconds: attention.each,
      operationSeconds: operations.each,
      stepSeconds: operations.step,
    },
    source: `measured just now on the shapes of ${model.name}`,
  }
}
