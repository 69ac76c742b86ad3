/** What has been learned, as a checkpoint has it. */
import { Checkpoint } from '../checkpoint/checkpoint.ts'
import { memorySource } from '../checkpoint/source/memory-source.ts'
import type { TensorEntry } from '../checkpoint/tensor-entry.ts'
import type { KernelMemory } from '../kernels/contract/memory.ts'
import { modelOf, type OpenedModel } from '../model/open/opened-model.ts'
import { copiesOf } from '../model/prediction.ts'
import type { LearnedModel } from './learned-model.ts'
import { nameOf, type Parameter } from './parameters.ts'

/** What is stored of a parameter's tensors now, or of their gradients: by the checkpoint's names, in its order of numbers. */
export async function storedNumbers(
  memory: KernelMemory,
  what: 'values' | 'gradient',
  parameter: Parameter,
): Promise<Map<string, Float32Array>> {
  const all = (await memory.read(parameter[what])) as Float32Array
  const each = all.length / parameter.sources.length
  const added = what === 'values' ? parameter.added : 0
  return new Map(
    parameter.sources.map((source, i) => {
      const numbers = all.subarray(i * each, (i + 1) * each)
      const transposed = source.transposed ? transpose(numbers, source.rows, source.cols) : numbers
      return [source.name, added === 0 ? transposed : transposed.map(x => x - added)]
    }),
  )
}

/** The model with what has been learned; `biases` are those of the choice of experts. */
export async function trainedModel(
  opened: OpenedModel,
  memory: KernelMemory,
  { model, parameters }: Pick<LearnedModel, 'model' | 'parameters'>,
  biases: readonly Parameter[],
): Promise<OpenedModel> {
  const { checkpoint } = opened
  const tensors = new Map(checkpoint.tensors)
  for (const parameter of [...parameters.all, ...biases]) {
    for (const [name, numbers] of await storedNumbers(memory, 'values', parameter)) {
      const shape = (tensors.get(name) as TensorEntry).shape
      const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)
      const range = { source: memorySource(name, bytes), offset: 0, length: bytes.length }
      tensors.set(name, { name, dtype: 'F32', shape, bytes: range })
    }
  }
  for (const { name, of } of copiesOf(opened)) {
    const weight = of === 'embedding' ? model.weights.embedding : model.output.weight
    const parameter = parameters.of(weight)
    const original = parameter && tensors.get(nameOf(parameter))
    if (original) tensors.set(name, { ...original, name })
  }
  return modelOf(new Checkpoint({ ...checkpoint, tensors }))
}

/** [rows, cols] -> [cols, rows] */
function transpose(numbers: Float32Array, rows: number, cols: number): Float32Array {
  const transposed = new Float32Array(numbers.length)
  for (let n = 0; n < rows; n++)
    for (let k = 0; k < cols; k++) transposed[k * rows + n] = numbers[n * cols + k] as number
  return transposed
}
