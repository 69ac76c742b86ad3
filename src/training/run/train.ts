import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { folderFiles } from '../../checkpoint/find/folder.ts'
import { isWithoutWeights } from '../../checkpoint/other-folders.ts'
import { chooseKernels } from '../../engine/host/node/kernels.ts'
import { generationDefaults, generationFile } from '../../engine/load/generation-defaults.ts'
import { OptionError } from '../../errors.ts'
import type { Kernels } from '../../kernels/contract/kernels.ts'
import { readConfigFile, readTokenizerFiles } from '../../model/open/open-checkpoint.ts'
import { openModel } from '../../model/open/open-model.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import { text } from '../../options/kinds.ts'
import { readArgument, readOptions } from '../../options/read-options.ts'
import { TokenizerError } from '../../tokenizer/errors.ts'
import { createTokenizer, type Tokenizer } from '../../tokenizer/tokenizer.ts'
import { AdamW } from '../adamw.ts'
import { ChatTexts } from '../chat-texts.ts'
import { freshModel } from '../fresh.ts'
import { Batches, type Document, textsOf, tooLong } from '../pieces.ts'
import { rateAt, type ScheduleOptions } from '../schedule.ts'
import { Trainer, type TrainingText } from '../trainer.ts'
import { fingerprint, readDocuments } from './documents.ts'
import { TrainingError } from './errors.ts'
import { TRAIN_OPTIONS, type TrainOptions } from './options.ts'
import { type Progress, RunFolder, savable } from './run-folder.ts'

/** What `train` yields. Losses are in nats per token. */
export type TrainingEvent = TrainingBegin | TrainingStep | TrainingValidation | TrainingSaved

/** The first event. */
export interface TrainingBegin {
  /** Names the kind of event. */
  readonly type: 'begin'
  /** Numbers that are learned. */
  readonly parameters: number
  /** Steps that an earlier call has taken; 0: the run is new. */
  readonly step: number
  /** Steps of the whole run. */
  readonly steps: number
  /** Documents to learn from. */
  readonly documents: number
  /** Tokens in them that are followed by another. */
  readonly tokens: number
  /** Of the documents, chats longer than `contextLength`: they are left out. */
  readonly tooLong: number
  /** The kernel set that computes. */
  readonly kernels: string
  /** Its instruction set. */
  readonly isa: string
  /** Compute threads. */
  readonly threads: number
}

/** A step was taken. */
export interface TrainingStep {
  /** Names the kind of event. */
  readonly type: 'step'
  /** Counted from 1. */
  readonly step: number
  /** The mean over the step's targets, before its update. */
  readonly loss: number
  /** L2 norm of all gradients, before clipping. */
  readonly gradientNorm: number
  /** The learning rate. */
  readonly rate: number
  /** Passes over the texts, the current one counted. */
  readonly epoch: number
  /** Of this step. */
  readonly tokens: number
  /** That this step took. */
  readonly seconds: number
}

/** The loss of the texts that are not learned from. */
export interface TrainingValidation {
  /** Names the kind of event. */
  readonly type: 'validation'
  /** After this step. */
  readonly step: number
  /** The mean over all their targets. */
  readonly loss: number
}

/** A checkpoint was written. */
export interface TrainingSaved {
  /** Names the kind of event. */
  readonly type: 'saved'
  /** After this step. */
  readonly step: number
  /** Its path. */
  readonly folder: string
}

type Settings = Required<Omit<TrainOptions, 'validation' | 'microTokens' | 'kernels' | 'threads' | 'signal'>> &
  Pick<TrainOptions, 'validation' | 'microTokens'>

/**
 * Trains a model and keeps the run in a folder, `run`. `model`: a folder or a file of a model to go on from, or a folder with a config.json and a
 * tokenizer.json alone, whose weights are drawn. A run that is in the folder already is taken up after its last checkpoint and ends with the
 * same bits as one that was never interrupted, on the same kernels. Computes in the caller's thread, between one event and the next.
 *
 * Throws TrainingError, OptionError, and what opening a model throws.
 */
