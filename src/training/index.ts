/** Training: `latentkit/training`. What only a run needs is read at its first call. */

import type { WorkbenchOptions } from '../attention/open.ts'
import type { Learner } from './learner.ts'
import type { TrainingEvent } from './run/events.ts'
import type { GradientOptions, Gradients } from './run/gradients.ts'
import type { TrainOptions } from './run/options.ts'
import type { RunRecord } from './run/read-runs.ts'
import type { TokenizerTraining, TrainedTokenizer } from './run/train-tokenizer.ts'
import type { TrainingText } from './training-texts.ts'

export type { OptimiserName } from './create-optimiser.ts'
export type { Learner, LearnStepOptions } from './learner.ts'
export { TrainingError } from './run/errors.ts'
export type {
  TrainingBegin,
  TrainingEvaluation,
  TrainingEvent,
  TrainingSample,
  TrainingSaved,
  TrainingStep,
  TrainingTexts,
  TrainingValidation,
} from './run/events.ts'
export type { GradientOptions, Gradients } from './run/gradients.ts'
export type { OnTheWayOptions, TrainOptions } from './run/options.ts'
export type { LoggedStep, RunRecord } from './run/read-runs.ts'
export type { TokenizerTraining, TrainedTokenizer } from './run/train-tokenizer.ts'
export type { Schedule } from './schedule.ts'
export type { TrainingText } from './training-texts.ts'

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
  options: TrainOptions,
): AsyncGenerator<TrainingEvent, void, void> {
  yield* (await import('./run/train.ts')).train(model, run, options)
}

/**
 * The mean loss of texts and its gradients with respect to every weight. `model`: a folder or a file. A text's tokens see those before them,
 * and nothing of other texts. Throws OptionError for ids that the model does not have, and what opening a model throws.
 */
export async function gradients(
  model: string,
  texts: readonly TrainingText[],
  options?: GradientOptions,
): Promise<Gradients> {
  return (await import('./run/gradients.ts')).gradients(model, texts, options)
}

/**
 * Runs as their folders tell of them: settings, losses, checkpoints, and whether they are done. `folders`: of runs, or ones that hold
 * some. Throws TrainingError where there is none.
 */
export async function readRuns(folders: readonly string[]): Promise<RunRecord[]> {
  return (await import('./run/read-runs.ts')).readRuns(folders)
}

/**
 * Learns a byte-level BPE tokenizer from files or folders of texts, as `train` reads them, and writes tokenizer.json and tokenizer_config.json
 * into a folder. The same texts give the same tokens and ids as `BpeTrainer` of Hugging Face's tokenizers. Replaces what is there. Throws
 * TrainingError for texts that cannot be read, OptionError, and ConversionError where the folder cannot be written.
 */
export async function trainTokenizer(
  texts: readonly string[],
  folder: string,
  options: TokenizerTraining,
): Promise<TrainedTokenizer> {
  return (await import('./run/train-tokenizer.ts')).trainTokenizer(texts, folder, options)
}

/**
 * A workbench of `latentkit/attention` whose layers and weights learn, for models that are written by hand; close it when it is no longer needed.
 * Throws OptionError and KernelsUnavailableError.
 */
export async function openLearner(options: WorkbenchOptions = {}): Promise<Learner> {
  return (await import('./run/open-learner.ts')).openLearner(options)
}
