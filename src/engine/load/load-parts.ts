import type { Adapter } from '../../adapter/adapter.ts'
import { openAdapter } from '../../adapter/open-adapter.ts'
import { checkAdapter, preparedAdapter } from '../../adapter/prepared.ts'
import { stateBytes } from '../../cache/layout.ts'
import type { BlockPlace } from '../../cache/stored/block-place.ts'
import type { BlockStorage } from '../../cache/stored/stored-block.ts'
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import type { CheckpointFiles } from '../../checkpoint/source/checkpoint-files.ts'
import { type EmbeddingSettings, embeddingInfo, embeddingSettings } from '../../embedding/settings.ts'
import { CheckpointError, OptionError } from '../../errors.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { loadModel, type SurveyedWeight, surveyPredictions, surveyWeights } from '../../model/load.ts'
import { loadWarnings, tiedWarnings } from '../../model/load-warnings.ts'
import type { Model } from '../../model/model.ts'
import { type OpenedModel, openFiles } from '../../model/open/opened-model.ts'
import { draftingIndex, loadPrediction, predictionIndices } from '../../model/prediction.ts'
import { refuseSource } from '../../model/refuse-encoder.ts'
import { sentence } from '../../printable.ts'
import type { DraftModel } from '../../speculation/draft-model.ts'
import { PredictionModel } from '../../speculation/prediction.ts'
import { createTokenizer, type Tokenizer } from '../../tokenizer/tokenizer.ts'
import { VERSION } from '../../version.ts'
import type { Identity } from '../past/identity.ts'
import type { LoadContext, Platform, SealedFiles } from '../types/platform.ts'
import type { HostLoadOptions } from '../types/protocol.ts'
import type { ModelInfo } from '../types/results.ts'
import { type ChosenKernels, chooseKernels, withRoom } from './choose-kernels.ts'
import { defaultCacheType } from './default-cache-type.ts'
import { EngineMasks } from './engine-masks.ts'
import { type GenerationDefaults, generationDefaults, generationFile } from './generation-defaults.ts'
import { checkSameTokens, loadDraft, refuseStates } from './load-draft.ts'
import { findReasoningMarks } from './reasoning-marks.ts'
import { samplingDefaults } from './sampling-defaults.ts'

/** Of caches that no session holds, where no budget is given. */
const KEPT_BYTES = 2 ** 30

/** Of blocks on disk, those of all models. */
const CACHE_DIR_BYTES = 2 * 2 ** 30

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
  const { maxPositions, trainedPositions = maxPositions } = config
  const { contextLength = trainedPositions, cacheBytes, weights } = options
  if (contextLength > maxPositions) {
    throw new OptionError(`contextLength is ${contextLength}; this model was made for at most ${maxPositions} tokens`)
  }
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
  if (openedDraft) {
    refuseSource(openedDraft.config, 'it guesses ahead for no other model. Give a smaller decoder as draft')
    const { checkpoint: draft } = openedDraft
    refuseStates(draft.name, openedDraft)
    checkSameTokens(checkpoint.name, tokenizer, draft.name, openTokenizer(draft))
  }
  const adapter =
    options.lora === undefined ? null : await openAdapter(await platform.findAdapter(options.lora), opened)
  if (adapter) await checkAdapter(adapter, opened)
  const survey = await surveyed(opened, options)
  const sizes = sizesOf(survey)
  await platform.checkMemory?.(sizes.weightBytes)
  const { kernels, fallbackReason } = await roomFor(sizes.weightBytes)
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
  const tied = await tiedWarnings(opened)
  const embedding = embeddingSettings(config, checkpoint.embedding, contextLength)
  const info: ModelInfo = {
    name,
    modelType: config.modelType,
    generates: !config.encoder,
    reranks: config.encoder?.head?.scores === 1,
    embedding: embeddingInfo(embedding),
    nLayers: config.nLayers,
    hiddenSize: config.hiddenSize,
    vocabSize: config.vocabSize,
    contextLength,
    cacheType,
    cacheBytesPerToken: model.layout.bytesPerToken,
    cacheStateBytes: stateBytes(model.layout),
    source: config.source
      ? { contextLength: config.source.encoder.maxPositions, cacheBytesPerToken: model.layout.sourceBytesPerToken }
      : null,
    ...sizes,
    kernels: { name: kernels.info.name, isa: kernels.info.isa, threads: kernels.info.threads },
    fallbackReason,
    hasChatTemplate: tokenizer.hasChatTemplate,
    marksReasoning: findReasoningMarks(tokenizer) !== null,
    sampling: samplingDefaults(defaults.sampling),
    draft: openedDraft?.name ?? null,
    mtp: prediction !== null,
    lora: options.lora ?? null,
    warnings: [...checkpoint.warnings, ...defaults.warnings, ...loadWarnings(opened, survey), ...tied].map(warning =>
      sentence(warning),
    ),
  }
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

