import { OptionError } from '../errors.ts'
import type { TokenHistory } from './history.ts'
import type { ResolvedOptions } from './options.ts'

/**
 * Applies bias and penalties. Does not modify `logits`: returns `scratch` (of the same length), or `logits` itself if no
 * option changes anything.
 */
export function adjustLogits(
  logits: Float32Array,
  options: ResolvedOptions,
  history: TokenHistory | undefined,
  scratch: Float32Array,
): Float32Array {
  const { biasIds, biases, repetitionPenalty, presencePenalty, frequencyPenalty } = options
  const penalised = repetitionPenalty !== 1 || presencePenalty !== 0 || frequencyPenalty !== 0
  if (biasIds.length === 0 && !(penalised && history)) return logits
  const out = scratch
  out.set(logits)

  for (const [i, id] of biasIds.entries()) {
    if (id >= out.length) throw new OptionError(`logitBias has the id ${id}; expected one below ${out.length}`)
    out[id]! += biases[i]!
  }
  if (history === undefined) return out
  if (repetitionPenalty !== 1) {
    history.forEachSeen(id => {
      if (id >= out.length) return
      const logit = out[id]!
      out[id] = logit > 0 ? logit / repetitionPenalty : logit * repetitionPenalty
    })
  }
  if (presencePenalty !== 0 || frequencyPenalty !== 0) {
    for (const [id, count] of history.counts) {
      if (id < out.length) out[id]! -= presencePenalty + count * frequencyPenalty
    }
  }
  return out
}
