/** A text as one step reads it whole, without a cache. */
import type { EncoderConfig } from '../nn/config.ts'
import { NO_PAST, type Past, type StepInput } from '../nn/step.ts'

export interface WholeText {
  readonly tokens: Int32Array
  readonly input: StepInput<Past>
}

export function wholeText(tokens: Int32Array, encoder: EncoderConfig | undefined): WholeText {
  const input: StepInput<Past> = {
    tokens,
    cache: NO_PAST,
    prompt: { start: 0, end: tokens.length },
    logits: 'none',
    ...(encoder && { seesAll: true }),
    ...(encoder && encoder.tokenTypes > 0 && { types: new Int32Array(tokens.length) }),
  }
  return { tokens, input }
}
