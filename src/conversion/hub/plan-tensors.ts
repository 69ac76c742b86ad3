/** A model's tensors as the hub's own code has them: names, order of rows, shapes. */
import { offsetBy, reordered, transposedMatrix } from '../../checkpoint/recode/derived.ts'
import { recoded } from '../../checkpoint/recode/recoded.ts'
import { ggufRow } from '../../checkpoint/recode/rotated-rows.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import { layerOf, type SurveyedWeight } from '../../model/load.ts'
import { attends } from '../../nn/config.ts'
import { isBlockType, weightBytes } from '../../tensor/dtype.ts'
import { joinKeyValueUp } from '../key-value-up.ts'
import type { SourceModel } from '../source-model.ts'
import { stacked, stackOf } from './interleaved-experts.ts'
import { hubParts } from './state-layers.ts'

/** What safetensors hold of weights. */
export type HubType = 'f32' | 'f16' | 'bf16'

export interface HubTensor {
  readonly name: string
  readonly type: HubType
  readonly shape: readonly number[]
  readonly bytes: number
  readonly source: WeightSource
}

export function planHubTensors(model: SourceModel, weights: HubType | undefined): HubTensor[] {
  const all = [...arranged(model)]
  const { canonical, tensors } = model.checkpoint
  return (model.family.names.moe?.biases ? withStacks(all) : all).map(
    ({ name, role, source, stored, shape: given }) => {
      // The bias of the choice of experts is f32 in every checkpoint that has one.
      const exact = role === 'vector' && !/\.(weight|bias)$/.test(name)
      const wanted = weights ?? floatOf(stored)
      const type = exact || (role === 'small' && wanted === 'f16') ? 'f32' : wanted
      const { rows, cols } = source
      // Convolutions are vectors to the kernels, and have three axes in files.
      const own = canonical ? undefined : tensors.get(name)?.shape
      const shape = given ?? (role === 'vector' ? (own ?? [cols]) : [rows, cols])
      return { name, type, shape, bytes: weightBytes(type, rows, cols), source: recoded(source, type) }
    },
  )
}

/** Quantised weights as bf16: its range is that of f32, so no model that was trained in bf16 overflows. */
function floatOf(stored: WeightSource['dtype']): HubType {
  return isBlockType(stored) || stored === 'e4m3' ? 'bf16' : stored
}

interface Arranged {
  readonly name: string
  readonly role: SurveyedWeight['role']
  readonly source: WeightSource
  /** The type that its numbers come from. */
  readonly stored: WeightSource['dtype']
  /** Default: by rows and columns. */
  readonly shape?: readonly number[]
}

/** With the experts of a layer in one tensor, where the first of them was. */
function withStacks(all: readonly Arranged[]): Arranged[] {
  const parts = new Map<string, Map<string, WeightSource>>()
  for (const { name, source } of all) {
    const stack = stackOf(name)
    if (stack) parts.set(stack, (parts.get(stack) ?? new Map()).set(name, source))
  }
  return all.flatMap(one => {
    const stack = stackOf(one.name)
    if (!stack) return [one]
    const of = parts.get(stack)
    parts.delete(stack)
    return of ? [{ ...one, ...stacked(stack, of) }] : []
  })
}

/** What llama.cpp's converter did to the numbers, undone; the hub's own files as they are. */
function* arranged({ checkpoint, config, family, weights }: SourceModel): Generator<Arranged> {
  const { ropes, layers } = config
  const { transposed = false, normOffset = 0, neighbours = false } = family.names
  const interleaved = !neighbours && ropes[0]?.interleaved
  const { canonical } = checkpoint
  const byName = new Map(weights.map(weight => [weight.name, weight]))
  for (const weight of weights) {
    const { name, role } = weight
    const attention = layers[layerOf(name)]?.attention
    const as = (source: WeightSource, as = name): Arranged => ({ name: as, role, source, stored: weight.dtype })
    const parts = attention && !attends(attention) ? hubParts(weight, attention, family.names, byName) : undefined
    if (!canonical) yield as(asStored(weight))
    else if (parts) for (const part of parts) yield { ...as(weight), ...part }
    else if (attention?.kind === 'latent' && /\.[kv]_b_proj\.weight$/.test(name)) {
      const value = byName.get(name.replace('k_b_proj', 'v_b_proj'))
      if (!value || value === weight) continue // with its key
      yield as(joinKeyValueUp({ key: weight, value }, attention), name.replace('k_b_proj', 'kv_b_proj'))
    } else if (attention?.kind === 'grouped' && interleaved && /\.[qk]_proj\.(weight|bias)$/.test(name)) {
      yield as(deinterleaved(weight, attention.headDim))
    } else if (role === 'vector') {
      yield as(name.endsWith('.weight') ? offsetBy(weight, -normOffset) : weight)
    } else {
      yield as(transposed && role === 'matrix' ? transposedMatrix(weight) : weight)
    }
  }
}

/** [inputs, outputs] where the file has it so. */
function asStored({ transposed, ...weight }: SurveyedWeight): WeightSource {
  return transposed ? { ...weight, rows: weight.cols, cols: weight.rows } : weight
}

/** Rows of each head from neighbours to halves; a bias is a column of them. */
function deinterleaved(source: WeightSource, headDim: number): WeightSource {
  const column = source.rows === 1 ? { ...source, rows: source.cols, cols: 1 } : source
  const moved = reordered(column, column.rows, row => ggufRow(row, headDim))
  return { ...moved, rows: source.rows, cols: source.cols }
}
