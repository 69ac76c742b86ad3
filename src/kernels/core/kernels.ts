import type { DType } from '../../tensor/dtype.ts'
import type { Tensor, TypedArray } from '../../tensor/tensor.ts'
import type { AttentionArgs } from '../contract/attention-args.ts'
import type { RowSlice } from '../contract/cached-rows.ts'
import type { KernelInfo, Kernels, Recording } from '../contract/kernels.ts'
import type { Activation, HeadMatmulOptions, MatmulOptions, RouteOptions } from '../contract/operations.ts'
import type { ExpertWeights, Weight, WeightSource } from '../contract/weights.ts'
import { attention, probabilities } from './attention.ts'
import { CommandList, CoreRecording } from './command-list.ts'
import { combineExperts, expertMatmul, groupByExpert, route } from './experts.ts'
import type { CoreHost } from './host.ts'
import { CoreMemory } from './memory.ts'
import { activate, gate, rope, ropeTable } from './pointwise.ts'
import { headMatmul, matmul } from './products.ts'
import type { Profile } from './profile.ts'
import { axpby, copy, embed, gatherRows, layerNorm, rmsNorm } from './rows.ts'
import { cacheRead, cacheWrite } from './slices.ts'
import { ownExperts, ownWeight, prepare, prepareExperts, prepareVector } from './weights.ts'

/** The C++ core behind the contract: every operation is recorded, `submit` runs the list in one call. */
export class CoreKernels implements Kernels {
  readonly info: KernelInfo
  /** Quantised weights are computed as f32. */
  readonly exact: boolean
  /** Where set, it learns what every operation took. */
  profile: Profile | null = null
  readonly #memory: CoreMemory
  readonly #list = new CommandList()

  constructor(host: CoreHost, exact: boolean) {
    this.exact = exact
    const { name, isa, threads } = host
    this.info = { name, isa, threads, numerics: `${name}-${isa}${exact ? '-exact' : ''}` }
    this.#memory = new CoreMemory(host)
  }

  alloc(dtype: DType, shape: readonly number[]): Tensor {
    return this.#memory.alloc(dtype, shape)
  }
  free(tensor: Tensor): void {
    this.#memory.free(tensor)
  }
  upload(tensor: Tensor, data: TypedArray): void {
    this.#memory.upload(tensor, data)
  }
  async read(tensor: Tensor): Promise<TypedArray> {
    return this.#memory.read(tensor)
  }
  get allocatedBytes(): number {
    return this.#memory.bytes
  }

  prepare(source: WeightSource): Promise<Weight> {
    return prepare(this.#memory, source, this.exact)
  }
  prepareExperts(sources: readonly WeightSource[]): Promise<ExpertWeights> {
    return prepareExperts(this.#memory, sources, this.exact)
  }
  prepareVector(source: WeightSource, add = 0): Promise<Tensor> {
    return prepareVector(this.#memory, source, add)
  }

  get failure(): Error | null {
    return this.#memory.failure
  }
  async submit(): Promise<void> {
    this.#memory.run(this.#list, this.profile)
  }
  recording(): Recording {
    return new CoreRecording(this.#list.data.slice(0, this.#list.lastLength))
  }
  async resubmit(recording: Recording): Promise<void> {
    if (this.#list.length > 0) throw new RangeError('resubmit: operations have been recorded since the last submit')
    if (!(recording instanceof CoreRecording)) throw new RangeError('resubmit: a recording of another kernel set')
    this.#memory.runAgain(recording.data, this.profile)
  }
  dispose(): void {
    this.#list.close()
    this.#memory.dispose()
  }

  embed(y: Tensor, w: Weight, ids: Tensor, scale?: number): void {
    embed(this.#list, y, ownWeight(this.#memory, w, 'embed'), ids, scale)
  }
  gatherRows(y: Tensor, x: Tensor, index: Tensor): void {
    gatherRows(this.#list, y, x, index)
  }
  copy(y: Tensor, x: Tensor): void {
    copy(this.#list, y, x)
  }
  axpby(y: Tensor, a: number, x: Tensor, b?: number, z?: Tensor): void {
    axpby(this.#list, y, a, x, b, z)
  }

  rmsNorm(y: Tensor, x: Tensor, weight: Tensor, eps: number): void {
    rmsNorm(this.#list, y, x, weight, eps)
  }
  layerNorm(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, eps: number): void {
    layerNorm(this.#list, y, x, weight, bias, eps)
  }

  matmul(y: Tensor, x: Tensor, w: Weight, options?: MatmulOptions): void {
    matmul(this.#list, y, x, ownWeight(this.#memory, w, 'matmul'), options)
  }
  headMatmul(y: Tensor, x: Tensor, w: Weight, options: HeadMatmulOptions): void {
    headMatmul(this.#list, y, x, ownWeight(this.#memory, w, 'headMatmul'), options, this.exact)
  }

  activate(y: Tensor, x: Tensor, activation: Activation): void {
    activate(this.#list, y, x, activation)
  }
  gate(y: Tensor, gates: Tensor, up: Tensor, activation: Activation): void {
    gate(this.#list, y, gates, up, activation)
  }

  ropeTable(cosSin: Tensor, positions: Tensor, frequencies: Tensor, m: number): void {
    ropeTable(this.#list, cosSin, positions, frequencies, m)
  }
  rope(y: Tensor, x: Tensor, cosSin: Tensor, interleaved: boolean): void {
    rope(this.#list, y, x, cosSin, interleaved)
  }

  cacheWrite(slice: RowSlice, x: Tensor, sequences: Tensor): void {
    cacheWrite(this.#list, slice, x, sequences)
  }
  cacheRead(y: Tensor, slice: RowSlice, sequences: Tensor): void {
    cacheRead(this.#list, y, slice, sequences)
  }
  attention(args: AttentionArgs): void {
    attention(this.#list, args, this.exact)
  }
  probabilities(p: Tensor, scores: Tensor, lse: Tensor): void {
    probabilities(this.#list, p, scores, lse)
  }

  route(indices: Tensor, weights: Tensor, logits: Tensor, options: RouteOptions): void {
    route(this.#list, indices, weights, logits, options)
  }
  groupByExpert(plan: Tensor, indices: Tensor, experts: number): void {
    groupByExpert(this.#list, plan, indices, experts)
  }
  expertMatmul(y: Tensor, x: Tensor, w: ExpertWeights, plan: Tensor, gather: boolean): void {
    expertMatmul(this.#list, y, x, ownExperts(this.#memory, w, 'expertMatmul'), plan, gather)
  }
  combineExperts(y: Tensor, part: Tensor, weights: Tensor, plan: Tensor, residual: Tensor): void {
    combineExperts(this.#list, y, part, weights, plan, residual)
  }
}
