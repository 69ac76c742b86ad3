/** `latentkit evaluate`: tasks with a score. */
import { type Command, Option } from 'commander'
import type { Estimate, HellaswagOptions, HellaswagReport } from '../../../src/tools.ts'
import { withEnvironment } from '../environment.ts'
import { EXIT, UsageError } from '../exit.ts'
import { hubOptions } from '../hub.ts'
import { watchInterrupt } from '../interrupt.ts'
import { modelArgument } from '../model-argument.ts'
import { addModelOptions, type LoadFlags, toLoadOptions } from '../options/load.ts'
import { integer } from '../options/parsers.ts'
import { type Colours, colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { remarks } from '../output/stats.ts'
import { note, writeJson, writeView } from '../output/stdout.ts'
import { pairs } from '../output/table.ts'
import { perplexity, readText } from './perplexity.ts'

interface Flags extends LoadFlags {
  limit?: number
  json?: boolean
}

const TASKS: Readonly<Record<string, (model: string, file: string, flags: Flags) => Promise<void>>> = {
  hellaswag,
  perplexity: (model, file, { limit, ...flags }) =>
    perplexity(model, file, { ...flags, ...(limit !== undefined && { windows: limit }) }),
}

export function addEvaluate(program: Command): void {
  const command = program
    .command('evaluate')
    .summary('how good a model is at a task')
    .description('Measures a model on a task: the right one of four endings (HellaSwag), or the perplexity of a text.')
    .argument('<model>', 'a folder, a GGUF file, or org/name on the hub')
    .argument('<task>', Object.keys(TASKS).join(' or '))
    .argument('<file>', "the task's data: questions as JSON lines, or a text; - reads standard input")
    .addOption(
      new Option('--limit <n>', 'only the first n questions, or windows of a text (default: all)').argParser(
        integer(1),
      ),
    )
    .option('--json', 'everything as one object')
  addModelOptions(command)
    .addHelpText(
      'after',
      `
Questions are those of HellaSwag's hellaswag_val.jsonl. Scores are those of
lm-evaluation-harness: "acc_norm" divides an ending's log-probability by its
length. Ctrl-C ends with the scores so far. "latentkit perplexity" has more
options for texts.

Examples:
  $ latentkit evaluate ./my-model hellaswag hellaswag_val.jsonl --limit 1000
  $ latentkit evaluate ./my-model perplexity wiki.test.raw --json`,
    )
    .action((model: string, task: string, file: string, flags: Flags) => {
      const run = Object.hasOwn(TASKS, task) ? TASKS[task] : undefined
      if (!run) throw new UsageError(`there is no task "${task}"; expected ${Object.keys(TASKS).join(' or ')}`)
      return run(model, file, flags)
    })
}

async function hellaswag(model: string, file: string, flags: Flags): Promise<void> {
  const { signal, release } = watchInterrupt()
  const source = modelArgument(model).source
  const text = await readText(file)
  const { measureHellaswag } = await import('../../../src/tools.ts')
  const progress = new Progress()
  const options: HellaswagOptions = {
    ...toLoadOptions(withEnvironment(flags)),
    ...(await hubOptions(flags)),
    ...(flags.limit !== undefined && { limit: flags.limit }),
    onProgress: progress.update,
    onAnswers: ({ done, questions, normalised }) =>
      progress.pieces('Answering', done, questions, 'questions', `acc_norm ${format.percent(normalised)}`),
    partial: true,
    signal,
  }
  const report = await measureHellaswag(source, text, options).finally(() => progress.stop())
  release()
  for (const remark of remarks(report.model)) note(remark)
  if (report.interrupted) {
    process.exitCode = EXIT.interrupted
    note(`interrupted after ${format.plural(report.questions, 'question')}`)
  }
  if (flags.json) return writeJson(report)
  await writeView(view(report, colours(process.stdout)))
}

function view({ model, questions, accuracy, normalised, seconds }: HellaswagReport, c: Colours): string {
  const { name, isa, threads } = model.kernels
  const title = `${c.bold(model.name)}  ${c.dim(`hellaswag · ${name} ${isa}, ${format.plural(threads, 'thread')}`)}`
  const share = ({ mean, error }: Estimate) => `${format.percent(mean)} ± ${format.percent(error)}`
  const rows = [
    ['acc_norm', share(normalised)],
    ['acc', share(accuracy)],
    ['questions', `${format.integer(questions)} in ${format.duration(1000 * seconds)}`],
  ] as const
  return `${title}\n${pairs(rows, c.dim)}`
}
