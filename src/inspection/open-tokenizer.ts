import { homedir } from 'node:os'
import { modelFiles } from '../checkpoint/find/folder.ts'
import { resolveModel } from '../checkpoint/find/resolve-model.ts'
import { FIND_OPTIONS } from '../checkpoint/find-options.ts'
import { hubSettings } from '../checkpoint/hub/options.ts'
import { readName } from '../engine/types/arguments.ts'
import type { LoadOptions } from '../engine/types/options/load.ts'
import { readTokenizerFiles } from '../model/open/open-checkpoint.ts'
import { readOptions } from '../options/read-options.ts'
import { TokenizerError } from '../tokenizer/errors.ts'
import { createTokenizer, type Tokenizer } from '../tokenizer/tokenizer.ts'

/** Options of `openTokenizer`: how the model is found. */
export type FindOptions = Pick<LoadOptions, 'offline' | 'hub' | 'signal' | 'onProgress'>

/** The tokenizer of a model, without its weights. Throws CheckpointError, TokenizerError. */
export async function openTokenizer(source: string, options: FindOptions = {}): Promise<Tokenizer> {
  const { hub, ...rest } = readOptions<FindOptions>(FIND_OPTIONS, 'openTokenizer', options)
  const folder = await resolveModel(readName(source, 'source'), { ...hubSettings({}, homedir()), ...hub, ...rest })
  const files = await modelFiles(folder)
  const { tokenizer, tokenizerConfig, chatTemplate } = await readTokenizerFiles(files)
  if (tokenizer === undefined) throw new TokenizerError(`${folder} has no tokenizer.json`)
  return createTokenizer({ tokenizer, config: tokenizerConfig, chatTemplate, folder: `${folder}/` })
}
