/** What callers are told of a model that is loaded. */
import { stateBytes } from '../../cache/layout.ts'
import { type EmbeddingSettings, embeddingInfo } from '../../embedding/settings.ts'
import type { SurveyedWeight } from '../../model/load.ts'
import { loadWarnings, tiedWarnings } from '../../model/load-warnings.ts'
import type { Model } from '../../model/model.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import { sentence } from '../../printable.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import type { ModelInfo } from '../types/results.ts'
import type { GenerationDefaults } from './generation-defaults.ts'
import { findReasoningMarks } from './reasoning-marks.ts'
import { samplingDefaults } from './sampling-defaults.ts'
import { sizesOf } from './survey.ts'

/** How a model was loaded. */
interface Loaded
  extends Pick<ModelInfo, 'name' | 'cacheType' | 'contextLength' | 'fallbackReason' | 'draft' | 'mtp' | 'lora'> {
  readonly model: Model
  readonly survey: readonly SurveyedWeight[]
  readonly tokenizer: Tokenizer
  readonly defaults: GenerationDefaults
  readonly embedding: EmbeddingSettings
}

export async function modelInfo(opened: OpenedModel, loaded: Loaded): Promise<ModelInfo> {
  const { checkpoint, config } = opened
  const { name, model, survey, cacheType, tokenizer, defaults, contextLength, fallbackReason, draft, mtp, lora } =
    loaded
  const { layout, kernels } = model
  const warnings = [...checkpoint.warnings, ...defaults.warnings, ...loadWarnings(opened, survey)]
  return {
    name,
    modelType: config.modelType,
    generates: !config.encoder,
    reranks: config.encoder?.head?.scores === 1,
    embedding: embeddingInfo(loaded.embedding),
    nLayers: config.nLayers,
    hiddenSize: config.hiddenSize,
    vocabSize: config.vocabSize,
    contextLength,
    cacheType,
    cacheBytesPerToken: layout.bytesPerToken,
    cacheStateBytes: stateBytes(layout),
    source: config.source
      ? { contextLength: config.source.encoder.maxPositions, cacheBytesPerToken: layout.sourceBytesPerToken }
      : null,
    ...sizesOf(survey),
    kernels: { name: kernels.info.name, isa: kernels.info.isa, threads: kernels.info.threads },
    fallbackReason,
    hasChatTemplate: tokenizer.hasChatTemplate,
    marksReasoning: findReasoningMarks(tokenizer) !== null,
    sampling: samplingDefaults(defaults.sampling),
    draft,
    mtp,
    lora,
    warnings: [...warnings, ...(await tiedWarnings(opened))].map(warning => sentence(warning)),
  }
}
