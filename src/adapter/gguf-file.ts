/** Adapters in llama.cpp's GGUF files: `general.type` adapter, `adapter.lora.alpha`, tensors `….lora_a` [r, cols] and `….lora_b` [rows, r]. */
import type { GgufTensor } from '../checkpoint/gguf/header.ts'
import type { Metadata } from '../checkpoint/gguf/metadata.ts'
import { readGgufSet } from '../checkpoint/gguf/split.ts'
import { renameTensors } from '../checkpoint/gguf/tensor-naming.ts'
import { listed, quote } from '../checkpoint/quote.ts'
import { reordered } from '../checkpoint/recode/derived.ts'
import { recoded } from '../checkpoint/recode/recoded.ts'
import { ggufRow } from '../checkpoint/recode/rotated-rows.ts'
import type { CheckpointFiles } from '../checkpoint/source/checkpoint-files.ts'
import { type TensorEntry, weightTypeOf } from '../checkpoint/tensor-entry.ts'
import { CheckpointError, UnsupportedModelError } from '../errors.ts'
import { architectureFor } from '../families/architectures.ts'
import type { WeightSource } from '../kernels/contract/weights.ts'
import { layerOf } from '../model/load.ts'
import type { OpenedModel } from '../model/open/opened-model.ts'
import { isBlockType } from '../tensor/dtype.ts'
import type { AdaptedModule, Adapter } from './adapter.ts'
import { refuseOrderedHeads } from './ordered-heads.ts'

export const ADAPTER_TYPE = 'adapter'
export const ALPHA = 'adapter.lora.alpha'
const SIDE = /\.lora_([ab])$/

/** Reads headers. Throws as `openAdapter` does. */
export async function openGgufAdapter(files: CheckpointFiles, name: string, base: OpenedModel): Promise<Adapter> {
  const { metadata, tensors } = await readGgufSet(files, name)
  checkKind(metadata, base)
  // 0 is none: then B A counts as it is.
  const alpha = metadata.optionalNumber(ALPHA) || null
  const { down, up } = sides(tensors.values(), metadata.file, base)
  const modules: AdaptedModule[] = []
  for (const [tensor, a] of down) {
    const b = up.get(tensor)
    if (!b) throw new CheckpointError(`${metadata.file}: ${quote(tensor)} has no lora_b`)
    if (a.rows !== b.cols) {
      throw new CheckpointError(
        `${metadata.file}: ${quote(tensor)} has a lora_a of rank ${a.rows} and a lora_b of rank ${b.cols}; expected one rank`,
      )
    }
    const module = tensor.replace(/\.weight$/, '')
    refuseOrderedHeads(metadata.file, module, base)
    const headDim = rotatedHeadDim(module, base)
    const inHubOrder = headDim === null ? b : reordered(b, b.rows, row => ggufRow(row, headDim))
    modules.push({ module, down: a, up: inHubOrder, scale: alpha === null ? 1 : alpha / a.rows })
  }
  for (const tensor of up.keys()) {
    if (!down.has(tensor)) throw new CheckpointError(`${metadata.file}: ${quote(tensor)} has no lora_a`)
  }
  if (modules.length === 0) throw new CheckpointError(`${metadata.file} changes no module`)
  return { name: metadata.file, modules }
}

function checkKind(metadata: Metadata, { config, checkpoint }: OpenedModel): void {
  const { file } = metadata
  const type = metadata.optionalString('general.type')
  if (type !== ADAPTER_TYPE) {
    throw new CheckpointError(
      `${file} is ${type === undefined ? 'no adapter' : `of type ${quote(type)}`}; expected an adapter`,
    )
  }
  const kind = metadata.string('adapter.type')
  if (kind !== 'lora')
    throw new UnsupportedModelError(`${file}: adapter.type is ${quote(kind)}; latentkit computes lora`)
  if (metadata.has('adapter.alora.invocation_tokens')) {
    throw new UnsupportedModelError(`${file} counts from certain tokens on only (aLoRA); latentkit computes plain LoRA`)
  }
  const { name } = architectureFor(config.modelType)
  if (metadata.architecture === name) return
  throw new CheckpointError(
    `${file} is for the architecture ${quote(metadata.architecture)}; ${checkpoint.name} is ${name}`,
  )
}

/** Matrices by the names that the changed tensors have on the hub. */
function sides(tensors: Iterable<GgufTensor>, file: string, { config }: OpenedModel) {
  const { naming } = architectureFor(config.modelType)
  const halves: Record<'a' | 'b', GgufTensor[]> = { a: [], b: [] }
  const others: string[] = []
  for (const tensor of tensors) {
    const side = SIDE.exec(tensor.name)?.[1] as 'a' | 'b' | undefined
    if (!side) others.push(tensor.name)
    else halves[side].push({ ...tensor, name: tensor.name.replace(SIDE, '') })
  }
  if (others.length > 0) {
    throw new UnsupportedModelError(`${file} has ${listed(others)}; expected pairs of matrices lora_a and lora_b`)
  }
  const matrices = (half: readonly GgufTensor[]) => {
    const renamed = renameTensors(half, naming, layer => config.layers[layer]?.attention.kind === 'delta')
    return new Map([...renamed].map(([name, entry]) => [name, matrixOf(entry, file)]))
  }
  return { down: matrices(halves.a), up: matrices(halves.b) }
}

function matrixOf({ name, dtype, shape, bytes }: TensorEntry, file: string): WeightSource {
  const type = weightTypeOf(dtype)
  const [rows, cols] = shape
  if (rows === undefined || cols === undefined || shape.length !== 2 || type === undefined) {
    const met = `${file}: the change of ${quote(name)} is ${dtype} [${shape.join(', ')}]`
    throw new UnsupportedModelError(`${met}; expected a matrix of a type that latentkit reads`)
  }
  const source: WeightSource = { name, dtype: type, rows, cols, bytes }
  return isBlockType(type) ? recoded(source, 'f32') : source
}

/** llama.cpp has the rows of these heads as neighbours that are rotated; null: as the hub has them. */
export function rotatedHeadDim(module: string, { config, checkpoint }: OpenedModel): number | null {
  const { interleaves } = architectureFor(config.modelType)
  const isPermuted = interleaves && (checkpoint.canonical || config.ropes[0]?.interleaved === false)
  if (!isPermuted || !/\.[qk]_proj$/.test(module)) return null
  const attention = config.layers[layerOf(module)]?.attention
  return attention?.kind === 'grouped' ? attention.headDim : null
}
