/**
 * Factors that files have beside matrices: `NAME.scale`, one for all or one for each expert. NVFP4 needs them, since its own scales span few powers of
 * two; llama.cpp multiplies by those of other types, too.
 */
import { CheckpointError } from '../../errors.ts'
import type { WeightSource } from '../../kernels/contract/weights.ts'
import type { WeightType } from '../../tensor/dtype.ts'
import { quote } from '../quote.ts'
import { computed } from '../recode/derived.ts'
import { readRows } from '../recode/weight-rows.ts'
import { weightTypeOf } from '../tensor-entry.ts'
import type { GgufTensor } from './header.ts'
import type { TensorNaming } from './tensor-naming.ts'

const WEIGHT = /\.weight$/
/** llama.cpp reads factors of matrices in layers and of the output. */
const SCALED = /^(?:blk\.\d+\..+|output)\.weight$/
const LAYER = /^blk\.\d+\./

/**
 * The tensors with such factors multiplied in, as f32: no block type has room for them. Those of activations (`NAME.input_scale`) are left out, as
 * activations are not rounded to four bits here; those that `naming` knows as tensors of the model's own stay (Gemma 4's factors of experts). Throws
 * CheckpointError for factors of another shape.
 */
export function withScales(
  tensors: ReadonlyMap<string, GgufTensor>,
  { inLayer }: Pick<TensorNaming, 'inLayer'>,
): Map<string, GgufTensor> {
  const scaled = new Map(tensors)
  for (const [name, tensor] of tensors) {
    const dtype = weightTypeOf(tensor.type)
    if (!SCALED.test(name) || dtype === undefined || tensor.shape.length < 2) continue
    const scales = tensors.get(name.replace(WEIGHT, '.scale'))
    scaled.delete(name.replace(WEIGHT, '.input_scale'))
    if (!scales || Object.hasOwn(inLayer, scales.name.replace(LAYER, ''))) continue
    scaled.delete(scales.name)
    scaled.set(name, multiplied(tensor, dtype, scales))
  }
  return scaled
}

function multiplied(tensor: GgufTensor, dtype: WeightType, scales: GgufTensor): GgufTensor {
  const { name, shape, bytes } = tensor
  const cols = shape.at(-1) as number
  const rows = shape.reduce((a, b) => a * b, 1) / cols
  const count = scales.shape.reduce((a, b) => a * b, 1)
  if (scales.type !== 'F32' || (count !== 1 && (shape.length !== 3 || count !== shape[0]))) {
    const met = `is ${scales.type} [${scales.shape.join(', ')}]; expected F32, one number or one for each expert`
    const { source } = scales.bytes
    throw new CheckpointError(`${source.path ?? source.name}: tensor ${quote(scales.name)} ${met} of ${quote(name)}`)
  }
  const blocks: WeightSource = { name, dtype, rows, cols, bytes }
  const factors: WeightSource = { name: scales.name, dtype: 'f32', rows: 1, cols: count, bytes: scales.bytes }
  const { bytes: made } = computed(blocks, rows, cols, async (start, taken) => {
    const all = await readRows(factors, 0, 1)
    const values = await readRows(blocks, start, taken)
    return values.map((value, i) => value * all[Math.floor(((start + Math.floor(i / cols)) * count) / rows)]!)
  })
  return { name, type: 'F32', shape, bytes: made }
}
