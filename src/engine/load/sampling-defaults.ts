/** How tokens are drawn where a prompt does not say it. */
import type { SamplingOptions } from '../types/options.ts'
import type { SamplingDefaults } from '../types/results.ts'

/** The tail of a distribution is where a small model derails: at temperature 1 over all tokens it writes word salad. */
const OURS = { temperature: 0.6, topP: 0.9 } as const

/** These belong together: a temperature was chosen with its filters. */
const DRAWING = ['temperature', 'topP', 'topK', 'minP'] as const

/**
 * What a prompt that gives `given` is drawn with on a model whose files say `model`. Each setting is the prompt's, else the
 * model's. Where neither names one of temperature, topP, topK and minP, temperature 0.6 and topP 0.9; else those that nobody
 * names do nothing.
 */
export function drawnWith(model: SamplingOptions, given: SamplingOptions): SamplingOptions {
  return { ...(!(names(model) || names(given)) && OURS), ...model, ...given }
}

/** The same for prompts that say nothing, whole. */
export function samplingDefaults(model: SamplingOptions): SamplingDefaults {
  const { temperature = 1, topP = 1, topK = 0, minP = 0, repetitionPenalty = 1 } = drawnWith(model, {})
  return { by: names(model) ? 'model' : 'latentkit', temperature, topP, topK, minP, repetitionPenalty }
}

function names(options: SamplingOptions): boolean {
  return DRAWING.some(name => options[name] !== undefined)
}
