import type { EmbeddingModelV3, LanguageModelV3, ProviderV3, RerankingModelV3 } from '@ai-sdk/provider'
import type { Engine } from '../engine/host/node/engine.ts'
import type { LoadOptions } from '../engine/types/options/load.ts'
import { OptionError, UnsupportedModelError } from '../errors.ts'
import { embeddingModel } from './embedding-model.ts'
import { languageModel } from './language-model.ts'
import { rerankingModel } from './reranking-model.ts'

/** What a provider runs: an engine of yours, or models that it loads by name. */
export interface LatentkitSettings {
  /** A loaded model. You dispose of it. Default: models are loaded by their names. */
  readonly engine?: Engine
  /** The model where none is named: what `Engine.load` takes. Default: each call names one. */
  readonly model?: string
  /** How models are loaded. Default: as `Engine.load` does. */
  readonly load?: LoadOptions
}

/** Models for `generateText`, `streamText`, `embed` and others. A model is loaded with its first use, and stays. */
export interface LatentkitProvider extends ProviderV3 {
  /** The language model of that name; without one, the provider's. */
  (model?: string): LanguageModelV3
  /** The same. */
  languageModel(model?: string): LanguageModelV3
  /** Vectors of texts: any model makes them. */
  embeddingModel(model?: string): EmbeddingModelV3
  /** Scores of documents: a cross-encoder (`ModelInfo.reranks`). */
  rerankingModel(model?: string): RerankingModelV3
  /** Disposes of the models that the provider loaded. */
  dispose(): Promise<void>
}

/** Throws OptionError for settings that contradict each other. */
export function createLatentkit(settings: LatentkitSettings = {}): LatentkitProvider {
  const models = new Models(settings)
  const language = (name?: string) => languageModel(models.idOf(name), models.opener(name))
  const embedding = (name?: string) => embeddingModel(models.idOf(name), models.opener(name))
  return Object.assign(language, {
    specificationVersion: 'v3' as const,
    languageModel: language,
    embeddingModel: embedding,
    // Its older name.
    textEmbeddingModel: embedding,
    rerankingModel: (name?: string) => rerankingModel(models.idOf(name), models.opener(name)),
    imageModel: (name: string): never => {
      throw new UnsupportedModelError(`${JSON.stringify(name)} as an image model: latentkit runs language models only`)
    },
    dispose: () => models.dispose(),
  })
}

/** Engines by name, each loaded once. */
class Models {
  readonly #settings: LatentkitSettings
  readonly #loaded = new Map<string, Promise<Engine>>()

  constructor(settings: LatentkitSettings) {
    const { engine, model, load } = settings
    if (engine !== undefined && (model !== undefined || load !== undefined)) {
      throw new OptionError('createLatentkit: engine was given with model or load; an engine has its model already')
    }
    this.#settings = settings
  }

  idOf(name: string | undefined): string {
    const { engine, model } = this.#settings
    const own = engine?.info.name ?? model
    if (engine !== undefined && name !== undefined && name !== own) {
      throw new OptionError(`This provider has the engine of ${own}, not ${JSON.stringify(name)}; leave out the name`)
    }
    const id = name ?? own
    if (id !== undefined) return id
    throw new OptionError('No model is named; call latentkit(MODEL), or createLatentkit({ model }) or ({ engine })')
  }

  opener(name: string | undefined): () => Promise<Engine> {
    const { engine } = this.#settings
    return async () => engine ?? this.#load(this.idOf(name))
  }

  async dispose(): Promise<void> {
    const engines = await Promise.allSettled(this.#loaded.values())
    this.#loaded.clear()
    for (const engine of engines) if (engine.status === 'fulfilled') await engine.value.dispose()
  }

  #load(id: string): Promise<Engine> {
    const known = this.#loaded.get(id)
    if (known !== undefined) return known
    const loading = import('../engine/host/node/engine.ts').then(({ Engine }) => Engine.load(id, this.#settings.load))
    this.#loaded.set(id, loading)
    // The next call tries again.
    loading.catch(() => this.#loaded.delete(id))
    return loading
  }
}
