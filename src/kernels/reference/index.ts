import { DisposedError } from '../../errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import type { KernelInfo, Kernels } from '../contract/kernels.ts'
import type { ExpertWeights, Weight, WeightSource } from '../contract/weights.ts'
import type { Operations } from '../operations/table.ts'
import { Memory } from './memory.ts'
import { operationsIn } from './operations.ts'
import { expertsOf, prepare, prepareExperts, prepareVector, weightOf } from './weights.ts'

/**
 * The definition of every operation: plain TypeScript, sums in f64, each result rounded to f32 once, run when it is
 * called. It needs nothing of Node, and is never optimised.
 */
export function createReferenceKernels(): Kernels {
  const memory = new Memory()
  return Object.assign(new ReferenceKernels(memory), operationsIn(memory))
}

/** What is around the operations. */
class ReferenceKernels implements Omit<Kernels, keyof Operations> {
  readonly info: KernelInfo = { name: 'reference', isa: 'javascript', threads: 1, numerics: 'reference' }
  readonly memory: Memory
  #disposed = false

  constructor(memory: Memory) {
    this.memory = memory
  }

  prepare(source: WeightSource): Promise<Weight> {
    return prepare(this.memory, source)
  }
  prepareExperts(sources: readonly WeightSource[]): Promise<ExpertWeights> {
    return prepareExperts(this.memory, sources)
  }
  prepareVector(source: WeightSource, add = 0): Promise<Tensor> {
    return prepareVector(this.memory, source, add)
  }

  weightOf(name: string, values: Tensor): Weight {
    return weightOf(name, values)
  }
  expertsOf(name: string, values: Tensor): ExpertWeights {
    return expertsOf(name, values)
  }

  async submit(): Promise<void> {
    if (this.#disposed) throw new DisposedError('kernel set')
  }
  dispose(): void {
    this.#disposed = true
    this.memory.dispose()
  }
}