export async function* train(
  model: string,
  run: string,
  given: TrainOptions,
): AsyncGenerator<TrainingEvent, void, void> {
  const {
    kernels: choice = 'auto',
    threads,
    signal,
    ...options
  } = readOptions<TrainOptions>(TRAIN_OPTIONS, 'train', given)
  readArgument(text, 'model', model)
  readArgument(text, 'run', run)
  if (!options.data || options.data.length === 0)
    throw new OptionError('data is missing; expected files or folders of texts')
  const { kernels } = await chooseKernels(choice, { training: true, ...(threads !== undefined && { threads }) })
  try {
    const opened = await openOrDraw(model, options.seed ?? 0)
    // What saving would throw is thrown before hours of work.
    await savable(opened)
    const tokenizer = tokenizerOf(opened)
    const separator = options.separator ?? '<|endoftext|>'
    const readers = { tokenizer, chats: new ChatTexts(tokenizer, opened.config.modelType, endsOf(opened, tokenizer)) }
    const documents = await readDocuments(options.data, readers, separator)
    const held = options.validation ? await readDocuments(options.validation, readers, separator) : []
    const settings = settle(opened, options, documents, held)
    const folder = await RunFolder.open(run, {
      version: 1,
      model: resolve(model),
      config: createHash('sha256').update(JSON.stringify(opened.checkpoint.config)).digest('hex'),
      texts: fingerprint(documents),
      ...(held.length > 0 && { validationTexts: fingerprint(held) }),
      ...settings,
      kernels: kernels.info.numerics,
    })
    try {
      const trainer = await Trainer.load(opened, kernels)
      yield* new Run(folder, opened, trainer, kernels, settings, documents, held).steps(signal)
    } finally {
      await folder.close()
    }
  } finally {
    kernels.dispose()
  }
}

async function openOrDraw(model: string, seed: number): Promise<OpenedModel> {
  const files = await folderFiles(model).catch(() => undefined)
  if (!files?.names.has('config.json') || !isWithoutWeights(files)) return openModel(model)
  const { config, file } = await readConfigFile(files)
  return freshModel(
    { name: files.name, configFile: file, config, ...(await readTokenizerFiles(files)), warnings: [] },
    seed,
  )
}

function tokenizerOf({ checkpoint }: OpenedModel): Tokenizer {
  const { tokenizer, tokenizerConfig, chatTemplate, name } = checkpoint
  if (!tokenizer) throw new TokenizerError(`${name} has no tokenizer.json; training needs one`)
  return createTokenizer({ tokenizer, config: tokenizerConfig, chatTemplate, folder: `${name}/` })
}

/** Tokens that end an answer. */
function endsOf({ config, checkpoint }: OpenedModel, { eosId }: Tokenizer): readonly number[] {
  return generationDefaults(config, { config: checkpoint.generationConfig, file: generationFile(checkpoint), eosId })
    .eosTokenIds
}

/** Every setting that decides the run's numbers. */
function settle(
  { config }: OpenedModel,
  options: Omit<TrainOptions, 'kernels' | 'threads' | 'signal'>,
  documents: readonly Document[],
  held: readonly Document[],
): Settings {
  const { batchTokens = 8192, contextLength = Math.min(512, config.maxPositions) } = options
  if (contextLength > config.maxPositions) {
    throw new OptionError(
      `contextLength is ${contextLength}; this model was made for at most ${config.maxPositions} tokens`,
    )
  }
  let top = 0
  for (const { tokens } of [...documents, ...held]) top = tokens.reduce((most, id) => Math.max(most, id), top)
  if (top >= config.vocabSize) {
    throw new TrainingError(
      `The tokenizer gives token ${top}, the model has ${config.vocabSize}; they do not belong together`,
    )
  }
  const seed = options.seed ?? 0
  const batches = new Batches(documents, { contextLength, batchTokens, seed })
  const left = tooLong(documents, contextLength)
  if (batches.tokens === 0) {
    const met = left > 0 ? `No chat has at most ${contextLength} tokens` : 'No text has two tokens'
    throw new TrainingError(`${met}; there is nothing to learn`)
  }
  if (held.length > 0 && textsOf(held, contextLength).length === 0) {
    throw new TrainingError('No text of the validation has two tokens; there is nothing to measure')
  }
  const { steps = batches.perEpoch } = options
  return {
    ...{ separator: '<|endoftext|>', rate: 1e-3, schedule: 'cosine', lastRate: 0.1 },
    ...{ warmup: Math.min(100, Math.floor(steps / 20)), decay: Math.max(1, Math.round(steps / 5)) },
    ...{ weightDecay: 0.1, beta1: 0.9, beta2: 0.95, clip: 1, smoothing: 0, zLoss: 0 },
    ...{ saveEvery: 200, validateEvery: 100, keep: 2 },
    ...options,
    ...{ batchTokens, contextLength, steps, seed },
  }
}

/** One run on its way. */
class Run {
  readonly #folder: RunFolder
  readonly #opened: OpenedModel
  readonly #trainer: Trainer
  readonly #kernels: Kernels
  readonly #settings: Settings
  readonly #batches: Batches
  readonly #documents: readonly Document[]
  readonly #held: readonly Document[]
  readonly #optimiser: AdamW
  #progress: Progress = { step: 0, best: null }

  constructor(
    folder: RunFolder,
    opened: OpenedModel,
    trainer: Trainer,
    kernels: Kernels,
    settings: Settings,
    documents: readonly Document[],
    held: readonly Document[],
  ) {
    this.#folder = folder
    this.#opened = opened
    this.#trainer = trainer
    this.#kernels = kernels
    this.#settings = settings
    this.#documents = documents
    this.#held = held
    this.#batches = new Batches(documents, settings)
    this.#optimiser = new AdamW(kernels, trainer.parameters.all, settings)
  }

