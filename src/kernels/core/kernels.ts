import type { Tensor } from '../../tensor/tensor.ts'
import type { KernelInfo, Kernels, Recording } from '../contract/kernels.ts'
import type { ExpertWeights, Weight, WeightSource } from '../contract/weights.ts'
import type { CoreHost } from './host.ts'
import { CoreMemory } from './memory.ts'
import { Recorder } from './recorder.ts'
import { expertsOf, prepare, prepareExperts, prepareVector, weightOf } from './weights.ts'

/** Instruction sets that compute what another one does, and only train in another way (`native/products.cpp`), have its numerics. */
const INFERS_AS: Readonly<Record<string, string>> = { amx: 'avx512bf16' }

/** The C++ core behind the contract: every operation is recorded, `submit` runs the list in one call. */
export class CoreKernels extends Recorder implements Kernels {
  readonly info: KernelInfo
  constructor(host: CoreHost, exact: boolean) {
    super(new CoreMemory(host), exact)
    const { name, isa, threads } = host
    this.info = { name, isa, threads, numerics: `${name}-${INFERS_AS[isa] ?? isa}${exact ? '-exact' : ''}` }
  }

  prepare(source: WeightSource): Promise<Weight> {
    return prepare(this.memory, source, this.exact)
  }
  prepareExperts(sources: readonly WeightSource[]): Promise<ExpertWeights> {
    return prepareExperts(this.memory, sources, this.exact)
  }
  prepareVector(source: WeightSource, add = 0): Promise<Tensor> {
    return prepareVector(this.memory, source, add)
  }

  weightOf(name: string, values: Tensor): Weight {
    return weightOf(this.memory, name, values)
  }
  expertsOf(name: string, values: Tensor): ExpertWeights {
    return expertsOf(this.memory, name, values)
  }

  get failure(): Error | null {
    return this.memory.failure
  }
  async submit(pause?: () => Promise<void>): Promise<void> {
    if (pause) await this.memory.runInParts(this.list, pause)
    else this.run()
  }
  recording(): Recording {
    return this.memory.recording(this.list)
  }
  dispose(): void {
    this.list.close()
    this.memory.dispose()
  }
}
