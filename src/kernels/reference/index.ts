import { DisposedError } from '../../errors.ts'
import type { DType } from '../../tensor/dtype.ts'
import type { Tensor, TypedArray } from '../../tensor/tensor.ts'
import type { AttentionArgs } from '../contract/attention-args.ts'
import type { RowSlice } from '../contract/cached-rows.ts'
import type { KernelInfo, Kernels } from '../contract/kernels.ts'
import type { Activation, HeadMatmulOptions, MatmulOptions, RouteOptions } from '../contract/operations.ts'
import type { ExpertWeights, Weight, WeightSource } from '../contract/weights.ts'
import { attention } from './attention.ts'
import { cacheRead, cacheWrite } from './cache.ts'
import { combineExperts, expertMatmul, groupByExpert } from './experts.ts'
import { headMatmul } from './head-matmul.ts'
import { matmul } from './matmul.ts'
import { Memory } from './memory.ts'
import { layerNorm, rmsNorm } from './norms.ts'
import { activate, gate } from './pointwise.ts'
import { probabilities } from './probabilities.ts'
import { rope, ropeTable } from './rope.ts'
import { route } from './route.ts'
import { axpby, copy, embed, gatherRows } from './rows.ts'
import { read, upload } from './transfer.ts'
import { prepare, prepareExperts, prepareVector } from './weights.ts'

export function createReferenceKernels(): Kernels {
  return new ReferenceKernels()
}

/**
 * The definition of every operation: plain TypeScript, sums in f64, each result rounded to f32 once, run when it is
 * called. It needs nothing of Node, and is never optimised.
 */
export class ReferenceKernels implements Kernels {
  readonly info: KernelInfo = { name: 'reference', isa: 'javascript', threads: 1, numerics: 'reference' }
  readonly #memory = new Memory()
  #disposed = false

  alloc(dtype: DType, shape: readonly number[]): Tensor {
    return this.#memory.alloc(dtype, shape)
  }
  free(tensor: Tensor): void {
    this.#memory.free(tensor)
  }
  upload(tensor: Tensor, data: TypedArray): void {
    upload(this.#memory, tensor, data)
  }
  async read(tensor: Tensor): Promise<TypedArray> {
    return read(this.#memory, tensor)
  }
  get allocatedBytes(): number {
    return this.#memory.bytes
  }

  prepare(source: WeightSource): Promise<Weight> {
    return prepare(this.#memory, source)
  }
  prepareExperts(sources: readonly WeightSource[]): Promise<ExpertWeights> {
    return prepareExperts(this.#memory, sources)
  }
  prepareVector(source: WeightSource, add = 0): Promise<Tensor> {
    return prepareVector(this.#memory, source, add)
  }

  async submit(): Promise<void> {
    if (this.#disposed) throw new DisposedError('kernel set')
  }
  dispose(): void {
    this.#disposed = true
    this.#memory.dispose()
  }

  embed(y: Tensor, w: Weight, ids: Tensor, scale?: number): void {
    embed(this.#memory, y, w, ids, scale)
  }
  gatherRows(y: Tensor, x: Tensor, index: Tensor): void {
    gatherRows(this.#memory, y, x, index)
  }
  copy(y: Tensor, x: Tensor): void {
    copy(this.#memory, y, x)
  }
  axpby(y: Tensor, a: number, x: Tensor, b?: number, z?: Tensor): void {
    axpby(this.#memory, y, a, x, b, z)
  }

  rmsNorm(y: Tensor, x: Tensor, weight: Tensor, eps: number): void {
    rmsNorm(this.#memory, y, x, weight, eps)
  }
  layerNorm(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null, eps: number): void {
    layerNorm(this.#memory, y, x, weight, bias, eps)
  }

  matmul(y: Tensor, x: Tensor, w: Weight, options?: MatmulOptions): void {
    matmul(this.#memory, y, x, w, options)
  }
  headMatmul(y: Tensor, x: Tensor, w: Weight, options: HeadMatmulOptions): void {
    headMatmul(this.#memory, y, x, w, options)
  }

  activate(y: Tensor, x: Tensor, activation: Activation): void {
    activate(this.#memory, y, x, activation)
  }
  gate(y: Tensor, gates: Tensor, up: Tensor, activation: Activation): void {
    gate(this.#memory, y, gates, up, activation)
  }

  ropeTable(cosSin: Tensor, positions: Tensor, frequencies: Tensor, m: number): void {
    ropeTable(this.#memory, cosSin, positions, frequencies, m)
  }
  rope(y: Tensor, x: Tensor, cosSin: Tensor, interleaved: boolean): void {
    rope(this.#memory, y, x, cosSin, interleaved)
  }

  cacheWrite(slice: RowSlice, x: Tensor, sequences: Tensor): void {
    cacheWrite(this.#memory, slice, x, sequences)
  }
  cacheRead(y: Tensor, slice: RowSlice, sequences: Tensor): void {
    cacheRead(this.#memory, y, slice, sequences)
  }
  attention(args: AttentionArgs): void {
    attention(this.#memory, args)
  }
  probabilities(p: Tensor, scores: Tensor, lse: Tensor): void {
    probabilities(this.#memory, p, scores, lse)
  }

  route(indices: Tensor, weights: Tensor, logits: Tensor, options: RouteOptions): void {
    route(this.#memory, indices, weights, logits, options)
  }
  groupByExpert(plan: Tensor, indices: Tensor, experts: number): void {
    groupByExpert(this.#memory, plan, indices, experts)
  }
  expertMatmul(y: Tensor, x: Tensor, w: ExpertWeights, plan: Tensor, gather: boolean): void {
    expertMatmul(this.#memory, y, x, w, plan, gather)
  }
  combineExperts(y: Tensor, part: Tensor, weights: Tensor, plan: Tensor, residual: Tensor): void {
    combineExperts(this.#memory, y, part, weights, plan, residual)
  }
}
