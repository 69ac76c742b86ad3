/** The converter, whose code is read at the first call. */
type Convert = typeof import('./convert.ts').convertModel

/**
 * Writes a model as a GGUF file, or as a folder with safetensors where the name of the output does not end in .gguf.
 * Throws ConversionError, CheckpointError, ConfigError, UnsupportedModelError, OptionError, the signal's reason.
 */
export const convertModel: Convert = async (...args) => (await import('./convert.ts')).convertModel(...args)
