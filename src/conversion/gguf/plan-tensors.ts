/** Which tensors a GGUF file has, and what goes into each. */
import { offsetBy, reordered } from '../../checkpoint/recode/derived.ts'
import { recoded } from '../../checkpoint/recode/recoded.ts'
import { hubRow } from '../../checkpoint/recode/rotated-rows.ts'
import { weightTypeFor } from '../../checkpoint/recode/weight-type.ts'
import { memorySource } from '../../checkpoint/source/memory-source.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { Architecture } from '../../families/gguf/architecture.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import { layerOf, type SurveyedWeight } from '../../model/load.ts'
import { predictionLayer } from '../../nn/prediction.ts'
import { type EncodableType, isEncodableType } from '../../quant/numbers.ts'
import { type WeightType, weightBytes } from '../../tensor/dtype.ts'
import { joinKeyValueUp, splitKeyValueUp } from '../key-value-up.ts'
import type { SourceModel } from '../source-model.ts'
import type { LayoutOptions } from './model-keys.ts'
import { ropeTensors } from './rope-keys.ts'
import { stateParts } from './state-layers.ts'
import { ggufNames } from './tensor-names.ts'
import { keptType } from './types.ts'

export interface TensorToWrite {
  readonly name: string
  readonly type: WeightType
  /** Outermost axis first. */
  readonly shape: readonly number[]
  readonly bytes: number
  /** Whose bytes follow one another. */
  readonly parts: readonly WeightSource[]
}

export interface PlanOptions extends LayoutOptions {
  /** Default: the types that the model has. */
  readonly weights?: EncodableType
}

/** A matrix under the hub's name; `stored`: the type that its numbers come from. */
interface Piece {
  readonly name: string
  readonly role: SurveyedWeight['role']
  readonly source: WeightSource
  readonly stored: WeightType
  /** Beyond rows and columns: heads. */
  readonly heads?: number
  /** Of a vector, where it has more axes than one. */
  readonly shape?: readonly number[]
}

export function planTensors(model: SourceModel, architecture: Architecture, options: PlanOptions): TensorToWrite[] {
  const nameOf = ggufNames(architecture.naming, layer => model.config.layers[layer]?.attention.kind === 'delta')
  const planned = new Map<string, Piece[]>()
  for (const piece of layOut(model, architecture, options)) {
    const found = nameOf(piece.name)
    if (!found) throw new UnsupportedModelError(`GGUF has no name for tensor ${piece.name} in ${architecture.name}`)
    const pieces = planned.get(found.name) ?? []
    // The experts of one tensor come in their order.
    if (found.expert !== undefined && found.expert !== pieces.length) {
      throw new TypeError(`planTensors: expert ${found.expert} of ${found.name} comes at place ${pieces.length}`)
    }
    planned.set(found.name, [...pieces, piece])
  }
  const tensors = [...planned].map(([name, pieces]) => tensorOf(name, pieces, options.weights))
  return [...tensors, ...[...ropeTensors(model.config)].map(([name, values]) => vectorOf(name, values))]
}

/** The model's weights in llama.cpp's arrangement, still under the hub's names. */
function* layOut(model: SourceModel, architecture: Architecture, options: PlanOptions): Generator<Piece> {
  const { config, weights, family } = model
  const { ropes, layers } = config
  // llama.cpp rotates neighbouring numbers in some architectures; the hub's files have the halves of a head.
  const interleaves = architecture.interleaves && ropes[0]?.interleaved === false
  const splits = architecture.splitsKeyValueUp && !options.legacyMla
  const byName = new Map(weights.map(weight => [weight.name, weight]))
  for (const weight of weights) {
    const layer = layerOf(weight.name)
    const { attention } = (layer < layers.length ? layers[layer] : predictionLayer(config)) ?? {}
    const source = weight.role === 'vector' ? offsetBy(weight, weight.added) : weight
    const piece: Piece = { name: weight.name, role: weight.role, source, stored: weight.dtype }
    if (attention?.kind === 'delta' || attention?.kind === 'convolution') {
      for (const part of stateParts(source, attention, family.names, architecture)) yield { ...piece, ...part }
    } else if (attention?.kind !== 'latent') {
      const moves = attention?.kind === 'grouped' && interleaves && /\.[qk]_proj\.(weight|bias)$/.test(weight.name)
      yield moves ? { ...piece, source: interleaved(source, attention.headDim) } : piece
    } else if (weight.name.endsWith('.kv_b_proj.weight') && splits) {
      const { key, value } = splitKeyValueUp(weight, attention)
      const named = (to: string) => weight.name.replace('kv_b_proj', to)
      yield { ...piece, name: named('k_b_proj'), source: key, heads: attention.nHeads }
      yield { ...piece, name: named('v_b_proj'), source: value, heads: attention.nHeads }
    } else if (/\.[kv]_b_proj\.weight$/.test(weight.name) && !splits) {
      const value = byName.get(weight.name.replace('k_b_proj', 'v_b_proj'))
      if (!value || value === weight) continue // with its key
      const joined = joinKeyValueUp({ key: weight, value }, attention)
      yield { ...piece, name: weight.name.replace('k_b_proj', 'kv_b_proj'), source: joined }
    } else {
      yield /\.[kv]_b_proj\.weight$/.test(weight.name) ? { ...piece, heads: attention.nHeads } : piece
    }
  }
}

/** Rows of each head from halves to neighbours; a bias is a column of them. */
function interleaved(source: WeightSource, headDim: number): WeightSource {
  const column = source.rows === 1 ? { ...source, rows: source.cols, cols: 1 } : source
  const moved = reordered(column, column.rows, row => hubRow(row, headDim))
  return { ...moved, rows: source.rows, cols: source.cols }
}

function tensorOf(name: string, pieces: readonly Piece[], weights: EncodableType | undefined): TensorToWrite {
  const [{ role, source, stored, heads, shape }] = pieces as [Piece, ...Piece[]]
  const { rows, cols } = source
  if (role === 'vector') return { name, type: 'f32', shape: shape ?? [cols], bytes: 4 * cols, parts: [source] }
  const type = weights ? weightTypeFor(weights, role, cols) : keptType(stored, role, cols, source.dtype === stored)
  const inner = heads === undefined ? [rows, cols] : [heads, rows / heads, cols]
  // A kept type may be one that cannot be made; then the matrix has it.
  const parts = pieces.map(piece => (isEncodableType(type) ? recoded(piece.source, type) : piece.source))
  return {
    name,
    type,
    shape: /_exps\.weight$/.test(name) ? [pieces.length, ...inner] : inner,
    bytes: pieces.length * weightBytes(type, rows, cols),
    parts,
  }
}

function vectorOf(name: string, values: Float32Array): TensorToWrite {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  const range = { source: memorySource(name, bytes), offset: 0, length: bytes.length }
  const source: WeightSource = { name, dtype: 'f32', rows: 1, cols: values.length, bytes: range }
  return { name, type: 'f32', shape: [values.length], bytes: bytes.length, parts: [source] }
}
