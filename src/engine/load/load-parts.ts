import type { Adapter } from '../../adapter/adapter.ts'
import { openAdapter } from '../../adapter/open-adapter.ts'
import { checkAdapter, preparedAdapter } from '../../adapter/prepared.ts'
import type { BlockStorage } from '../../cache/stored/stored-block.ts'
import { type EmbeddingSettings, embeddingSettings } from '../../embedding/settings.ts'
import { OptionError } from '../../errors.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { loadModel } from '../../model/load.ts'
import type { Model } from '../../model/model.ts'
import { type OpenedModel, openFiles } from '../../model/open/opened-model.ts'
import { loadPrediction } from '../../model/prediction.ts'
import { refuseSource } from '../../model/refuse-encoder.ts'
import type { ModelConfig } from '../../nn/config.ts'
import type { DraftModel } from '../../speculation/draft-model.ts'
import { PredictionModel } from '../../speculation/prediction.ts'
import type { Tokenizer } from '../../tokenizer/tokenizer.ts'
import type { Identity } from '../past/identity.ts'
import type { LoadContext, Platform, SealedFiles } from '../types/platform.ts'
import type { HostLoadOptions } from '../types/protocol.ts'
import type { ModelInfo } from '../types/results.ts'
import { type ChosenKernels, chooseKernels, withRoom } from './choose-kernels.ts'
import { defaultCacheType } from './default-cache-type.ts'
import { EngineMasks } from './engine-masks.ts'
import { type GenerationDefaults, generationDefaults, generationFile } from './generation-defaults.ts'
import { fingerprintOf, identityOf, onceOnly, openStore } from './kept-rows.ts'
import { checkDraft, loadDraft } from './load-draft.ts'
import { modelInfo } from './model-info.ts'
import { openTokenizer } from './open-tokenizer.ts'
import { predicts, sizesOf, surveyed } from './survey.ts'

/** Of caches that no session holds, where no budget is given. */
const KEPT_BYTES = 2 ** 30

/** A model with all that belongs to it, ready to run. */
export interface Parts {
  readonly info: ModelInfo
  readonly model: Model
  readonly kernels: Kernels
  readonly tokenizer: Tokenizer
  readonly defaults: GenerationDefaults
  readonly embedding: EmbeddingSettings
  /** Whose rows its rows are. */
  readonly identity: () => Promise<Identity>
  /** config.json as it is written. */
  readonly config: Readonly<Record<string, unknown>>
  /** Of all that decides what a prompt becomes. */
  readonly fingerprint: () => Promise<string>
  /** Guesses ahead for the model; null without one. */
  readonly draft: DraftModel | null
  /** The same by the model's own module of multi-token prediction; null: it is not loaded. */
  readonly prediction: PredictionModel | null
  /** Where blocks are kept on disk; null where they are not. */
  readonly store: BlockStorage | null
  /** Where sessions are kept. */
  readonly sessions: SealedFiles
  /** Which ids texts under a grammar may draw. */
  readonly masks: EngineMasks
}

export function disposeParts({ draft, prediction, model, kernels }: Parts): void {
  draft?.dispose()
  prediction?.dispose()
  model.dispose()
  kernels.dispose()
}

/** A model whose headers are read, and what people call it. */
interface NamedModel extends OpenedModel {
  readonly name: string
}

/** Finds, opens and loads a model. What was made is given back when a part of it fails. */
export async function loadParts(
  platform: Platform,
  source: string,
  options: HostLoadOptions,
  context: LoadContext,
): Promise<Parts> {
  const { threads, isa, exact } = options
  const given = { ...(threads && { threads }), ...(isa && { isa }), ...(exact && { exact }) }
  const choosing = chooseKernels(options.kernels ?? 'auto', given, platform.kernels)
  const [chosen, opened] = await Promise.allSettled([choosing, open(platform, source, options, context)])
  let held = chosen.status === 'fulfilled' ? chosen.value : null
  const roomFor = async (weightBytes: number): Promise<ChosenKernels> => {
    held = await withRoom(held as ChosenKernels, { ...given, weightBytes }, platform.kernels)
    return held
  }
  try {
    // The model is the first thing a user has to get right.
    if (opened.status === 'rejected') throw opened.reason
    if (chosen.status === 'rejected') throw chosen.reason
    context.signal.throwIfAborted()
    return await assemble(platform, opened.value, roomFor, options, context)
  } catch (error) {
    held?.kernels.dispose()
    throw error
  }
}

