/**
 * Tools beside the engine whose code is read at their first call: a program that only generates does not pay for them
 * when it starts.
 */
type Inspect = typeof import('./inspect.ts').inspectModel
type Verify = typeof import('./verify/verify.ts').verifyFolder
type OpenTokenizer = typeof import('./open-tokenizer.ts').openTokenizer

/** Reads config.json and the headers of the weights. Throws CheckpointError, ConfigError, UnsupportedModelError. */
export const inspectModel: Inspect = async (...args) => (await import('./inspect.ts')).inspectModel(...args)

/** The tokenizer of a model, without its weights. Throws CheckpointError, TokenizerError. */
export const openTokenizer: OpenTokenizer = async (...args) =>
  (await import('./open-tokenizer.ts')).openTokenizer(...args)

/** A checkpoint's numbers against another engine's. Never throws for a bad checkpoint: the report says what was wrong. */
export const verifyFolder: Verify = async (...args) => (await import('./verify/verify.ts')).verifyFolder(...args)
