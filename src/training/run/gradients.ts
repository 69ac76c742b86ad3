import { chooseKernels } from '../../engine/host/node/kernels.ts'
import type { KernelChoice } from '../../engine/types/options/load.ts'
import { LOAD_OPTIONS } from '../../engine/types/options/load.ts'
import { OptionError } from '../../errors.ts'
import { openModel } from '../../model/open/open-model.ts'
import { number, type OptionTable } from '../../options/kinds.ts'
import { readOptions } from '../../options/read-options.ts'
import { show } from '../../options/show.ts'
import { Trainer } from '../trainer.ts'
import type { TrainingText } from '../training-texts.ts'

/** Options of `gradients`. */
export interface GradientOptions {
  /** Label smoothing. Default 0. */
  readonly smoothing?: number
  /** Weight of the squared log of the softmax's sum. Default 0. */
  readonly zLoss?: number
  /** What computes. Default `auto`. */
  readonly kernels?: KernelChoice
  /** Compute threads. Default: all cores. */
  readonly threads?: number
}

const OPTIONS = {
  smoothing: { kind: number(0, 1), description: 'label smoothing' },
  zLoss: { kind: number(0, 1), description: "weight of the squared log of the softmax's sum" },
  kernels: LOAD_OPTIONS.kernels,
  threads: LOAD_OPTIONS.threads,
} satisfies OptionTable<GradientOptions>

/** Result of `gradients`. */
export interface Gradients {
  /** The mean over all targets, in nats. */
  readonly loss: number
  /** d loss / d weight by the checkpoint's names of tensors, each in the order in which it is stored. */
  readonly gradients: ReadonlyMap<string, Float32Array>
}

/** See `gradients` of `latentkit/training`. */
export async function gradients(
  model: string,
  texts: readonly TrainingText[],
  given: GradientOptions = {},
): Promise<Gradients> {
  const { kernels: choice = 'auto', threads, ...options } = readOptions<GradientOptions>(OPTIONS, 'gradients', given)
  const opened = await openModel(model)
  checkTexts(texts, opened.config.vocabSize, opened.config.maxPositions)
  const { kernels } = await chooseKernels(choice, { training: true, ...(threads !== undefined && { threads }) })
  try {
    const trainer = await Trainer.load(opened, kernels)
    const loss = await trainer.gradients(texts, options)
    const found = new Map<string, Float32Array>()
    for (const parameter of trainer.parameters.all) {
      for (const [name, numbers] of await trainer.read('gradient', parameter)) found.set(name, numbers)
    }
    return { loss, gradients: found }
  } finally {
    kernels.dispose()
  }
}

/** Kernels trust ids, so none may be outside the vocabulary. Throws OptionError. */
function checkTexts(texts: readonly TrainingText[], vocabSize: number, maxPositions: number): void {
  for (const [i, { tokens, targets }] of texts.entries()) {
    const what = `texts[${i}]`
    if (tokens.length !== targets.length || tokens.length === 0) {
      throw new OptionError(
        `${what} has ${tokens.length} tokens and ${targets.length} targets; expected as many of both`,
      )
    }
    if (tokens.length > maxPositions) {
      throw new OptionError(`${what} has ${tokens.length} tokens; this model was made for at most ${maxPositions}`)
    }
    const bad = (id: number | undefined, least: number) =>
      !Number.isInteger(id) || Number(id) < least || Number(id) >= vocabSize
    for (let t = 0; t < tokens.length; t++) {
      if (!bad(tokens[t], 0) && !bad(targets[t], -1)) continue
      const [name, id] = bad(tokens[t], 0) ? ['tokens', tokens[t]] : ['targets', targets[t]]
      throw new OptionError(
        `${what}.${name}[${t}] is ${show(id)}; expected an id below ${vocabSize}${name === 'targets' ? ', or -1 for none' : ''}`,
      )
    }
  }
}
