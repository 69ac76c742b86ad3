/** Imports the measuring code at the first call, so that programs which only generate start faster. */
import type { PerplexityReport } from './measure.ts'
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
