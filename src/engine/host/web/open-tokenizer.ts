import type { Tokenizer } from '../../../tokenizer/tokenizer.ts'
import { type ModelSource, readSource } from './source.ts'

/**
 * The tokenizer alone of files that the user picked or dropped, in the page's own thread: a tokenizer.json by whatever name (tokenizer_config.json
 * beside it says which tokens begin and end a text), a folder that has one, or a GGUF file, of which only the header is read. Needs no model.
 * Throws CheckpointError and TokenizerError naming file and key, OptionError.
 */
export async function openTokenizer(source: Exclude<ModelSource, string | URL>): Promise<Tokenizer> {
  const { name, picked } = await readSource(source, '')
  const { readTokenizer } = await import('./read-tokenizer.ts')
  return readTokenizer(name, picked ?? [])
}
