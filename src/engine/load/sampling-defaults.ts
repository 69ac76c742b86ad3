/** How tokens are drawn where a prompt does not say it. */
import { CHOOSING, NOT_WITH_MIROSTAT } from '../../sampling/options.ts'
import type { SamplingOptions } from '../types/options/prompt.ts'
import type { SamplingDefaults } from '../types/results.ts'

/** The tail of a distribution is where a small model derails: at temperature 1 over all tokens it writes word salad. */
const OURS = { temperature: 0.6, topP: 0.9 } as const

/**
 * What a prompt that gives `given` is drawn with on a model whose files say `model`. Each setting is the prompt's, else the
 * model's. Where neither names one of these, temperature 0.6 and topP 0.9; else those that nobody
 * names do nothing. Mirostat takes the place of the model's filters.
 */
export function drawnWith(model: SamplingOptions, given: SamplingOptions): SamplingOptions {
  const defaults: SamplingOptions = { ...(!(names(model) || names(given)) && OURS), ...model }
  if (!given.mirostat) return { ...defaults, ...given }
  const kept = Object.entries(defaults).filter(([name]) => !(NOT_WITH_MIROSTAT as readonly string[]).includes(name))
  return { ...Object.fromEntries(kept), ...given }
}

/** The same for prompts that say nothing, whole. */
export function samplingDefaults(model: SamplingOptions): SamplingDefaults {
  const { temperature = 1, topP = 1, topK = 0, minP = 0, typicalP = 1, repetitionPenalty = 1 } = drawnWith(model, {})
  return { by: names(model) ? 'model' : 'latentkit', temperature, topP, topK, minP, typicalP, repetitionPenalty }
}

function names(options: SamplingOptions): boolean {
  return CHOOSING.some(name => options[name] !== undefined)
}