  async *steps(signal: AbortSignal | undefined): AsyncGenerator<TrainingEvent, void, void> {
    const { steps, saveEvery, validateEvery } = this.#settings
    await this.#goOn()
    const { name, isa, threads } = this.#kernels.info
    yield {
      type: 'begin',
      parameters: this.#trainer.parameters.count,
      step: this.#progress.step,
      steps,
      documents: this.#documents.length,
      tokens: this.#batches.tokens,
      tooLong: tooLong(this.#documents, this.#settings.contextLength),
      kernels: name,
      isa,
      threads,
    }
    for (let step = this.#progress.step + 1; step <= steps; step++) {
      signal?.throwIfAborted()
      const taken = await this.#step(step)
      await this.#folder.log(taken)
      yield { type: 'step', ...taken }
      this.#progress = { ...this.#progress, step }
      if (this.#held.length > 0 && (step % validateEvery === 0 || step === steps)) {
        const loss = await this.#validate()
        await this.#folder.log({ step, validation: loss })
        const { best } = this.#progress
        if (!best || loss < best.loss) this.#progress = { step, best: { step, loss } }
        yield { type: 'validation', step, loss }
      }
      const isBest = this.#progress.best?.step === step
      if (step % saveEvery === 0 || step === steps || isBest) yield { type: 'saved', step, folder: await this.#save() }
    }
  }

  async #step(step: number) {
    const begun = performance.now()
    const { clip, smoothing, zLoss, microTokens = Number.POSITIVE_INFINITY } = this.#settings
    const trainer = this.#trainer
    const texts = this.#batches.next()
    const mean = texts.reduce((n, { targets }) => n + targetsOf(targets), 0)
    trainer.clearGradients()
    let loss = 0
    for (const part of partsOf(texts, microTokens)) {
      loss += await trainer.gradients(part, { mean, smoothing, zLoss })
    }
    const gradientNorm = await trainer.gradientNorm()
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
      const last = (await this.#folder.checkpoints()).at(-1)
      const kept =
        last === undefined ? 'no checkpoint was made' : `${this.#folder.checkpoint(last)} is the last checkpoint`
      throw new TrainingError(
        `The loss of step ${step} is ${loss}, its gradients' norm ${gradientNorm}; take a lower rate. ${kept}`,
      )
    }
    const rate = rateAt(step, this.#settings satisfies ScheduleOptions)
    await this.#optimiser.step(rate, Math.min(1, clip / (gradientNorm + 1e-6)))
    const tokens = texts.reduce((n, text) => n + text.tokens.length, 0)
    const seconds = (performance.now() - begun) / 1000
    return { step, loss, gradientNorm, rate, epoch: this.#batches.epoch, tokens, seconds }
  }

  /** The mean loss of the validation's texts. */
  async #validate(): Promise<number> {
    const { contextLength, batchTokens, microTokens = batchTokens } = this.#settings
    let [sum, count] = [0, 0]
    for (const part of partsOf(textsOf(this.#held, contextLength), microTokens)) {
      const targets = part.reduce((n, text) => n + targetsOf(text.targets), 0)
      sum += targets * (await this.#trainer.loss(part))
      count += targets
    }
    return sum / count
  }

  async #save(): Promise<string> {
    const { keep } = this.#settings
    const state = new Map([...(await this.#trainer.parameters.numbers()), ...(await this.#optimiser.numbers())])
    const folder = await this.#folder.save(this.#progress, await this.#trainer.trained(this.#opened), state)
    await this.#folder.prune(keep, this.#progress.best?.step)
    return folder
  }

  /** Takes up the run after its last checkpoint. */
  async #goOn(): Promise<void> {
    const last = await this.#folder.last()
    if (last) {
      const { progress, state } = last
      try {
        this.#trainer.parameters.restore(state)
        this.#optimiser.restore(state, progress.step)
      } catch (error) {
        throw this.#folder.damaged(progress.step, error)
      }
      this.#progress = progress
      this.#batches.skip(progress.step)
    }
    await this.#folder.cutLog(this.#progress.step)
  }
}

/** Texts that are computed at a time: of at most so many tokens, or one. */
function partsOf(texts: readonly TrainingText[], most: number): TrainingText[][] {
  const parts: TrainingText[][] = []
  let tokens = 0
  for (const next of texts) {
    if (parts.length === 0 || tokens + next.tokens.length > most) {
      parts.push([])
      tokens = 0
    }
    parts.at(-1)?.push(next)
    tokens += next.tokens.length
  }
  return parts
}

function targetsOf(targets: ArrayLike<number>): number {
  let count = 0
  for (let i = 0; i < targets.length; i++) if ((targets[i] as number) >= 0) count++
  return count
}
