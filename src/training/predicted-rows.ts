import type { Kernels } from '../kernels/contract/kernels.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import type { Decoder } from '../nn/decoder.ts'
import { predictionRows } from '../nn/prediction.ts'
import { prepareStep } from '../nn/step.ts'
import type { Tensor } from '../tensor/tensor.ts'
import type { TrainingScratch } from './scratch.ts'
import type { Tape } from './tape.ts'
import { inputOf, lengthsOf, type TrainingText, withoutFirst } from './training-texts.ts'

/** What a module of multi-token prediction makes of texts. */
interface PredictedRows {
  /** Those that predict, [n, D]. */
  readonly rows: Tensor
  /** i32 [n] */
  readonly targets: Tensor
  /** Tokens of each text that is long enough. */
  readonly lengths: readonly number[]
}

/** Of each module of multi-token prediction in turn. `x`: the model's final rows of all tokens, [n, D]. */
export async function predictedRows(
  kernels: Kernels,
  scratch: TrainingScratch,
  { ops }: Pick<Tape, 'ops'>,
  modules: readonly Decoder[],
  texts: readonly TrainingText[],
  x: Tensor,
): Promise<PredictedRows[]> {
  const uploaded = (numbers: readonly number[]): Tensor => {
    const made = scratch.take([numbers.length], 'i32')
    kernels.memory.upload(made, Int32Array.from(numbers))
    return made
  }
  let [left, hidden] = [texts, x]
  const found: PredictedRows[] = []
  for (const module of modules) {
    let at = 0
    const index = left.flatMap(({ tokens }) => {
      at += tokens.length
      return Array.from({ length: tokens.length - 1 }, (_, i) => at - tokens.length + i)
    })
    if (index.length === 0) break
    left = left.filter(({ tokens }) => tokens.length > 1).map(withoutFirst)
    // What is uploaded below may take memory that operations have left.
    await kernels.submit()
    const before = scratch.take([index.length, x.shape[1] as number])
    ops.gatherRows(before, hidden, uploaded(index))
    const keys = contiguousKeys(ops, scratch)
    const step = prepareStep(kernels.memory, scratch, left.map(inputOf), keys, module)
    const rows = predictionRows({ ops, scratch, keys }, module, step, before)
    const targets = uploaded(left.flatMap(({ targets }) => Array.from(targets)))
    found.push({ rows, targets, lengths: lengthsOf(left) })
    hidden = rows
  }
  return found
}
