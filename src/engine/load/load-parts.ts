import { homedir } from 'node:os'
import { basename, resolve } from 'node:path'
import type { BlockStore } from '../../cache/disk/block-store.ts'
import type { Checkpoint } from '../../checkpoint/checkpoint.ts'
import { findLocal } from '../../checkpoint/find/local-model.ts'
import { CheckpointError, OptionError } from '../../errors.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { loadModel, type SurveyedWeight, surveyWeights } from '../../model/load.ts'
import { loadWarnings, tiedWarnings } from '../../model/load-warnings.ts'
import type { Model } from '../../model/model.ts'
import { type OpenedModel, openModel } from '../../model/open/open-model.ts'
import { sentence } from '../../printable.ts'
import type { DraftModel } from '../../speculation/draft-model.ts'
import { createTokenizer, type Tokenizer } from '../../tokenizer/tokenizer.ts'
import type { Identity } from '../past/identity.ts'
import type { ProgressEvent } from '../types/options.ts'
import type { HostLoadOptions } from '../types/protocol.ts'
import type { ModelInfo } from '../types/results.ts'
import { type ChosenKernels, chooseKernels } from './choose-kernels.ts'
import { defaultCacheType } from './default-cache-type.ts'
import { type GenerationDefaults, generationDefaults, generationFile } from './generation-defaults.ts'
import { checkSameTokens, loadDraft } from './load-draft.ts'
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
  /** Whose rows its rows are. */
  readonly identity: () => Promise<Identity>
  /** Guesses ahead for the model; null without one. */
  readonly draft: DraftModel | null
  /** Where blocks are kept on disk; null where they are not. */
  readonly store: BlockStore | null
}

export interface LoadContext {
  report(event: ProgressEvent): void
  /** Hears of what went wrong and does no harm. */
  notice?(text: string): void
  readonly signal: AbortSignal
}

/** Finds, opens and loads a model. What was made is given back when a part of it fails. */
export async function loadParts(source: string, options: HostLoadOptions, context: LoadContext): Promise<Parts> {
  const { threads, isa, exact } = options
  const choosing = chooseKernels(options.kernels ?? 'auto', {
    ...(threads && { threads }),
    ...(isa && { isa }),
    ...(exact && { exact }),
  })
  const opening = findModel(source, options, context).then(path => openModel(path))
  const [chosen, opened] = await Promise.allSettled([choosing, opening])
  try {
    // The model is the first thing a user has to get right.
    if (opened.status === 'rejected') throw opened.reason
    if (chosen.status === 'rejected') throw chosen.reason
    context.signal.throwIfAborted()
    return await assemble(source, opened.value, chosen.value, options, context)
  } catch (error) {
    if (chosen.status === 'fulfilled') chosen.value.kernels.dispose()
    throw error
  }
}

