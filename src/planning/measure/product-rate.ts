import type { LatentShape } from '../../families/descriptor.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import type { Weight, WeightSource } from '../../kernels/contract/weights.ts'
import type { ByteSource } from '../../tensor/bytes.ts'
import { WEIGHT_TYPES, type WeightType, weightBytes } from '../../tensor/dtype.ts'
import { type Tensor, tensorAt } from '../../tensor/tensor.ts'
import type { PlanModel } from '../plan-model.ts'
import { weightFormat } from '../weight-format.ts'
import { type WeightPart, weightParts } from '../weight-parts.ts'
import { touched } from '../weights.ts'
import { withMadeUpFile } from './made-up-file.ts'
import { secondsOf } from './timing.ts'

/** Bytes of weights beyond which no cache of a processor holds them. */
const BEYOND_CACHES = 256 << 20
const LARGEST_MATRIX = 64 << 20
/** Tokens of a prompt at which products are limited by arithmetic. */
const PROMPT = 128
/** Kernels want weights at multiples of it. */
const ALIGNMENT = 64

export interface ProductRate {
  /** Weights read by products with one token. */
  readonly bytesPerSecond: number
  /** Of products with a prompt. */
  readonly flops: number
}

interface Matrix {
  readonly type: WeightType
  readonly rows: number
  readonly cols: number
  readonly bytes: number
  readonly scaleBytes: number
  /** W_UK and W_UV: of these heads. */
  readonly up: LatentShape | null
}

interface Product {
  readonly weight: Weight
  readonly up: LatentShape | null
}

/**
 * One token times made-up matrices of a model's own shapes and types, layer after layer, all of them or as many as
 * make 256 MB, in a file as weights are: so that a small model's weights are in the caches in which they are when it
 * runs, and a large one's are not.
 */
export async function productRate(kernels: Kernels, model: PlanModel): Promise<ProductRate> {
  const parts = weightParts(model, { draft: false }).filter(p => p.role !== 'vector' && p.role !== 'lookup')
  const layered = parts
    .filter(p => p.role !== 'output')
    .map(p => ({ matrix: matrixOf(model, p), reads: touched(p, 1) }))
  const read = layered.reduce((n, p) => n + p.reads * p.matrix.bytes, 0)
  const kept = layered.map(p => ({
    ...p,
    copies: Math.max(1, Math.round(p.reads * Math.min(1, BEYOND_CACHES / read))),
  }))
  const layers: Matrix[] = []
  for (let i = 0; i < Math.max(...kept.map(p => p.copies)); i++) {
    for (const { matrix, copies } of kept) if (i < copies) layers.push(matrix)
  }
  const whole = parts.filter(p => p.role === 'output').map(p => matrixOf(model, p))
  const outputs = whole.map(cut)

  return withMadeUpFile(places([...layers, ...outputs]).length, async source => {
    const weights = await prepared(kernels, source, [...layers, ...outputs])
    const width = Math.max(...weights.flatMap(({ weight, up }) => [weight.rows, weight.cols, up ? latents(up) : 0]))
    const [x, y] = [kernels.memory.alloc('f32', [PROMPT, width]), kernels.memory.alloc('f32', [PROMPT, width])]
    kernels.memory.upload(x, new Float32Array(PROMPT * width).fill(0.5))
    const run = (products: readonly Product[], tokens: number) =>
      secondsOf(kernels, () => {
        for (const p of products) multiply(kernels, y, x, p, tokens)
      })
    const bytes = (matrices: readonly Matrix[]) => matrices.reduce((n, m) => n + m.bytes, 0)
    const layerSeconds = (await run(weights.slice(0, layers.length), 1)) * (read / bytes(layers))
    const outputSeconds = (await run(weights.slice(layers.length), 1)) * (bytes(whole) / bytes(outputs))
    const some = weights.slice(0, kept.length)
    const flops = some.reduce((n, { weight: w }) => n + 2 * PROMPT * w.rows * w.cols, 0) / (await run(some, PROMPT))
    kernels.memory.free(x)
    kernels.memory.free(y)
    return { bytesPerSecond: (read + bytes(whole)) / (layerSeconds + outputSeconds), flops }
  })
}