/** Takes reading, so it is done when it is asked for. */
async function identityOf(
  checkpoint: Checkpoint,
  { kernels, layout }: Model,
  { weights }: HostLoadOptions,
  adapter: Adapter | null,
) {
  const { adapterDigest, identify } = await import('../past/identity.ts')
  const { numerics } = kernels.info
  const named = weights ? `${numerics}, weights as ${weights}` : numerics
  return identify(checkpoint, named, layout, adapter && (await adapterDigest(adapter)))
}

async function fingerprintOf(identity: Identity, tokenizer: Tokenizer, defaults: GenerationDefaults): Promise<string> {
  const { textFingerprint } = await import('../past/identity.ts')
  const { warnings: _, ...rules } = defaults
  return textFingerprint(identity, { version: VERSION, template: tokenizer.chatTemplate(), defaults: rules })
}

function onceOnly<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null
  return () => (made ??= make())
}

async function openStore(
  platform: Platform,
  label: string,
  identity: Parts['identity'],
  { cacheDir, cacheDirBytes: maxBytes = CACHE_DIR_BYTES }: HostLoadOptions,
  onNotice: (text: string) => void = () => {},
): Promise<BlockStorage | null> {
  if (cacheDir === undefined) return null
  let place: BlockPlace
  try {
    place = await platform.openBlocks(cacheDir)
  } catch (error) {
    onNotice(`cache: no blocks are kept: ${(error as Error).message}`)
    return null
  }
  const { fingerprint } = await import('../past/identity.ts')
  const { BlockStore } = await import('../../cache/stored/block-store.ts')
  return new BlockStore({ place, fingerprint: await fingerprint(await identity()), label, maxBytes, onNotice })
}

/** Every tensor that is loaded, the module's that drafts among them if it is asked for. */
async function surveyed(opened: OpenedModel, { weights, mtp }: HostLoadOptions): Promise<SurveyedWeight[]> {
  const own = await surveyWeights(opened, weights)
  return predicts(opened, mtp) ? [...own, ...(await surveyPredictions(opened, [draftingIndex(opened)], weights))] : own
}

/** Whether the module of multi-token prediction is to be loaded. */
function predicts(opened: OpenedModel, mtp: HostLoadOptions['mtp'] = 'off'): boolean {
  return mtp === 'on' || (mtp === 'auto' && predictionIndices(opened).length > 0)
}

/** What a model needs of memory for its weights, by its headers. Throws what opening and loading would for a model that does not run. */
export async function weightBytes(files: CheckpointFiles, options: HostLoadOptions): Promise<number> {
  const opened = await openFiles(files)
  const { name, tokenizer } = opened.checkpoint
  if (!tokenizer) throw noTokenizer(name)
  return sizesOf(await surveyed(opened, options)).weightBytes
}

function noTokenizer(name: string): CheckpointError {
  return new CheckpointError(`${name} has no tokenizer.json; latentkit needs it to turn text into tokens`)
}

function openTokenizer(
  { name, tokenizer, tokenizerConfig, ...checkpoint }: Checkpoint,
  template?: string,
  fallback?: string,
): Tokenizer {
  if (!tokenizer) throw noTokenizer(name)
  const files = { tokenizer, config: tokenizerConfig, folder: `${name}/` }
  const made = createTokenizer({ ...files, chatTemplate: template ?? checkpoint.chatTemplate })
  if (fallback === undefined || made.chatTemplate() !== undefined) return made
  return createTokenizer({ ...files, chatTemplate: fallback })
}

/** Numbers of the model, and bytes of its weights in the types in which the kernels got them. */
function sizesOf(survey: readonly SurveyedWeight[]): Pick<ModelInfo, 'parameters' | 'weightBytes'> {
  let parameters = 0
  let weightBytes = 0
  for (const { rows, cols, bytes, scales } of survey) {
    parameters += rows * cols
    weightBytes += bytes.length + (scales?.bytes.length ?? 0)
  }
  return { parameters, weightBytes }
}
