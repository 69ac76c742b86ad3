import type { Kernels } from '../kernels/contract/kernels.ts'
import { contiguousKeys } from '../nn/attention/keys.ts'
import type { Backend } from '../nn/attention/step.ts'
import type { Decoder } from '../nn/decoder.ts'
import type { Scratch } from '../nn/scratch.ts'
import { NO_PAST, type Past, prepareStep, type Step, type StepInput } from '../nn/step.ts'

/** A text to read whole. */
export interface WholeText {
  readonly tokens: ArrayLike<number>
  /** Kinds of tokens, for an encoder. Default: 0. */
  readonly types?: ArrayLike<number>
}

/** A step that reads whole texts, packed end to end without padding, whose keys are f32 in scratch memory. Uploads it. */
export function wholeTexts(
  kernels: Kernels,
  scratch: Scratch,
  model: Decoder,
  texts: readonly WholeText[],
): { readonly backend: Backend; readonly step: Step } {
  const keys = contiguousKeys(kernels, scratch)
  const inputs = texts.map(text => inputOf(model, text))
  const step = prepareStep(kernels.memory, scratch, inputs, keys, model)
  return { backend: { ops: kernels, scratch, keys }, step }
}

function inputOf({ config: { encoder } }: Decoder, { tokens, types }: WholeText): StepInput<Past> {
  // RoBERTa reads pairs with one kind of tokens.
  const kinds = (encoder?.tokenTypes ?? 0) > 1 ? types : undefined
  return {
    tokens,
    cache: NO_PAST,
    prompt: { start: 0, end: tokens.length },
    logits: 'none',
    ...(encoder && { seesAll: true }),
    ...(encoder && encoder.tokenTypes > 0 && { types: kinds ?? new Int32Array(tokens.length) }),
  }
}