async function assemble(
  source: string,
  opened: OpenedModel,
  { kernels, fallbackReason }: ChosenKernels,
  options: HostLoadOptions,
  context: LoadContext,
): Promise<Parts> {
  const { report, notice, signal } = context
  // What is quickly said to be wrong comes before the weights.
  const { checkpoint, config } = opened
  const { maxPositions } = config
  const { contextLength = maxPositions, cacheBytes, weights } = options
  if (contextLength > maxPositions) {
    throw new OptionError(`contextLength is ${contextLength}; this model was made for at most ${maxPositions} tokens`)
  }
  const tokenizer = openTokenizer(checkpoint, options.chatTemplate)
  const defaults = generationDefaults(config, {
    file: generationFile(checkpoint),
    config: checkpoint.generationConfig,
    eosId: tokenizer.eosId,
  })
  const openedDraft =
    options.draft === undefined ? null : await openModel(await findModel(options.draft, options, context))
  if (openedDraft) {
    const { checkpoint: draft } = openedDraft
    checkSameTokens(checkpoint.name, tokenizer, draft.name, openTokenizer(draft))
  }
  const survey = await surveyWeights(opened, weights)
  const cacheType = options.cacheType ?? defaultCacheType(kernels.info, survey, options.exact ?? false)
  const budget = cacheBytes ? { maxBytes: cacheBytes } : {}
  const model = await loadModel(opened, kernels, {
    cacheType,
    cache: { ...budget, maxKeptBytes: options.keptBytes ?? cacheBytes ?? KEPT_BYTES },
    ...(weights && { weights }),
    onProgress: (file, loaded, total) => report({ status: 'load', file, loaded, total }),
    signal,
  })
  const { vocabSize } = config
  const draft = openedDraft && (await loadDraft(openedDraft, kernels, { cacheType, cache: budget, signal, vocabSize }))
  const tied = await tiedWarnings(opened)
  const info: ModelInfo = {
    name: nameOf(checkpoint, source),
    modelType: config.modelType,
    nLayers: config.nLayers,
    hiddenSize: config.hiddenSize,
    vocabSize: config.vocabSize,
    contextLength,
    cacheType,
    cacheBytesPerToken: model.layout.bytesPerToken,
    ...sizesOf(survey),
    kernels: { name: kernels.info.name, isa: kernels.info.isa, threads: kernels.info.threads },
    fallbackReason,
    hasChatTemplate: tokenizer.hasChatTemplate,
    sampling: samplingDefaults(defaults.sampling),
    draft: openedDraft && nameOf(openedDraft.checkpoint, options.draft as string),
    warnings: [...checkpoint.warnings, ...defaults.warnings, ...loadWarnings(opened, survey), ...tied].map(warning =>
      sentence(warning),
    ),
  }
  const identity = onceOnly(() => identityOf(checkpoint, model, options))
  const store = await openStore(info, identity, options, notice)
  return { info, model, kernels, tokenizer, defaults, draft, identity, store }
}

/** Takes reading, so it is done when it is asked for. */
async function identityOf(checkpoint: Checkpoint, { kernels, layout }: Model, { weights }: HostLoadOptions) {
  const { identify } = await import('../past/identity.ts')
  const { numerics } = kernels.info
  return identify(checkpoint, weights ? `${numerics}, weights as ${weights}` : numerics, layout)
}

function onceOnly<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null
  return () => (made ??= make())
}

/** A folder by its last part, a model of the hub as it was asked for. */
function nameOf(checkpoint: Checkpoint, source: string): string {
  return checkpoint.name === source ? basename(resolve(source)) : source
}

/** Brings in the disk only where it is wanted. */
async function openStore(
  { name }: ModelInfo,
  identity: Parts['identity'],
  { cacheDir, cacheDirBytes = CACHE_DIR_BYTES }: HostLoadOptions,
  onNotice: (text: string) => void = () => {},
): Promise<BlockStore | null> {
  if (cacheDir === undefined) return null
  const { fingerprint } = await import('../past/identity.ts')
  const { BlockStore } = await import('../../cache/disk/block-store.ts')
  const print = fingerprint(await identity())
  return new BlockStore({ folder: cacheDir, fingerprint: print, label: name, maxBytes: cacheDirBytes, onNotice })
}

/** Only a name that is no path brings in what talks to the hub. */
async function findModel(source: string, options: HostLoadOptions, { report, signal }: LoadContext): Promise<string> {
  const local = await findLocal(source)
  if (local !== undefined) return local
  const { resolveModel } = await import('../../checkpoint/find/resolve-model.ts')
  const { hubSettings } = await import('../../checkpoint/hub/options.ts')
  return resolveModel(source, {
    ...hubSettings({}, homedir()),
    ...options.hub,
    ...(options.offline !== undefined && { offline: options.offline }),
    signal,
    onProgress: report,
  })
}

function openTokenizer({ name, tokenizer, tokenizerConfig, ...checkpoint }: Checkpoint, template?: string): Tokenizer {
  const chatTemplate = template ?? checkpoint.chatTemplate
  if (!tokenizer) {
    throw new CheckpointError(`${name} has no tokenizer.json; latentkit needs it to turn text into tokens`)
  }
  return createTokenizer({
    tokenizer,
    config: tokenizerConfig,
    chatTemplate,
    folder: `${name}/`,
  })
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
