/** `latentkit runs`: runs of training, listed and drawn. */
import { type Command, Option } from 'commander'
import { UsageError } from '../exit.ts'
import { integer, oneOf } from '../options/parsers.ts'
import { colours } from '../output/colour.ts'
import { note, write, writeJson, writeView } from '../output/stdout.ts'
import { writeWhole } from '../output/whole-file.ts'
import { csvOf } from '../runs/csv.ts'
import { METRICS, type MetricName, seriesOf } from '../runs/series.ts'
import { terminalChart } from '../runs/terminal-chart.ts'
import { runsView } from '../runs/views.ts'

interface Flags {
  metric: MetricName
  smooth: number
  svg?: string
  json?: boolean
  csv?: boolean
}

export function addRuns(program: Command): void {
  program
    .command('runs')
    .summary('runs of training, listed and drawn')
    .description('Lists runs of "train" with how far they came, and draws their losses over one another.')
    .argument('[folder...]', 'folders of runs, or ones that hold runs', ['.'])
    .addOption(
      new Option('--metric <name>', `what is drawn: ${Object.keys(METRICS).join(', ')}`)
        .argParser(oneOf(Object.keys(METRICS) as MetricName[]))
        .default('loss'),
    )
    .addOption(new Option('--smooth <n>', 'draw means over n steps').argParser(integer(1)).default(1))
    .addOption(new Option('--svg <file>', 'save the picture as FILE.svg'))
    .option('--json', 'runs, steps, validations and evaluations as one object')
    .option('--csv', 'a row for each step of each run')
    .addHelpText(
      'after',
      `
The losses of validation are drawn as dots beside the line of a run.

Examples:
  $ latentkit runs ./run
  $ latentkit runs ./adamw ./muon --smooth 20 --svg losses.svg
  $ latentkit runs ./experiments --metric speed
  $ latentkit runs ./run --csv > run.csv`,
    )
    .action(runs)
}

async function runs(folders: readonly string[], flags: Flags): Promise<void> {
  if (flags.json && flags.csv) throw new UsageError('--json and --csv are two forms of one answer; give one of them')
  const { readRuns } = await import('../../../src/training/index.ts')
  const found = await readRuns(folders)
  const series = seriesOf(found, flags.metric, flags.smooth)
  const { title } = METRICS[flags.metric]
  if (flags.svg !== undefined) {
    if (series.length === 0) throw new UsageError(`these runs have no ${flags.metric} yet; there is nothing to draw`)
    const { svgChart } = await import('../../../src/for-apps.ts')
    const bytes = new TextEncoder().encode(await svgChart(title, 'step', series))
    await writeWhole(flags.svg, append => append(bytes))
  }
  if (flags.json) return writeJson({ runs: found })
  if (flags.csv) return write(csvOf(found))
  const c = colours(process.stdout)
  await writeView(runsView(found, c))
  if (series.length > 0) {
    await writeView(`\n${terminalChart({ title, series, columns: process.stdout.columns || 80, colours: c })}`)
  }
  if (flags.svg !== undefined) note(`Saved the picture as ${flags.svg}`)
}
