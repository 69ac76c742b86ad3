import type { DType } from '../../tensor/dtype.ts'
import type { Tensor, TypedArray } from '../../tensor/tensor.ts'
import type { KernelInfo, Kernels, Recording } from '../contract/kernels.ts'
import type { MemoryBlock } from '../contract/memory.ts'
import type { ExpertWeights, Weight, WeightSource } from '../contract/weights.ts'
import { CoreRecording } from './command-list.ts'
import type { CoreHost } from './host.ts'
import { CoreMemory } from './memory.ts'
import type { Profile } from './profile.ts'
import { Recorder } from './recorder.ts'
import { expertsOf, prepare, prepareExperts, prepareVector, weightOf } from './weights.ts'

/** The C++ core behind the contract: every operation is recorded, `submit` runs the list in one call. */
export class CoreKernels extends Recorder implements Kernels {
  readonly info: KernelInfo
  /** Where set, it learns what every operation took. */
  profile: Profile | null = null

  constructor(host: CoreHost, exact: boolean) {
    super(new CoreMemory(host), exact)
    const { name, isa, threads } = host
    this.info = { name, isa, threads, numerics: `${name}-${isa}${exact ? '-exact' : ''}` }
  }

  alloc(dtype: DType, shape: readonly number[]): Tensor {
    return this.memory.alloc(dtype, shape)
  }
  free(tensor: Tensor): void {
    this.memory.free(tensor)
  }
  allocBlock(bytes: number): MemoryBlock {
    return this.memory.allocBlock(bytes)
  }
  freeBlock(block: MemoryBlock): void {
    this.memory.freeBlock(block)
  }
  upload(tensor: Tensor, data: TypedArray): void {
    this.memory.upload(tensor, data)
  }
  async read(tensor: Tensor, into?: TypedArray): Promise<TypedArray> {
    return this.memory.read(tensor, into)
  }
  get allocatedBytes(): number {
    return this.memory.bytes
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
    if (pause) await this.memory.runInParts(this.list, pause, this.profile)
    else this.run(this.profile)
  }
  recording(): Recording {
    return new CoreRecording(this.list.data.slice(0, this.list.lastLength))
  }
  async resubmit(recording: Recording): Promise<void> {
    if (this.list.length > 0) throw new RangeError('resubmit: operations have been recorded since the last submit')
    if (!(recording instanceof CoreRecording)) throw new RangeError('resubmit: a recording of another kernel set')
    this.memory.runAgain(recording.data, this.profile)
  }
  dispose(): void {
    this.list.close()
    this.memory.dispose()
  }
}