/** In the type the model has it in; rows that are not whole blocks are measured as if they were. */
function matrixOf({ stored, weightDtype, layers }: PlanModel, { role, rows, cols }: WeightPart): Matrix {
  const own = role === 'output' ? stored?.outputType : role === 'router' ? undefined : stored?.matrixType
  const type = own ?? weightFormat(weightDtype).types[role]
  const { elements } = WEIGHT_TYPES[type]
  const shapes = layers.map(l => l.attention)
  const up = role === 'latentUp' ? (shapes.find(a => a.kind === 'latent') ?? null) : null
  return sized(type, rows, Math.ceil(cols / elements) * elements, up)
}

function sized(type: WeightType, rows: number, cols: number, up: LatentShape | null = null): Matrix {
  const scaleBytes = type === 'e4m3' ? 4 * Math.ceil(rows / 128) * Math.ceil(cols / 128) : 0
  return { type, rows, cols, bytes: weightBytes(type, rows, cols), scaleBytes, up }
}

/** A head over a large vocabulary is measured on some of its rows. */
function cut({ type, rows, cols }: Matrix): Matrix {
  return sized(type, Math.min(rows, Math.max(1, Math.floor(LARGEST_MATRIX / weightBytes(type, 1, cols)))), cols)
}

/** Offsets of matrices and their scales one after the other, and the end of all. */
function places(matrices: readonly Matrix[]): { readonly starts: number[]; readonly length: number } {
  let length = 0
  const take = (bytes: number) => {
    const start = length
    length = Math.ceil((start + bytes) / ALIGNMENT) * ALIGNMENT
    return start
  }
  return { starts: matrices.flatMap(m => [take(m.bytes), take(m.scaleBytes)]), length }
}

async function prepared(kernels: Kernels, source: ByteSource, matrices: readonly Matrix[]): Promise<Product[]> {
  const { starts } = places(matrices)
  const weights: Product[] = []
  for (const [i, { type: dtype, rows, cols, bytes, scaleBytes, up }] of matrices.entries()) {
    const range = (at: number, length: number) => ({ source, offset: starts[at] as number, length })
    const scales = scaleBytes > 0 && { bytes: range(2 * i + 1, scaleBytes), blockRows: 128, blockCols: 128 }
    const made: WeightSource = {
      name: 'measured',
      dtype,
      rows,
      cols,
      bytes: range(2 * i, bytes),
      ...(scales && { scales }),
    }
    weights.push({ weight: await kernels.prepare(made), up })
  }
  return weights
}

/** One token absorbs its queries and raises its values head by head; a prompt expands keys and values at once. */
function multiply(kernels: Kernels, y: Tensor, x: Tensor, { weight: w, up }: Product, tokens: number): void {
  if (up === null || tokens > 1) {
    kernels.matmul(rowsOf(y, tokens, w.rows), rowsOf(x, tokens, w.cols), w)
    return
  }
  const { nHeads: H, kvLoraRank: C, qkNopeHeadDim: N, vHeadDim: V } = up
  const heads = (t: Tensor, size: number) => tensorAt(t.address, 'f32', [1, H, size])
  const all = { headRows: N + V }
  kernels.headMatmul(heads(y, C), heads(x, N), w, { ...all, firstRow: 0, rows: N, transposed: true })
  kernels.headMatmul(heads(x, V), heads(y, C), w, { ...all, firstRow: N, rows: V, transposed: false })
}

function latents({ nHeads, kvLoraRank }: LatentShape): number {
  return nHeads * kvLoraRank
}

function rowsOf(t: Tensor, rows: number, cols: number): Tensor {
  return { ...t, shape: [rows, cols] }
}
