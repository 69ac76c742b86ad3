/** `latentkit train`: a model learns from texts. */
import { type Command, Option } from 'commander'
import type { TrainingEvent, TrainOptions } from '../../../src/training/index.ts'
import { EXIT, isInterruption } from '../exit.ts'
import { watchInterrupt } from '../interrupt.ts'
import { addTrainOptions, type TrainFlags, toTrainOptions } from '../options/train.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { note, writeJson, writeView } from '../output/stdout.ts'

interface Flags extends TrainFlags {
  json?: boolean
}

export function addTrain(program: Command): void {
  const command = program
    .command('train')
    .summary('a model learns from texts')
    .description(
      'Trains a model on texts and keeps the run in a folder: a log, and checkpoints that latentkit and transformers load. Called again with the same folder, it goes on after the last checkpoint.',
    )
    .argument(
      '<model>',
      'a folder or file of a model to go on from, or a folder with a config.json and a tokenizer.json alone',
    )
    .argument('<run>', 'the folder of the run')
  addTrainOptions(command)
    .addOption(new Option('--json', 'an object for each step, validation and checkpoint, a line each'))
    .addHelpText(
      'after',
      `
Ctrl-C ends after the current step, with a checkpoint; the same command goes on
from there, and "latentkit runs" draws how the loss went. docs/training.md leads
from a text to a model that llama.cpp runs.

Examples:
  $ latentkit train ./my-config ./run --data tales.txt --steps 1000
  $ latentkit train ./my-model ./run --data ./texts --validation held-out.txt --rate 3e-4
  $ latentkit generate ./run/step-001000 "Once upon a time"`,
    )
    .action(run)
}

async function run(model: string, folder: string, flags: Flags): Promise<void> {
  const { signal, release } = watchInterrupt()
  const { train } = await import('../../../src/training/index.ts')
  const options: TrainOptions = { ...toTrainOptions(flags), signal }
  const progress = new Progress()
  const shown = new Shown(progress)
  try {
    for await (const event of train(model, folder, options)) {
      if (flags.json) await writeJson(event)
      else await shown.show(event)
    }
  } catch (error) {
    if (!signal.aborted || !isInterruption(error)) throw error
    progress.stop()
    note(`Interrupted; the same command goes on after the last checkpoint in ${folder}`)
    process.exitCode = EXIT.interrupted
  } finally {
    progress.stop()
  }
  release()
}

/** Every so many steps a line stays. */
const LINES = 20

function inMb(bytes: number): number {
  return Math.ceil(bytes / 1e6)
}

/** A run as people see it: a line for what it is, a progress line, and a line that stays now and then. */
class Shown {
  readonly #progress: Progress
  #steps = 0

  constructor(progress: Progress) {
    this.#progress = progress
  }

  async show(event: TrainingEvent): Promise<void> {
    const c = colours(process.stdout)
    switch (event.type) {
      case 'texts':
        this.#progress.pieces('Tokenising', inMb(event.bytes), inMb(event.total), 'MB', 'kept for later runs')
        return
      case 'begin': {
        this.#progress.stop()
        const { parameters, documents, tokens, tooLong, kernels, isa, threads, compute, step, steps, peak } = event
        this.#steps = steps
        const texts = `${format.plural(documents, 'document')}, ${format.integer(tokens)} tokens`
        const machine = `${kernels} ${isa}, ${format.plural(threads, 'thread')}`
        const reached = peak === null ? '' : `, ${format.integer(peak / 1e9)} GFLOP/s in products of ${compute}`
        note(`${format.integer(parameters)} parameters, ${texts}; ${machine}${reached}`)
        if (tooLong > 0) note(`${format.plural(tooLong, 'chat')} longer than the context left out (--context)`)
        if (step > 0) note(`Going on after step ${step} of ${steps}`)
        return
      }
      case 'step': {
        const { step, loss, gradientNorm, rate, tokens, seconds, share } = event
        const speed = `${format.rate(tokens / seconds)}${share === null ? '' : `, ${format.percent(share)} of peak`}`
        const detail = `loss ${format.decimals(loss, 4)}  ${speed}`
        this.#progress.pieces('Training', step, this.#steps, 'steps', detail)
        if (step % Math.ceil(this.#steps / LINES) !== 0 && step !== this.#steps) return
        const numbers = `gradients ${format.decimals(gradientNorm, 2)}  rate ${rate.toPrecision(3)}  ${speed}`
        return this.#keep(`step ${step}  loss ${c.bold(format.decimals(loss, 4))}  ${c.dim(numbers)}`)
      }
      case 'validation':
        return this.#keep(`step ${event.step}  validation ${c.bold(format.decimals(event.loss, 4))}`)
      case 'evaluation': {
        const { step, hellaswag, error, questions } = event
        const score = `${c.bold(format.percent(hellaswag))} ± ${format.percent(error)}`
        return this.#keep(`step ${step}  hellaswag ${score} of ${format.plural(questions, 'question')}`)
      }
      case 'sample':
        return this.#keep(`step ${event.step}  ${c.dim(event.prompt)}${event.text.replace(/\s+/g, ' ')}`)
      case 'saved':
        return this.#keep(c.dim(`step ${event.step}  saved as ${event.folder}`))
    }
  }

  async #keep(line: string): Promise<void> {
    this.#progress.stop()
    await writeView(line)
  }
}
