/**
 * What this machine reaches with these kernels on a model's own shapes. A described machine gives a bound; this gives
 * an estimate: parts of a step run one after the other, so their times add up.
 */
import type { Kernels } from '../../kernels/contract.ts'
import type { Machine } from '../machines.ts'
import { weightTypeNamed } from '../number-formats.ts'
import type { PlanModel } from '../plan-model.ts'
import { weightFormat } from '../weight-format.ts'
import { modelWeightBytes } from '../weights.ts'
import { attentionRate } from './attention-rate.ts'
import { operationSeconds } from './operation-seconds.ts'
import { productRate } from './product-rate.ts'

/** Takes a second or two and up to 300 MB, which are given back. The kernels stay the caller's. */
export async function measureMachine(kernels: Kernels, model: PlanModel): Promise<Machine> {
  const { name, isa, threads } = kernels.info
  const type = weightTypeNamed(model.stored?.dtype.split(' ')[0] ?? '') ?? weightFormat(model.weightDtype).types.matrix
  const { activeBytes } = modelWeightBytes(model, undefined, { draft: false })
  const products = await productRate(kernels, type, model.hiddenSize, activeBytes)
  const operations = await operationSeconds(kernels, model.hiddenSize)
  return {
    name: 'measured',
    title: `this machine (${name} kernels, ${isa}, ${threads === 1 ? '1 thread' : `${threads} threads`})`,
    memoryBytes: null,
    bandwidth: products.bytesPerSecond,
    flops: products.flops,
    measured: {
      attentionFlops: await attentionRate(kernels, model),
      operationSeconds: operations.each,
      stepSeconds: operations.step,
    },
    source: `measured just now: products with ${type} weights, attention and small operations`,
  }
}
