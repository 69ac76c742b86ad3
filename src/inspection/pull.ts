import { downloadModel } from '../checkpoint/hub/download-model.ts'
import { parseModelName } from '../checkpoint/hub/model-name.ts'
import type { HubOptions } from '../checkpoint/hub/options.ts'
import { OptionError } from '../errors.ts'
import { checkConfig } from '../model/open/open-model.ts'

export interface PullOptions extends HubOptions {
  /** Download models that latentkit does not run, too. Default false. */
  readonly any?: boolean
}

/**
 * Brings `org/name[@revision][:FILE]` in the hub's cache up to date and returns its path: a folder, or a GGUF file. What
 * is complete is not downloaded again. Throws HubError; UnsupportedModelError before weights are downloaded that would not
 * run; OptionError for a text that is no name.
 */
export async function pullModel(source: string, { any = false, ...options }: PullOptions): Promise<string> {
  const name = parseModelName(source)
  if (name === undefined) {
    const todo = 'expected org/name, org/name@revision or org/name:Q4_K_M, as on huggingface.co'
    throw new OptionError(`${JSON.stringify(source.slice(0, 120))} is no name of a model on the hub; ${todo}`)
  }
  return downloadModel(name, { ...options, ...(!any && { beforeWeights: checkConfig }) })
}
