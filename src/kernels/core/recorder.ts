// Written by `npm run build:records` from src/kernels/operations. Do not edit.
import type { RowSlice, Sequences } from '../contract/cached-rows.ts'
import { ACTIVATION_CODES, TYPE_CODES } from '../operations/codes.ts'
import { OPERATIONS, PREPARATIONS } from '../operations/table.ts'
import { addressOf, CommandList, putExtent, putStrided, strideOf } from './command-list.ts'
import type { CoreMemory } from './memory.ts'
import { coreSequences, coreSlice, joinNeighbours } from './slices.ts'
import { ownExperts, ownWeight } from './weight.ts'

/** Checks operations and appends their records to a list. */
export class Recorder {
  readonly memory: CoreMemory
  /** Quantised weights are computed as f32. */
  readonly exact: boolean
  protected readonly list = new CommandList()

  constructor(memory: CoreMemory, exact: boolean) {
    this.memory = memory
    this.exact = exact
  }

  /** Runs what was recorded. */
  run(): void {
    this.memory.run(this.list)
  }

  axpby(...args: Parameters<typeof OPERATIONS.axpby.from>): void {
    const { list } = this
    const r = OPERATIONS.axpby.from(...args)
    const at = list.begin(0, 19, r.work)
    const { data } = list
    data[at] = r.a
    data[at + 1] = r.b
    data[at + 2] = r.two ? 1 : 0
    putExtent(data, at + 3, r.extent)
    putStrided(data, at + 7, r.y)
    putStrided(data, at + 11, r.x)
    putStrided(data, at + 15, r.z)
  }

  copy(...args: Parameters<typeof OPERATIONS.copy.from>): void {
    const { list } = this
    const r = OPERATIONS.copy.from(...args)
    const at = list.begin(1, 14, r.work)
    const { data } = list
    data[at] = TYPE_CODES[r.toType]
    data[at + 1] = TYPE_CODES[r.fromType]
    putExtent(data, at + 2, r.extent)
    putStrided(data, at + 6, r.y)
    putStrided(data, at + 10, r.x)
  }

