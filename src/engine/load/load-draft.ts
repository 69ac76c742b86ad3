import { OptionError } from '../../errors.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { loadModel } from '../../model/load.ts'
import type { ModelOptions } from '../../model/model.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import { refuseSource } from '../../model/refuse-encoder.ts'
import { hasStates } from '../../nn/config.ts'
import { DraftModel } from '../../speculation/draft-model.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import { openTokenizer } from './open-tokenizer.ts'

/** Throws OptionError unless every id is the same token in both: a guess is made of ids. */
function checkSameTokens(name: string, tokenizer: Tokenizer, draftName: string, draft: Tokenizer): void {
  for (let id = 0; id < Math.max(tokenizer.vocabSize, draft.vocabSize); id++) {
    const [expected, met] = [tokenizer.idToToken(id), draft.idToToken(id)]
    if (expected === met) continue
    const show = (token: string | undefined) => (token === undefined ? 'none' : JSON.stringify(token))
    throw new OptionError(
      `${draftName} cannot guess ahead for ${name}: token ${id} is ${show(met)} there and ${show(expected)} here. ` +
        'Give as draft a model of the same tokenizer, usually a smaller one of the same family.',
    )
  }
}

/** Throws OptionError for a model whose guesses could not be taken back. */
function refuseStates({ checkpoint, config }: OpenedModel): void {
  if (!hasStates(config)) return
  throw new OptionError(
    `${checkpoint.name} cannot guess ahead: some of its layers carry a state in place of keys and values (${config.modelType}), from which a guess ` +
      'cannot be taken back. Give as draft a model whose layers all attend.',
  )
}

/** Throws OptionError where `draft` cannot guess ahead for the model `name`. */
export function checkDraft(draft: OpenedModel, name: string, tokenizer: Tokenizer): void {
  refuseSource(draft.config, 'it guesses ahead for no other model. Give a smaller decoder as draft')
  refuseStates(draft)
  checkSameTokens(name, tokenizer, draft.checkpoint.name, openTokenizer(draft.checkpoint))
}

/** Loads the weights of a draft model onto the kernels of the model that it is for. */
export async function loadDraft(
  opened: OpenedModel,
  kernels: Kernels,
  options: ModelOptions & { readonly signal: AbortSignal; readonly vocabSize: number },
): Promise<DraftModel> {
  return new DraftModel(await loadModel(opened, kernels, options), options.vocabSize)
}