async function open(
  platform: Platform,
  source: string,
  options: HostLoadOptions,
  context: LoadContext,
): Promise<NamedModel> {
  const { name, files } = await platform.findModel(source, options, context)
  return { name, ...(await openFiles(files)) }
}

async function assemble(
  platform: Platform,
  opened: NamedModel,
  roomFor: (weightBytes: number) => Promise<ChosenKernels>,
  options: HostLoadOptions,
  context: LoadContext,
): Promise<Parts> {
  const { report, notice, signal } = context
  // What is quickly said to be wrong comes before the weights.
  const { name, checkpoint, config } = opened
  const { cacheBytes, weights } = options
  const contextLength = contextOf(config, options)
  const tokenizer = openTokenizer(checkpoint, options.chatTemplate, options.fallbackTemplate)
  const defaults = generationDefaults(config, {
    file: generationFile(checkpoint),
    config: checkpoint.generationConfig,
    eosId: tokenizer.eosId,
    modelConfig: checkpoint.config,
  })
  if (options.draft !== undefined) refuseSource(config, 'no other model guesses ahead for it. Leave the draft out')
  if (options.lora !== undefined) refuseSource(config, 'adapters for such models are not applied here. Leave it out')
  const openedDraft = options.draft === undefined ? null : await open(platform, options.draft, options, context)
  if (openedDraft) checkDraft(openedDraft, checkpoint.name, tokenizer)
  const adapter = options.lora === undefined ? null : await adapterFor(opened, platform, options.lora)
  const survey = await surveyed(opened, options)
  const { weightBytes } = sizesOf(survey)
  await platform.checkMemory?.(weightBytes)
  const { kernels, fallbackReason } = await roomFor(weightBytes)
  const cacheType = options.cacheType ?? defaultCacheType(kernels.info, survey, options.exact ?? false)
  const budget = cacheBytes ? { maxBytes: cacheBytes } : {}
  const kept = options.keptBytes ?? cacheBytes ?? KEPT_BYTES
  const recoded = weights ? { weights } : {}
  const model = await loadModel(opened, kernels, {
    cacheType,
    cache: { ...budget, maxKeptBytes: kept },
    ...recoded,
    ...(adapter && { adapters: preparedAdapter(adapter, opened, source => kernels.prepare(source)) }),
    onProgress: (file, loaded, total) => report({ status: 'load', file, loaded, total }),
    signal,
  })
  const { vocabSize } = config
  const draft = openedDraft && (await loadDraft(openedDraft, kernels, { cacheType, cache: budget, signal, vocabSize }))
  const prediction = predicts(opened, options.mtp)
    ? new PredictionModel(
        await loadPrediction(opened, model, kernels, {
          cacheType,
          // Of one layer; as many tokens are kept as of the model's own.
          cache: { ...budget, maxKeptBytes: Math.ceil(kept / config.nLayers) },
          ...recoded,
        }),
      )
    : null
  const embedding = embeddingSettings(config, checkpoint.embedding, contextLength)
  const info = await modelInfo(opened, {
    ...{ name, model, survey, cacheType, tokenizer, defaults, embedding, contextLength, fallbackReason },
    ...{ draft: openedDraft?.name ?? null, mtp: prediction !== null, lora: options.lora ?? null },
  })
  const identity = onceOnly(() => identityOf(checkpoint, model, options, adapter))
  // Rows that have seen a source are of use to no other text.
  const store = config.source ? null : await openStore(platform, name, identity, options, notice)
  const fingerprint = onceOnly(async () => fingerprintOf(await identity(), tokenizer, defaults))
  const ends = defaults.eosTokenIds
  const masks = new EngineMasks({ platform: platform.masks, tokenizer, ends, ids: vocabSize })
  const { sessions } = platform
  const written = { config: checkpoint.config, defaults, embedding }
  return {
    info,
    model,
    kernels,
    tokenizer,
    ...written,
    draft,
    prediction,
    identity,
    fingerprint,
    store,
    sessions,
    masks,
  }
}

/** Throws OptionError. */
function contextOf({ maxPositions, trainedPositions = maxPositions }: ModelConfig, options: HostLoadOptions): number {
  const { contextLength = trainedPositions } = options
  if (contextLength <= maxPositions) return contextLength
  throw new OptionError(`contextLength is ${contextLength}; this model was made for at most ${maxPositions} tokens`)
}

async function adapterFor(opened: OpenedModel, platform: Platform, named: string): Promise<Adapter> {
  const adapter = await openAdapter(await platform.findAdapter(named), opened)
  await checkAdapter(adapter, opened)
  return adapter
}
