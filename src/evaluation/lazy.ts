/** What measures models, read at the first call: a program that only generates does not pay for it when it starts. */
type MeasurePerplexity = typeof import('./perplexity.ts').measurePerplexity

/**
 * How well a model predicts a text, and how far it is from another one. Throws what `Engine.load` throws, OptionError
 * for windows that do not fit, ReferenceFileError and CheckpointError for a reference that cannot be compared with.
 */
export const measurePerplexity: MeasurePerplexity = async (...args) =>
  (await import('./perplexity.ts')).measurePerplexity(...args)
