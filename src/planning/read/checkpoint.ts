/** The planner's view of an opened checkpoint: sizes from its config, bytes from the headers of its files. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { UnsupportedModelError } from '../../errors.ts'
import type { MoeShape, Unknown } from '../../families/descriptor.ts'
import { constantNumbers } from '../../model/load/states.ts'
import { type SurveyedWeight, surveyWeights } from '../../model/load.ts'
import { modelOf } from '../../model/open/opened-model.ts'
import { expertsOf } from '../../nn/config.ts'
import { isPackedType, packedBytes } from '../../quant/packed.ts'
import { isBlockType, type WeightType } from '../../tensor/dtype.ts'
import type { PlanModel, StoredWeights } from '../plan-model.ts'
import { weightFormat } from '../weight-format.ts'
import { weightParts } from '../weight-parts.ts'
import { countWeights, modelWeightBytes, weightBytesOf } from '../weights.ts'
import { planModelFromJson } from './json.ts'

/** No tensor's bytes are read. Throws ConfigError, CheckpointError or UnsupportedModelError. */
export async function planModelFromCheckpoint(checkpoint: Checkpoint, name: string): Promise<PlanModel> {
  const { unknown = [], ...model } = planModelFromJson(checkpoint.config, checkpoint.configFile, name)
  const stored = await storedWeights(checkpoint, model)
  const left = [...unknown.filter(u => u.affects !== 'weights'), ...estimatedReads(model, stored, unknown)]
  return { ...model, stored, ...(left.length > 0 && { unknown: left }) }
}

/** Of a model that the engine does not run, files tell the bytes; what a token reads of them follows from sizes. */
function estimatedReads(model: PlanModel, stored: StoredWeights, unknown: readonly Unknown[]): Unknown[] {
  if (stored.engineBytes !== null) return []
  const parts = { draft: model.draftLayers.length > 0, draftCopies: true }
  const counted = weightBytesOf(weightParts(model, parts), weightFormat(model.weightDtype)).bytes
  const fields = unknown.filter(u => u.affects === 'weights').map(u => u.field)
  if (fields.length === 0 && Math.abs(stored.fileBytes - counted) < 0.02 * counted) return []
  const reason =
    `the files hold ${stored.fileBytes.toLocaleString('en-GB')} bytes, the sizes give ${counted.toLocaleString('en-GB')}: ` +
    'all bytes are counted as weights, what a token reads of them is estimated'
  return [{ field: fields.join(', ') || 'files', affects: 'weights', reason }]
}

async function storedWeights(checkpoint: Checkpoint, model: PlanModel): Promise<StoredWeights> {
  const fileBytes = sum([...checkpoint.tensors.values()], t => t.bytes.length)
  const dtype = typesOf(checkpoint)
  let survey: SurveyedWeight[]
  try {
    survey = await surveyWeights(modelOf(checkpoint))
  } catch (error) {
    // Files of models that the engine does not run still have a size; what a token reads of it follows from the sizes.
    if (!(error instanceof UnsupportedModelError)) throw error
    const { parameters } = countWeights(model, { draft: false })
    const counted = modelWeightBytes(model, undefined, { draft: false })
    const activeBytes = Math.round((fileBytes * counted.activeBytes) / counted.bytes)
    const { matrix, output } = weightFormat(model.weightDtype).types
    return {
      ...{ dtype, bytes: fileBytes, engineBytes: null, fileBytes, activeBytes, parameters },
      ...{ matrixType: matrix, outputType: output },
    }
  }
  return {
    dtype,
    bytes: sum(survey, bytesOf),
    engineBytes: sum(survey, heldBytes) + 4 * sum(modelOf(checkpoint).config.layers, l => constantNumbers(l.attention)),
    fileBytes,
    activeBytes: model.encoder
      ? activeOfSizes(model, sum(survey, bytesOf))
      : Math.round(sum(survey, weight => bytesOf(weight) * shareRead(weight, model))),
    parameters: sum(survey, w => w.rows * w.cols),
    matrixType: mostOf(survey.filter(w => w.rows > 1 && !isTable(w) && w.role !== 'tied')),
    outputType: survey.find(({ role }) => role === 'output' || role === 'tied')?.dtype ?? 'f32',
  }
}

/** Of an encoder-decoder, much of which only a source text reads: the share that its sizes say. */
function activeOfSizes(model: PlanModel, bytes: number): number {
  const counted = modelWeightBytes({ ...model, stored: null }, undefined, { draft: false })
  return Math.round((bytes * counted.activeBytes) / counted.bytes)
}

/** Whether a token reads one row of it. A tied embedding is the output, too. */
const isTable = ({ role }: SurveyedWeight) => role === 'embedding' || role === 'positions'

/** What one token reads of a tensor: of tables a row, of experts those that are chosen. */
function shareRead(weight: SurveyedWeight, model: PlanModel): number {
  if (isTable(weight)) return 1 / weight.rows
  if (!weight.ofExpert) return 1
  const [moe] = expertsOf<MoeShape>(model)
  return moe ? moe.topK / (moe.nExperts + (moe.idle ?? 0)) : 1
}

/** The type with most bytes. */
function mostOf(weights: readonly SurveyedWeight[]): WeightType {
  const bytes = new Map<WeightType, number>()
  for (const w of weights) bytes.set(w.dtype, (bytes.get(w.dtype) ?? 0) + bytesOf(w))
  return [...bytes].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'f32'
}

/** In memory, mapped or copied. */
function heldBytes(weight: SurveyedWeight): number {
  const { dtype, rows, cols, made, role } = weight
  const vector = role === 'vector'
  if (made !== undefined) return 4 * made
  if (isPackedType(dtype) && !vector) return packedBytes(dtype, rows, cols)
  return vector || isBlockType(dtype) ? 4 * rows * cols : bytesOf(weight)
}

function bytesOf({ bytes, scales }: SurveyedWeight): number {
  return bytes.length + (scales?.bytes.length ?? 0)
}

/** `q4_1 + q8_0 + f32`: those with a hundredth of the bytes or more, most bytes first. */
function typesOf(checkpoint: Checkpoint): string {
  const bytes = new Map<string, number>()
  for (const { dtype, bytes: range } of checkpoint.tensors.values()) {
    bytes.set(dtype, (bytes.get(dtype) ?? 0) + range.length)
  }
  const total = sum([...bytes.values()], n => n)
  const large = [...bytes].filter(([, n]) => n >= total / 100).sort((a, b) => b[1] - a[1])
  return large.map(([type]) => type.toLowerCase()).join(' + ')
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((n, item) => n + of(item), 0)
}
