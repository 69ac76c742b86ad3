import { type PickedFile, pickedFiles } from '../../../checkpoint/web/picked-files.ts'
import { readTokenizerFiles } from '../../../model/open/open-checkpoint.ts'
import { TokenizerError } from '../../../tokenizer/errors.ts'
import { createTokenizer, type Tokenizer } from '../../../tokenizer/tokenizer.ts'

/** See `openTokenizer`. */
export async function readTokenizer(name: string, picked: readonly PickedFile[]): Promise<Tokenizer> {
  const [only] = picked
  const isAlone = picked.length === 1 && only?.path.endsWith('.json')
  const files = isAlone && only ? [{ ...only, path: 'tokenizer.json' }] : picked
  const { tokenizer, tokenizerConfig, chatTemplate } = await readTokenizerFiles(await pickedFiles(name, files))
  if (tokenizer === undefined) {
    throw new TokenizerError(`${name} has no tokenizer; expected a tokenizer.json or a GGUF file`)
  }
  return createTokenizer({ tokenizer, config: tokenizerConfig, chatTemplate, folder: isAlone ? '' : `${name}/` })
}
