/** The tokenizer of a model, with the chat template that it is to have. */
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { CheckpointError } from '../../errors.ts'
import { createTokenizer, type Tokenizer } from '../../tokenizer/tokenizer.ts'

/** tokenizer.json. Throws CheckpointError for a model without one. */
export function requireTokenizer({ name, tokenizer }: Pick<Checkpoint, 'name' | 'tokenizer'>) {
  if (tokenizer) return tokenizer
  throw new CheckpointError(`${name} has no tokenizer.json; latentkit needs it to turn text into tokens`)
}

/** `template`: in place of the model's own. `fallback`: for a model that has none. */
export function openTokenizer(checkpoint: Checkpoint, template?: string, fallback?: string): Tokenizer {
  const { name, tokenizerConfig: config, chatTemplate } = checkpoint
  const files = { tokenizer: requireTokenizer(checkpoint), config, folder: `${name}/` }
  const tokenizer = createTokenizer({ ...files, chatTemplate: template ?? chatTemplate })
  if (fallback === undefined || tokenizer.chatTemplate() !== undefined) return tokenizer
  return createTokenizer({ ...files, chatTemplate: fallback })
}
