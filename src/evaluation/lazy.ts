/** Imports the measuring code at the first call, so that programs which only generate start faster. */

import type { PerplexityReport } from './measure.ts'
import type { HellaswagOptions, HellaswagReport } from './measure-hellaswag.ts'
import type { PerplexityOptions } from './perplexity.ts'

/**
 * Measures how well a model predicts a text, and compares it with another model. Throws what `Engine.load` throws,
 * OptionError for windows that do not fit, ReferenceFileError and CheckpointError for an unusable reference.
 */
export async function measurePerplexity(
  source: string,
  text: string,
  options?: PerplexityOptions,
): Promise<PerplexityReport> {
  return (await import('./perplexity.ts')).measurePerplexity(source, text, options)
}

/**
 * Measures how often a model finds the right one of four endings likeliest (HellaSwag, arXiv 1905.07830), as lm-evaluation-harness
 * does. `text`: the questions, JSON lines. Throws what `Engine.load` throws, OptionError, and EvaluationError for lines that are no questions.
 */
export async function measureHellaswag(
  source: string,
  text: string,
  options?: HellaswagOptions,
): Promise<HellaswagReport> {
  return (await import('./measure-hellaswag.ts')).measureHellaswag(source, text, options)
}
