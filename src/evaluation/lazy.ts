/** Imports the measuring code at the first call, so that programs which only generate start faster. */
type MeasurePerplexity = typeof import('./perplexity.ts').measurePerplexity

/**
 * Measures how well a model predicts a text, and compares it with another model. Throws what `Engine.load` throws,
 * OptionError for windows that do not fit, ReferenceFileError and CheckpointError for an unusable reference.
 */
export const measurePerplexity: MeasurePerplexity = async (...args) =>
  (await import('./perplexity.ts')).measurePerplexity(...args)