  embed(...args: Parameters<typeof OPERATIONS.embed.from>): void {
    const { list } = this
    const r = OPERATIONS.embed.from(...args)
    const w = ownWeight(this.memory, r.w, 'embed')
    const at = list.begin(2, 11, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.ids.address
    data[at + 2] = r.T
    data[at + 3] = r.scale
    data[at + 4] = w.address
    data[at + 5] = TYPE_CODES[w.dtype]
    data[at + 6] = w.rows
    data[at + 7] = w.cols
    data[at + 8] = w.scales
    data[at + 9] = w.blockRows
    data[at + 10] = w.blockCols
  }

  fill(...args: Parameters<typeof OPERATIONS.fill.from>): void {
    const { list } = this
    const r = OPERATIONS.fill.from(...args)
    const at = list.begin(3, 3, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.n
    data[at + 2] = r.value
  }

  gatherRows(...args: Parameters<typeof OPERATIONS.gatherRows.from>): void {
    const { list } = this
    const r = OPERATIONS.gatherRows.from(...args)
    const at = list.begin(4, 5, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.x.address
    data[at + 2] = r.index.address
    data[at + 3] = r.T
    data[at + 4] = r.cols
  }

  scatterRows(...args: Parameters<typeof OPERATIONS.scatterRows.from>): void {
    const { list } = this
    const r = OPERATIONS.scatterRows.from(...args)
    const at = list.begin(5, 6, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.x.address
    data[at + 2] = r.index.address
    data[at + 3] = r.T
    data[at + 4] = r.cols
    data[at + 5] = r.scale
  }

  sumRows(...args: Parameters<typeof OPERATIONS.sumRows.from>): void {
    const { list } = this
    const r = OPERATIONS.sumRows.from(...args)
    const at = list.begin(6, 6, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.x.address
    data[at + 2] = r.x.strides[0] as number
    data[at + 3] = r.T
    data[at + 4] = r.cols
    data[at + 5] = r.scale
  }

  layerNorm(...args: Parameters<typeof OPERATIONS.layerNorm.from>): void {
    const { list } = this
    const r = OPERATIONS.layerNorm.from(...args)
    const at = list.begin(7, 15, r.work)
    const { data } = list
    data[at] = r.eps
    data[at + 1] = r.weight.address
    data[at + 2] = addressOf(r.bias)
    putExtent(data, at + 3, r.extent)
    putStrided(data, at + 7, r.y)
    putStrided(data, at + 11, r.x)
  }

  normBackward(...args: Parameters<typeof OPERATIONS.normBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.normBackward.from(...args)
    const at = list.begin(8, 20, r.work)
    const { data } = list
    data[at] = r.eps
    data[at + 1] = r.centred ? 1 : 0
    data[at + 2] = r.weight.address
    data[at + 3] = r.stats.address
    putExtent(data, at + 4, r.extent)
    putStrided(data, at + 8, r.dx)
    putStrided(data, at + 12, r.dy)
    putStrided(data, at + 16, r.x)
  }

  normWeightBackward(...args: Parameters<typeof OPERATIONS.normWeightBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.normWeightBackward.from(...args)
    const at = list.begin(9, 15, r.work)
    const { data } = list
    data[at] = r.dweight.address
    data[at + 1] = addressOf(r.dbias)
    data[at + 2] = r.stats.address
    putExtent(data, at + 3, r.extent)
    putStrided(data, at + 7, r.dy)
    putStrided(data, at + 11, r.x)
  }

  rmsNorm(...args: Parameters<typeof OPERATIONS.rmsNorm.from>): void {
    const { list } = this
    const r = OPERATIONS.rmsNorm.from(...args)
    const at = list.begin(10, 14, r.work)
    const { data } = list
    data[at] = r.eps
    data[at + 1] = r.weight.address
    putExtent(data, at + 2, r.extent)
    putStrided(data, at + 6, r.y)
    putStrided(data, at + 10, r.x)
  }

  headMatmul(...args: Parameters<typeof OPERATIONS.headMatmul.from>): void {
    const { list } = this
    const r = OPERATIONS.headMatmul.from(...args)
    const w = ownWeight(this.memory, r.w, 'headMatmul')
    const at = list.beginProduct(11, 21, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.y.strides[0] as number
    data[at + 2] = r.y.strides[1] as number
    data[at + 3] = r.x.address
    data[at + 4] = r.x.strides[0] as number
    data[at + 5] = r.x.strides[1] as number
    data[at + 6] = r.T
    data[at + 7] = r.H
    data[at + 8] = r.headRows
    data[at + 9] = r.firstRow
    data[at + 10] = r.rows
    data[at + 11] = r.transposed ? 1 : 0
    data[at + 12] = this.exact || r.exact ? 1 : 0
    data[at + 13] = w.address
    data[at + 14] = TYPE_CODES[w.dtype]
    data[at + 15] = w.rows
    data[at + 16] = w.cols
    data[at + 17] = w.scales
    data[at + 18] = w.blockRows
    data[at + 19] = w.blockCols
    data[at + 20] = list.mustQuantise(w.packed ? r.mustQuantise : null)
    list.endProduct(r.y)
  }

  matmul(...args: Parameters<typeof OPERATIONS.matmul.from>): void {
    const { list } = this
    const r = OPERATIONS.matmul.from(...args)
    const w = ownWeight(this.memory, r.w, 'matmul')
    const at = list.beginProduct(12, 17, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.y.strides[0] as number
    data[at + 2] = r.x.address
    data[at + 3] = r.x.strides[0] as number
    data[at + 4] = r.T
    data[at + 5] = r.scale
    data[at + 6] = addressOf(r.bias)
    data[at + 7] = w.address
    data[at + 8] = TYPE_CODES[w.dtype]
    data[at + 9] = w.rows
    data[at + 10] = w.cols
    data[at + 11] = w.scales
    data[at + 12] = w.blockRows
    data[at + 13] = w.blockCols
    data[at + 14] = addressOf(r.residual)
    data[at + 15] = strideOf(r.residual, 0)
    data[at + 16] = list.mustQuantise(w.packed ? r.mustQuantise : null)
    list.endProduct(r.y)
  }

  matmulBackward(...args: Parameters<typeof OPERATIONS.matmulBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.matmulBackward.from(...args)
    const w = ownWeight(this.memory, r.w, 'matmulBackward')
    const at = list.begin(13, 15, r.work)
    const { data } = list
    data[at] = r.dx.address
    data[at + 1] = r.dx.strides[0] as number
    data[at + 2] = r.dy.address
    data[at + 3] = r.dy.strides[0] as number
    data[at + 4] = r.T
    data[at + 5] = r.scale
    data[at + 6] = r.rounded ? 1 : 0
    data[at + 7] = r.add ? 1 : 0
    data[at + 8] = w.address
    data[at + 9] = TYPE_CODES[w.dtype]
    data[at + 10] = w.rows
    data[at + 11] = w.cols
    data[at + 12] = w.scales
    data[at + 13] = w.blockRows
    data[at + 14] = w.blockCols
  }

  trainingMatmul(...args: Parameters<typeof OPERATIONS.trainingMatmul.from>): void {
    const { list } = this
    const r = OPERATIONS.trainingMatmul.from(...args)
    const w = ownWeight(this.memory, r.w, 'trainingMatmul')
    const at = list.begin(14, 17, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.y.strides[0] as number
    data[at + 2] = r.x.address
    data[at + 3] = r.x.strides[0] as number
    data[at + 4] = r.T
    data[at + 5] = r.scale
    data[at + 6] = r.rounded ? 1 : 0
    data[at + 7] = addressOf(r.bias)
    data[at + 8] = w.address
    data[at + 9] = TYPE_CODES[w.dtype]
    data[at + 10] = w.rows
    data[at + 11] = w.cols
    data[at + 12] = w.scales
    data[at + 13] = w.blockRows
    data[at + 14] = w.blockCols
    data[at + 15] = addressOf(r.residual)
    data[at + 16] = strideOf(r.residual, 0)
  }

  weightBackward(...args: Parameters<typeof OPERATIONS.weightBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.weightBackward.from(...args)
    const at = list.begin(15, 10, r.work)
    const { data } = list
    data[at] = r.dw.address
    data[at + 1] = r.dy.address
    data[at + 2] = r.dy.strides[0] as number
    data[at + 3] = r.x.address
    data[at + 4] = r.x.strides[0] as number
    data[at + 5] = r.T
    data[at + 6] = r.rows
    data[at + 7] = r.cols
    data[at + 8] = r.scale
    data[at + 9] = r.rounded ? 1 : 0
  }

  activate(...args: Parameters<typeof OPERATIONS.activate.from>): void {
    const { list } = this
    const r = OPERATIONS.activate.from(...args)
    const at = list.begin(16, 13, r.work)
    const { data } = list
    data[at] = ACTIVATION_CODES[r.activation]
    putExtent(data, at + 1, r.extent)
    putStrided(data, at + 5, r.y)
    putStrided(data, at + 9, r.x)
  }

  activateBackward(...args: Parameters<typeof OPERATIONS.activateBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.activateBackward.from(...args)
    const at = list.begin(17, 17, r.work)
    const { data } = list
    data[at] = ACTIVATION_CODES[r.activation]
    putExtent(data, at + 1, r.extent)
    putStrided(data, at + 5, r.dx)
    putStrided(data, at + 9, r.dy)
    putStrided(data, at + 13, r.x)
  }

  clampedGate(...args: Parameters<typeof OPERATIONS.clampedGate.from>): void {
    const { list } = this
    const r = OPERATIONS.clampedGate.from(...args)
    const at = list.begin(18, 18, r.work)
    const { data } = list
    data[at] = r.alpha
    data[at + 1] = r.limit
    putExtent(data, at + 2, r.extent)
    putStrided(data, at + 6, r.y)
    putStrided(data, at + 10, r.gates)
    putStrided(data, at + 14, r.up)
  }

  gate(...args: Parameters<typeof OPERATIONS.gate.from>): void {
    const { list } = this
    const r = OPERATIONS.gate.from(...args)
    const at = list.begin(19, 17, r.work)
    const { data } = list
    data[at] = ACTIVATION_CODES[r.activation]
    putExtent(data, at + 1, r.extent)
    putStrided(data, at + 5, r.y)
    putStrided(data, at + 9, r.gates)
    putStrided(data, at + 13, r.up)
  }

  gateBackward(...args: Parameters<typeof OPERATIONS.gateBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.gateBackward.from(...args)
    const at = list.begin(20, 26, r.work)
    const { data } = list
    data[at] = ACTIVATION_CODES[r.activation]
    data[at + 1] = r.add ? 1 : 0
    putExtent(data, at + 2, r.extent)
    putStrided(data, at + 6, r.dgates)
    putStrided(data, at + 10, r.dup)
    putStrided(data, at + 14, r.dy)
    putStrided(data, at + 18, r.gates)
    putStrided(data, at + 22, r.up)
  }

  rope(...args: Parameters<typeof OPERATIONS.rope.from>): void {
    const { list } = this
    const r = OPERATIONS.rope.from(...args)
    const at = list.begin(21, 12, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.y.strides[0] as number
    data[at + 2] = r.y.strides[1] as number
    data[at + 3] = r.x.address
    data[at + 4] = r.x.strides[0] as number
    data[at + 5] = r.x.strides[1] as number
    data[at + 6] = r.cosSin.address
    data[at + 7] = r.T
    data[at + 8] = r.H
    data[at + 9] = r.n
    data[at + 10] = r.r
    data[at + 11] = r.interleaved ? 1 : 0
  }

  ropeBackward(...args: Parameters<typeof OPERATIONS.ropeBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.ropeBackward.from(...args)
    const at = list.begin(22, 12, r.work)
    const { data } = list
    data[at] = r.dx.address
    data[at + 1] = r.dx.strides[0] as number
    data[at + 2] = r.dx.strides[1] as number
    data[at + 3] = r.dy.address
    data[at + 4] = r.dy.strides[0] as number
    data[at + 5] = r.dy.strides[1] as number
    data[at + 6] = r.cosSin.address
    data[at + 7] = r.T
    data[at + 8] = r.H
    data[at + 9] = r.n
    data[at + 10] = r.r
    data[at + 11] = r.interleaved ? 1 : 0
  }

  cacheRead(...args: Parameters<typeof OPERATIONS.cacheRead.from>): void {
    const { list } = this
    const r = OPERATIONS.cacheRead.from(...args)
    const at = list.begin(23, 13, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.rows
    putSlice(data, at + 2, r.slice)
    putSequences(data, at + 9, r.sequences, this.memory)
  }

  cacheWrite(...args: Parameters<typeof OPERATIONS.cacheWrite.from>): void {
    const { list } = this
    const r = OPERATIONS.cacheWrite.from(...args)
    const at = list.begin(24, 14, r.work)
    const { data } = list
    putSlice(data, at, r.slice)
    data[at + 7] = r.x.address
    data[at + 8] = r.x.strides[0] as number
    data[at + 9] = r.x.strides[1] as number
    putSequences(data, at + 10, r.sequences, this.memory)
  }

  attention(...args: Parameters<typeof OPERATIONS.attention.from>): void {
    const { list } = this
    const r = OPERATIONS.attention.from(...args)
    const keys = joinNeighbours(r.keys)
    const at = list.begin(25, 38 + 7 * keys.length, r.work)
    const { data } = list
    data[at] = this.exact || r.exact ? 1 : 0
    data[at + 1] = r.out.address
    data[at + 2] = r.out.strides[0] as number
    data[at + 3] = r.out.strides[1] as number
    data[at + 4] = r.q.address
    data[at + 5] = r.q.strides[0] as number
    data[at + 6] = r.q.strides[1] as number
    data[at + 7] = r.T
    data[at + 8] = r.H
    data[at + 9] = r.V
    putSequences(data, at + 10, r.sequences, this.memory)
    data[at + 14] = r.scale
    data[at + 15] = r.window
    data[at + 16] = addressOf(r.sinkLogits)
    data[at + 17] = addressOf(r.bias)
    data[at + 18] = r.biasWidth
    data[at + 19] = r.biasStart
    data[at + 20] = addressOf(r.lse)
    data[at + 21] = r.carry ? 1 : 0
    data[at + 22] = addressOf(r.scores)
    data[at + 23] = strideOf(r.scores, 0)
    data[at + 24] = strideOf(r.scores, 1)
    data[at + 25] = r.scoresWidth
    data[at + 26] = r.scoresStart
    data[at + 27] = addressOf(r.selected)
    data[at + 28] = r.selectedCount
    data[at + 29] = r.gather ? 1 : 0
    putSlice(data, at + 30, r.values)
    data[at + 37] = keys.length
    putSlices(data, at + 38, keys)
  }

  attentionBackward(...args: Parameters<typeof OPERATIONS.attentionBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.attentionBackward.from(...args)
    const keys = joinNeighbours(r.keys)
    const at = list.begin(26, 34 + 7 * keys.length, r.work)
    const { data } = list
    data[at] = r.dq.address
    data[at + 1] = r.dq.strides[0] as number
    data[at + 2] = r.dq.strides[1] as number
    data[at + 3] = r.dkeys.address
    data[at + 4] = r.dvalues.address
    data[at + 5] = r.dout.address
    data[at + 6] = r.dout.strides[0] as number
    data[at + 7] = r.dout.strides[1] as number
    data[at + 8] = r.out.address
    data[at + 9] = r.out.strides[0] as number
    data[at + 10] = r.out.strides[1] as number
    data[at + 11] = r.q.address
    data[at + 12] = r.q.strides[0] as number
    data[at + 13] = r.q.strides[1] as number
    data[at + 14] = r.lse.address
    data[at + 15] = r.T
    data[at + 16] = r.H
    data[at + 17] = r.V
    data[at + 18] = r.S
    data[at + 19] = r.width
    putSequences(data, at + 20, r.sequences, this.memory)
    data[at + 24] = r.scale
    data[at + 25] = r.window
    putSlice(data, at + 26, r.values)
    data[at + 33] = keys.length
    putSlices(data, at + 34, keys)
  }

  probabilities(...args: Parameters<typeof OPERATIONS.probabilities.from>): void {
    const { list } = this
    const r = OPERATIONS.probabilities.from(...args)
    const at = list.begin(27, 10, r.work)
    const { data } = list
    data[at] = r.lse.address
    data[at + 1] = r.H
    data[at + 2] = r.T
    data[at + 3] = r.S
    data[at + 4] = r.p.address
    data[at + 5] = r.p.strides[0] as number
    data[at + 6] = r.p.strides[1] as number
    data[at + 7] = r.scores.address
    data[at + 8] = r.scores.strides[0] as number
    data[at + 9] = r.scores.strides[1] as number
  }

  sumHeads(...args: Parameters<typeof OPERATIONS.sumHeads.from>): void {
    const { list } = this
    const r = OPERATIONS.sumHeads.from(...args)
    const at = list.begin(28, 10, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.y.strides[0] as number
    data[at + 2] = r.y.strides[1] as number
    data[at + 3] = r.x.address
    data[at + 4] = r.x.strides[0] as number
    data[at + 5] = r.x.strides[1] as number
    data[at + 6] = r.S
    data[at + 7] = r.G
    data[at + 8] = r.H
    data[at + 9] = r.n
  }

  trainingAttention(...args: Parameters<typeof OPERATIONS.trainingAttention.from>): void {
    const { list } = this
    const r = OPERATIONS.trainingAttention.from(...args)
    const keys = joinNeighbours(r.keys)
    const at = list.begin(29, 26 + 7 * keys.length, r.work)
    const { data } = list
    data[at] = r.out.address
    data[at + 1] = r.out.strides[0] as number
    data[at + 2] = r.out.strides[1] as number
    data[at + 3] = r.lse.address
    data[at + 4] = r.q.address
    data[at + 5] = r.q.strides[0] as number
    data[at + 6] = r.q.strides[1] as number
    data[at + 7] = r.T
    data[at + 8] = r.H
    data[at + 9] = r.V
    data[at + 10] = r.width
    putSequences(data, at + 11, r.sequences, this.memory)
    data[at + 15] = r.scale
    data[at + 16] = r.window
    data[at + 17] = r.carry ? 1 : 0
    putSlice(data, at + 18, r.values)
    data[at + 25] = keys.length
    putSlices(data, at + 26, keys)
  }

  combineExperts(...args: Parameters<typeof OPERATIONS.combineExperts.from>): void {
    const { list } = this
    const r = OPERATIONS.combineExperts.from(...args)
    const at = list.begin(30, 9, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.part.address
    data[at + 2] = r.weights.address
    data[at + 3] = r.plan.address
    data[at + 4] = r.residual.address
    data[at + 5] = r.size
    data[at + 6] = r.T
    data[at + 7] = r.K
    data[at + 8] = r.D
  }

  combineExpertsBackward(...args: Parameters<typeof OPERATIONS.combineExpertsBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.combineExpertsBackward.from(...args)
    const at = list.begin(31, 10, r.work)
    const { data } = list
    data[at] = r.dpart.address
    data[at + 1] = r.dweights.address
    data[at + 2] = r.dy.address
    data[at + 3] = r.part.address
    data[at + 4] = r.weights.address
    data[at + 5] = r.plan.address
    data[at + 6] = r.size
    data[at + 7] = r.T
    data[at + 8] = r.K
    data[at + 9] = r.D
  }

  expertMatmul(...args: Parameters<typeof OPERATIONS.expertMatmul.from>): void {
    const { list } = this
    const r = OPERATIONS.expertMatmul.from(...args)
    const w = ownExperts(this.memory, r.w, 'expertMatmul')
    const at = list.beginProduct(32, 13, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.x.address
    data[at + 2] = r.plan.address
    data[at + 3] = r.perToken
    data[at + 4] = r.xRows
    data[at + 5] = w.packed ? 1 : 0
    data[at + 6] = w.table
    data[at + 7] = w.experts
    data[at + 8] = w.rows
    data[at + 9] = w.cols
    data[at + 10] = w.blockRows
    data[at + 11] = w.blockCols
    data[at + 12] = list.mustQuantise(w.packed ? r.mustQuantise : null)
    list.endProduct(r.y)
  }

  expertMatmulBackward(...args: Parameters<typeof OPERATIONS.expertMatmulBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.expertMatmulBackward.from(...args)
    const w = ownExperts(this.memory, r.w, 'expertMatmulBackward')
    const at = list.begin(33, 11, r.work)
    const { data } = list
    data[at] = r.dx.address
    data[at + 1] = r.dy.address
    data[at + 2] = r.plan.address
    data[at + 3] = r.rounded ? 1 : 0
    data[at + 4] = w.packed ? 1 : 0
    data[at + 5] = w.table
    data[at + 6] = w.experts
    data[at + 7] = w.rows
    data[at + 8] = w.cols
    data[at + 9] = w.blockRows
    data[at + 10] = w.blockCols
  }

  expertWeightBackward(...args: Parameters<typeof OPERATIONS.expertWeightBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.expertWeightBackward.from(...args)
    const at = list.begin(34, 9, r.work)
    const { data } = list
    data[at] = r.dw.address
    data[at + 1] = r.dy.address
    data[at + 2] = r.x.address
    data[at + 3] = r.plan.address
    data[at + 4] = r.perToken
    data[at + 5] = r.experts
    data[at + 6] = r.rows
    data[at + 7] = r.cols
    data[at + 8] = r.rounded ? 1 : 0
  }

  groupByExpert(...args: Parameters<typeof OPERATIONS.groupByExpert.from>): void {
    const { list } = this
    const r = OPERATIONS.groupByExpert.from(...args)
    const at = list.begin(35, 4, r.work)
    const { data } = list
    data[at] = r.plan.address
    data[at + 1] = r.indices.address
    data[at + 2] = r.assignments
    data[at + 3] = r.experts
  }

  route(...args: Parameters<typeof OPERATIONS.route.from>): void {
    const { list } = this
    const r = OPERATIONS.route.from(...args)
    const at = list.begin(36, 14, r.work)
    const { data } = list
    data[at] = r.indices.address
    data[at + 1] = r.weights.address
    data[at + 2] = r.logits.address
    data[at + 3] = addressOf(r.bias)
    data[at + 4] = r.E
    data[at + 5] = r.T
    data[at + 6] = r.K
    data[at + 7] = r.sigmoid ? 1 : 0
    data[at + 8] = r.groups
    data[at + 9] = r.topkGroups
    data[at + 10] = r.top2 ? 1 : 0
    data[at + 11] = r.zeroLosers ? 1 : 0
    data[at + 12] = r.normalise ? 1 : 0
    data[at + 13] = r.scale
  }

  routeBackward(...args: Parameters<typeof OPERATIONS.routeBackward.from>): void {
    const { list } = this
    const r = OPERATIONS.routeBackward.from(...args)
    const at = list.begin(37, 10, r.work)
    const { data } = list
    data[at] = r.dlogits.address
    data[at + 1] = r.dweights.address
    data[at + 2] = r.logits.address
    data[at + 3] = r.indices.address
    data[at + 4] = r.E
    data[at + 5] = r.T
    data[at + 6] = r.K
    data[at + 7] = r.sigmoid ? 1 : 0
    data[at + 8] = r.normalise ? 1 : 0
    data[at + 9] = r.scale
  }

  trainingExpertMatmul(...args: Parameters<typeof OPERATIONS.trainingExpertMatmul.from>): void {
    const { list } = this
    const r = OPERATIONS.trainingExpertMatmul.from(...args)
    const w = ownExperts(this.memory, r.w, 'trainingExpertMatmul')
    const at = list.begin(38, 12, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.x.address
    data[at + 2] = r.plan.address
    data[at + 3] = r.perToken
    data[at + 4] = r.rounded ? 1 : 0
    data[at + 5] = w.packed ? 1 : 0
    data[at + 6] = w.table
    data[at + 7] = w.experts
    data[at + 8] = w.rows
    data[at + 9] = w.cols
    data[at + 10] = w.blockRows
    data[at + 11] = w.blockCols
  }

  adamW(...args: Parameters<typeof OPERATIONS.adamW.from>): void {
    const { list } = this
    const r = OPERATIONS.adamW.from(...args)
    const at = list.begin(39, 13, r.work)
    const { data } = list
    data[at] = r.w.address
    data[at + 1] = r.m.address
    data[at + 2] = r.v.address
    data[at + 3] = r.g.address
    data[at + 4] = r.n
    data[at + 5] = r.rate
    data[at + 6] = r.beta1
    data[at + 7] = r.beta2
    data[at + 8] = r.eps
    data[at + 9] = r.decay
    data[at + 10] = r.correction1
    data[at + 11] = r.correction2
    data[at + 12] = r.gradientScale
  }

  crossEntropy(...args: Parameters<typeof OPERATIONS.crossEntropy.from>): void {
    const { list } = this
    const r = OPERATIONS.crossEntropy.from(...args)
    const at = list.begin(40, 9, r.work)
    const { data } = list
    data[at] = r.loss.address
    data[at + 1] = r.dlogits.address
    data[at + 2] = r.logits.address
    data[at + 3] = r.targets.address
    data[at + 4] = r.T
    data[at + 5] = r.V
    data[at + 6] = r.scale
    data[at + 7] = r.smoothing
    data[at + 8] = r.zLoss
  }

  divergence(...args: Parameters<typeof OPERATIONS.divergence.from>): void {
    const { list } = this
    const r = OPERATIONS.divergence.from(...args)
    const at = list.begin(41, 7, r.work)
    const { data } = list
    data[at] = r.loss.address
    data[at + 1] = r.dlogits.address
    data[at + 2] = r.logits.address
    data[at + 3] = r.wanted.address
    data[at + 4] = r.T
    data[at + 5] = r.V
    data[at + 6] = r.scale
  }

  relativeError(...args: Parameters<typeof OPERATIONS.relativeError.from>): void {
    const { list } = this
    const r = OPERATIONS.relativeError.from(...args)
    const at = list.begin(42, 7, r.work)
    const { data } = list
    data[at] = r.loss.address
    data[at + 1] = r.dx.address
    data[at + 2] = r.x.address
    data[at + 3] = r.wanted.address
    data[at + 4] = r.T
    data[at + 5] = r.D
    data[at + 6] = r.scale
  }

  sumSquares(...args: Parameters<typeof OPERATIONS.sumSquares.from>): void {
    const { list } = this
    const r = OPERATIONS.sumSquares.from(...args)
    const at = list.begin(43, 3, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.x.address
    data[at + 2] = r.n
  }

  indexScores(...args: Parameters<typeof OPERATIONS.indexScores.from>): void {
    const { list } = this
    const r = OPERATIONS.indexScores.from(...args)
    const at = list.begin(44, 21, r.work)
    const { data } = list
    data[at] = r.scores.address
    data[at + 1] = r.scores.strides[0] as number
    data[at + 2] = r.width
    data[at + 3] = r.q.address
    data[at + 4] = r.q.strides[0] as number
    data[at + 5] = r.q.strides[1] as number
    data[at + 6] = r.weights.address
    data[at + 7] = r.weights.strides[0] as number
    data[at + 8] = r.H
    putSequences(data, at + 9, r.sequences, this.memory)
    data[at + 13] = r.scale
    putSlice(data, at + 14, r.keys)
  }

  selectKeys(...args: Parameters<typeof OPERATIONS.selectKeys.from>): void {
    const { list } = this
    const r = OPERATIONS.selectKeys.from(...args)
    const at = list.begin(45, 9, r.work)
    const { data } = list
    data[at] = r.selected.address
    data[at + 1] = r.scores.address
    data[at + 2] = r.scores.strides[0] as number
    data[at + 3] = r.width
    data[at + 4] = r.K
    putSequences(data, at + 5, r.sequences, this.memory)
  }

  decays(...args: Parameters<typeof OPERATIONS.decays.from>): void {
    const { list } = this
    const r = OPERATIONS.decays.from(...args)
    const at = list.begin(46, 12, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.y.strides[0] as number
    data[at + 2] = r.y.strides[1] as number
    data[at + 3] = r.x.address
    data[at + 4] = r.x.strides[0] as number
    data[at + 5] = r.x.strides[1] as number
    data[at + 6] = r.logA.address
    data[at + 7] = r.bias.address
    data[at + 8] = r.floor
    data[at + 9] = r.T
    data[at + 10] = r.H
    data[at + 11] = r.n
  }

  deltaRule(...args: Parameters<typeof OPERATIONS.deltaRule.from>): void {
    const { list } = this
    const r = OPERATIONS.deltaRule.from(...args)
    const at = list.begin(47, 28, r.work)
    const { data } = list
    data[at] = r.o.address
    data[at + 1] = r.o.strides[0] as number
    data[at + 2] = r.o.strides[1] as number
    data[at + 3] = r.q.address
    data[at + 4] = r.q.strides[0] as number
    data[at + 5] = r.q.strides[1] as number
    data[at + 6] = r.k.address
    data[at + 7] = r.k.strides[0] as number
    data[at + 8] = r.k.strides[1] as number
    data[at + 9] = r.v.address
    data[at + 10] = r.v.strides[0] as number
    data[at + 11] = r.v.strides[1] as number
    data[at + 12] = r.decay.address
    data[at + 13] = r.decay.strides[0] as number
    data[at + 14] = r.decay.strides[1] as number
    data[at + 15] = r.beta.address
    data[at + 16] = r.beta.strides[0] as number
    data[at + 17] = r.H
    data[at + 18] = r.G
    data[at + 19] = r.dk
    data[at + 20] = r.dv
    data[at + 21] = r.perChannel ? 1 : 0
    data[at + 22] = r.blockTokens
    data[at + 23] = r.offset
    putSequences(data, at + 24, r.sequences, this.memory)
  }

  shortConv(...args: Parameters<typeof OPERATIONS.shortConv.from>): void {
    const { list } = this
    const r = OPERATIONS.shortConv.from(...args)
    const at = list.begin(48, 19, r.work)
    const { data } = list
    data[at] = r.y.address
    data[at + 1] = r.y.strides[0] as number
    data[at + 2] = r.x.address
    data[at + 3] = r.x.strides[0] as number
    data[at + 4] = r.w.address
    data[at + 5] = addressOf(r.bias)
    data[at + 6] = addressOf(r.before)
    data[at + 7] = strideOf(r.before, 0)
    data[at + 8] = addressOf(r.after)
    data[at + 9] = strideOf(r.after, 0)
    data[at + 10] = r.silu ? 1 : 0
    data[at + 11] = r.C
    data[at + 12] = r.K
    data[at + 13] = r.blockTokens
    data[at + 14] = r.offset
    putSequences(data, at + 15, r.sequences, this.memory)
  }

  addToVector(...args: Parameters<typeof PREPARATIONS.addToVector.from>): void {
    const { list } = this
    const r = PREPARATIONS.addToVector.from(...args)
    const w = ownWeight(this.memory, r.w, 'addToVector')
    const at = list.begin(49, 9, r.work)
    const { data } = list
    data[at] = r.to.address
    data[at + 1] = r.add
    data[at + 2] = w.address
    data[at + 3] = TYPE_CODES[w.dtype]
    data[at + 4] = w.rows
    data[at + 5] = w.cols
    data[at + 6] = w.scales
    data[at + 7] = w.blockRows
    data[at + 8] = w.blockCols
  }

  pack(...args: Parameters<typeof PREPARATIONS.pack.from>): void {
    const { list } = this
    const r = PREPARATIONS.pack.from(...args)
    const at = list.begin(50, 7, r.work)
    const { data } = list
    data[at] = r.to
    data[at + 1] = r.from
    data[at + 2] = TYPE_CODES[r.dtype]
    data[at + 3] = r.rowBytes
    data[at + 4] = r.cols
    data[at + 5] = r.firstTile
    data[at + 6] = r.rows
  }

  packedSize(...args: Parameters<typeof PREPARATIONS.packedSize.from>): void {
    const { list } = this
    const r = PREPARATIONS.packedSize.from(...args)
    const at = list.begin(51, 4, r.work)
    const { data } = list
    data[at] = r.to.address
    data[at + 1] = TYPE_CODES[r.dtype]
    data[at + 2] = r.rows
    data[at + 3] = r.cols
  }

  transpose(...args: Parameters<typeof PREPARATIONS.transpose.from>): void {
    const { list } = this
    const r = PREPARATIONS.transpose.from(...args)
    const at = list.begin(52, 7, r.work)
    const { data } = list
    data[at] = r.to
    data[at + 1] = r.from
    data[at + 2] = r.bytes
    data[at + 3] = r.rows
    data[at + 4] = r.cols
    data[at + 5] = r.first
    data[at + 6] = r.stored
  }
}

function putSlice(data: Float64Array, at: number, slice: RowSlice): void {
  const s = coreSlice(slice)
  data[at] = s.blockTokens
  data[at + 1] = s.base
  data[at + 2] = s.rowBytes
  data[at + 3] = TYPE_CODES[s.dtype]
  data[at + 4] = s.heads
  data[at + 5] = s.width
  data[at + 6] = s.headStride
}

function putSequences(data: Float64Array, at: number, sequences: Sequences, memory: CoreMemory): void {
  const s = coreSequences(sequences, memory)
  data[at] = s.rows
  data[at + 1] = s.count
  data[at + 2] = s.tables
  data[at + 3] = s.directory
}

function putSlices(data: Float64Array, at: number, slices: readonly RowSlice[]): void {
  for (const [i, slice] of slices.entries()) putSlice(data, at + 7 * i, slice)
}
