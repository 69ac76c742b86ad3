/** The converter, whose code is read at the first call. */
import type { Conversion, ConvertOptions } from './convert.ts'

/**
 * Writes a model as a GGUF file, or as a folder with safetensors where the name of the output does not end in .gguf.
 * Throws ConversionError, CheckpointError, ConfigError, UnsupportedModelError, OptionError, the signal's reason.
 */
export async function convertModel(input: string, output: string, options?: ConvertOptions): Promise<Conversion> {
  return (await import('./convert.ts')).convertModel(input, output, options)
}
