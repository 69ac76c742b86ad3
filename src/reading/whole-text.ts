/** A text as one step reads it whole, without a cache. */
import type { EncoderConfig } from '../nn/config.ts'
import { NO_PAST, type Past, type StepInput } from '../nn/step.ts'

export interface WholeText {
  readonly tokens: Int32Array
  readonly input: StepInput<Past>
}

/** `source`: tokens of the source that an encoder-decoder's text looks at. */
export function wholeText(tokens: Int32Array, encoder: EncoderConfig | undefined, source?: number): WholeText {
  const input: StepInput<Past> = {
    tokens,
    cache: source === undefined ? NO_PAST : { ...NO_PAST, source: { length: source } },
    prompt: { start: 0, end: tokens.length },
    logits: 'none',
    ...(encoder && { seesAll: true }),
    ...(encoder && encoder.tokenTypes > 0 && { types: new Int32Array(tokens.length) }),
  }
  return { tokens, input }
}
