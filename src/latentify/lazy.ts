/** Imports the conversion's code at the first call. */
import type { LatentifyOptions } from './options.ts'
import type { Latentification } from './result.ts'

/**
 * Writes a model with grouped attention (Llama, Mistral, Qwen2, SmolLM2) as one with latent attention, in deepseek_v3's form: a folder with safetensors, or a
 * GGUF file where the name of the output ends in .gguf. Throws OptionError, ConversionError, CheckpointError, UnsupportedModelError,
 * TrainingError (healing), the signal's reason.
 */
export async function latentifyModel(
  input: string,
  output: string,
  options?: LatentifyOptions,
): Promise<Latentification> {
  return (await import('./latentify.ts')).latentifyModel(input, output, options)
}
