import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { folderFiles } from '../../checkpoint/find/folder.ts'
import { isWithoutWeights } from '../../checkpoint/other-folders.ts'
import { chooseKernels } from '../../engine/host/node/kernels.ts'
import { generationDefaults, generationFile } from '../../engine/load/generation-defaults.ts'
import { weightsDigest } from '../../engine/past/identity.ts'
import { OptionError } from '../../errors.ts'
import { readConfigFile, readGenerationConfig, readTokenizerFiles } from '../../model/open/open-checkpoint.ts'
import { openModel } from '../../model/open/open-model.ts'
import type { OpenedModel } from '../../model/open/opened-model.ts'
import { text } from '../../options/kinds.ts'
import { readArgument, readOptions } from '../../options/read-options.ts'
import { TokenizerError } from '../../tokenizer/errors.ts'
import { createTokenizer, type Tokenizer } from '../../tokenizer/tokenizer.ts'
import { VERSION } from '../../version.ts'
import { ChatTexts } from '../chat-texts.ts'
import { freshModel } from '../fresh.ts'
import { Trainer } from '../trainer.ts'
import { trainingNumerics } from './compute.ts'
import { TrainingError } from './errors.ts'
import type { TrainingEvent } from './events.ts'
import { checkLearned, dependsOnModel, learnOptions } from './learned.ts'
import { OnTheWay } from './on-the-way.ts'
import { type OnTheWayOptions, TRAIN_OPTIONS, type TrainOptions } from './options.ts'
import { Run } from './run.ts'
import { RunFolder } from './run-folder.ts'
import { settle } from './settings.ts'
import { RunTexts } from './texts/run-texts.ts'
import { savable } from './write-checkpoint.ts'

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
    recompute = 0,
    tokenFolder = run,
    ...all
  } = readOptions<TrainOptions>(TRAIN_OPTIONS, 'train', given)
  const { onTheWay: shown, options } = apart(all)
  readArgument(text, 'model', model)
  readArgument(text, 'run', run)
  if (!options.data || options.data.length === 0)
    throw new OptionError('data is missing; expected files or folders of texts')
  checkLearned({ ...options, ...shown })
  const { kernels } = await chooseKernels(choice, { training: true, ...(threads !== undefined && { threads }) })
  try {
    const opened = await openOrDraw(model, options.seed ?? 0, options.loraRank === undefined)
    // What saving would throw is thrown before hours of work.
    if (options.loraRank === undefined) await savable(opened)
    const tokenizer = tokenizerOf(opened)
    const ends = endsOf(opened, tokenizer)
    const folder = await RunFolder.open(run)
    const texts = new RunTexts({
      folder: tokenFolder,
      tokenizer,
      chats: new ChatTexts(tokenizer, opened.config.modelType, ends),
      pairs: options.dpo === true,
      separator: options.separator ?? '<|endoftext|>',
      identity: identityOf(opened, ends),
      signal,
    })
    let hasBegun = false
    try {
      const documents = yield* texts.read(options.data)
      const held = options.validation ? yield* texts.read(options.validation) : null
      const settings = settle(opened, kernels.info, options, documents, held)
      await folder.begin({
        version: 1,
        model: resolve(model),
        config: createHash('sha256').update(JSON.stringify(opened.checkpoint.config)).digest('hex'),
        ...(dependsOnModel(options) && { weights: await weightsDigest(opened.checkpoint.tensors) }),
        texts: documents.fingerprint,
        ...(held && { validationTexts: held.fingerprint }),
        ...settings,
        kernels: trainingNumerics(kernels.info, settings.compute),
      })
      hasBegun = true
      const computing = { compute: settings.compute, recompute }
      const trainer = await Trainer.load(opened, kernels, { ...learnOptions(settings), ...computing })
      const { decoder } = trainer
      const learning = { kernels, decoder, tokenizer, documents: held ?? documents, seed: settings.seed }
      const onTheWay = await OnTheWay.prepare(learning, shown)
      try {
        const base = { opened, source: resolve(model) }
        yield* new Run(folder, base, trainer, kernels, settings, documents, held, onTheWay).steps(signal)
      } finally {
        onTheWay.dispose()
      }
    } finally {
      // Tokens of texts that the run is not of are of no use to it.
      if (hasBegun || tokenFolder !== run) texts.close()
      else await texts.discard()
      await folder.close()
    }
  } finally {
    kernels.dispose()
  }
}

async function openOrDraw(model: string, seed: number, draws: boolean): Promise<OpenedModel> {
  const files = await folderFiles(model).catch(() => undefined)
  if (!files?.names.has('config.json') || !isWithoutWeights(files)) return openModel(model)
  if (!draws) throw new TrainingError(`${model} has no weights; an adapter needs a model that it is for`)
  const { config, file } = await readConfigFile(files)
  const generation = await readGenerationConfig(files)
  const drawn = generation.config && { generationConfig: generation.config }
  const texts = await readTokenizerFiles(files)
  return freshModel({ name: files.name, configFile: file, config, ...drawn, ...texts, warnings: [] }, seed)
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

/** What decides the ids of texts and chats beside themselves. */
function identityOf({ checkpoint, config }: OpenedModel, ends: readonly number[]): unknown {
  const { tokenizer, tokenizerConfig, chatTemplate } = checkpoint
  return [VERSION, tokenizer, tokenizerConfig, chatTemplate, config.modelType, ends]
}

/** What is shown on the way, and what decides the run. */
function apart<T extends OnTheWayOptions>(all: T) {
  const { sampleEvery, samplePrompts, sampleTokens, evaluate, evaluateEvery, evaluateLimit, ...options } = all
  const shown = { sampleEvery, samplePrompts, sampleTokens, evaluate, evaluateEvery, evaluateLimit }
  const onTheWay: OnTheWayOptions = Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined))
  return { options, onTheWay }
}
