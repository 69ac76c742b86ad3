/** `latentkit perplexity`: how well a model predicts a text, and how far it is from another. */
import { type Command, Option } from 'commander'
import type { PerplexityOptions, PerplexityReport } from '../../../src/tools.ts'
import { withEnvironment } from '../environment.ts'
import { CliError, EXIT, UsageError } from '../exit.ts'
import { hubOptions } from '../hub.ts'
import { watchInterrupt } from '../interrupt.ts'
import { modelArgument } from '../model-argument.ts'
import { addModelOptions, type LoadFlags, toLoadOptions } from '../options/load.ts'
import { integer, tokens } from '../options/parsers.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { remarks } from '../output/stats.ts'
import { note, write, writeJson, writeView } from '../output/stdout.ts'
import { reportView, WINDOW_HEADS, windowRow } from '../perplexity/views.ts'
import { readBytes } from '../stdin.ts'
import { readTextFile } from '../text-input.ts'

interface Flags extends LoadFlags {
  window?: number
  stride?: number
  windows?: number
  reference?: string
  against?: string
  saveReference?: string
  json?: boolean
  csv?: boolean
}

export function addPerplexity(program: Command): void {
  const command = program
    .command('perplexity')
    .summary('how well a model predicts a text')
    .description(
      'Measures the perplexity of a text, and how far the model is from another one or from itself in other settings: KL divergence and how often both find the same token likeliest.',
    )
    .argument('<model>', 'a folder, a GGUF file, or org/name on the hub')
    .argument('<file>', 'a text in UTF-8; - reads standard input')
    .addOption(new Option('--window <n>', 'tokens of a window (default: 512)').argParser(tokens))
    .addOption(
      new Option(
        '--stride <n>',
        'windows overlap: one every n tokens, of which the last n count, or all but the first (default: side by side, the second half counts)',
      ).argParser(tokens),
    )
    .addOption(new Option('--windows <n>', 'only the first n windows (default: all)').argParser(integer(1)))
    .addOption(new Option('--against <model>', 'compare with this model as it is stored, computed exactly'))
    .addOption(new Option('--save-reference <file>', 'keep the distributions in FILE.safetensors, to compare with'))
    .addOption(new Option('--reference <file>', 'compare with what --save-reference kept'))
    .option('--json', 'everything as one object')
    .option('--csv', 'a row for each window, as soon as it is done')
  addModelOptions(command)
    .addHelpText(
      'after',
      `
The method is that of llama.cpp's tool of this name: the text is cut into tokens
as a whole and into windows, each window is run alone, and the tokens of its
second half count. Ctrl-C ends with the result of the windows done. Quantised
weights are computed with 8-bit activations, as they are by default everywhere;
--exact measures the weights alone. docs/quality.md says more.

Examples:
  $ latentkit perplexity ./model.gguf wiki.test.raw --windows 20
  $ latentkit perplexity ./my-model book.txt --weights q4_k --against ./my-model
  $ latentkit perplexity ./my-model book.txt --exact --save-reference exact.safetensors
  $ latentkit perplexity ./my-model book.txt --reference exact.safetensors
  $ latentkit perplexity ./my-model book.txt --csv > windows.csv`,
    )
    .action(perplexity)
}

export async function perplexity(model: string, file: string, flags: Flags): Promise<void> {
  if (flags.json && flags.csv) throw new UsageError('--json and --csv are two forms of one answer; give one of them')
  const { signal, release } = watchInterrupt()
  const source = modelArgument(model).source
  const text = await readText(file)
  const { measurePerplexity } = await import('../../../src/tools.ts')
  const progress = new Progress()
  const options: PerplexityOptions = {
    ...toLoadOptions(withEnvironment(flags)),
    ...(await hubOptions(flags)),
    ...(flags.window !== undefined && { window: flags.window }),
    ...(flags.stride !== undefined && { stride: flags.stride }),
    ...(flags.windows !== undefined && { windows: flags.windows }),
    ...(flags.reference !== undefined && { reference: flags.reference }),
    ...(flags.against !== undefined && { against: modelArgument(flags.against).source }),
    ...(flags.saveReference !== undefined && { saveReference: flags.saveReference }),
    onProgress: progress.update,
    onWindow: at => {
      const { done, windows, perplexity } = at
      if (flags.csv) void write(`${done === 1 ? `${WINDOW_HEADS}\n` : ''}${windowRow(at)}\n`)
      progress.pieces('Measuring', done, windows, 'windows', `perplexity ${format.decimals(perplexity, 4)}`)
    },
    partial: true,
    signal,
  }
  const report: PerplexityReport = await measurePerplexity(source, text, options).finally(() => progress.stop())
  release()
  for (const remark of remarks(report.model)) note(remark)
  if (report.interrupted) {
    process.exitCode = EXIT.interrupted
    const { windows, wantedWindows } = report.text
    const kept =
      flags.saveReference === undefined ? '' : `; ${flags.saveReference} is not written, it needs all of them`
    note(`interrupted after ${windows} of ${format.plural(wantedWindows, 'window')}${kept}`)
  }
  if (flags.csv) return
  if (flags.json) return writeJson(report)
  await writeView(reportView(report, colours(process.stdout)))
}

/** The bytes as they are: line ends and a byte-order mark are part of the text. */
export async function readText(file: string): Promise<string> {
  const bytes = file === '-' ? await readBytes() : await readTextFile(file)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new CliError(`${file === '-' ? 'standard input' : file} is no UTF-8 text`)
  }
}
