import { loadModel } from '../../src/model/load.ts'
import type { Model } from '../../src/model/model.ts'
import type { OpenedModel } from '../../src/model/open/opened-model.ts'
import type { ReadingTokenizer } from '../../src/reading/reading.ts'
import type { Sharing } from '../../src/reading/sharing.ts'
import type { KernelSet } from '../support/kernel-sets.ts'

/** Nobody else uses the model. */
export const ALONE: Sharing = { turn: work => work(), pause: async () => {} }

/** Token n is the text `<n>`. */
export const NO_TOKENIZER: ReadingTokenizer = {
  tokenBytes: id => new TextEncoder().encode(`<${id}>`),
  isSpecial: () => false,
}

/** A model that takes its kernels with it when it goes. */
export async function readingModel(opened: OpenedModel, set: KernelSet): Promise<Model & AsyncDisposable> {
  const kernels = await set.make({ exact: true })
  const model = await loadModel(opened, kernels, { cacheType: 'f32' })
  return Object.assign(model, {
    [Symbol.asyncDispose]: async () => {
      model.dispose()
      kernels.dispose()
    },
  })
}
