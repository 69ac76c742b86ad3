/** `latentkit grid`: kinds of attention that learn the same, compared over seeds; how fast they write; what their heads have in common. */
import { mkdir } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { CliError, EXIT, UsageError } from '../exit.ts'
import { type CellResult, cellsNamed, type Grid, type GridOptions, loadGrid, namedText } from '../grid/program.ts'
import { addRedundancy } from '../grid/redundancy.ts'
import { addSpeed } from '../grid/speed.ts'
import { gridView } from '../grid/views.ts'
import { watchInterrupt } from '../interrupt.ts'
import { integer } from '../options/parsers.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { note, writeJson, writeView } from '../output/stdout.ts'
import { writeWhole } from '../output/whole-file.ts'

interface Flags {
  out?: string
  text?: Readonly<Record<string, string>>
  steps?: number
  threads?: number
  svg?: string
  json?: boolean
}

export function addGrid(program: Command): void {
  const grid = program
    .command('grid')
    .summary('kinds of attention, learned and compared over seeds')
    .description('Compares kinds of attention that learn the same texts with as many numbers.')
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit grid capacity
  $ latentkit grid capacity --out ./grid records pairs`,
    )
  grid
    .command('capacity')
    .description(
      'Prints the table of the runs that come with the package: MHA, GQA, MQA, MQA with a wide head, and MLA of two sizes, by task, over three seeds. With --out it learns cells, those of heads of MHA pooled into GQA and MQA too, or takes what the folder has.',
    )
    .argument('[cell...]', 'some of them, such as pairs, pairs/mla-64 or pairs/mla-64/0 (default: all)')
    .option('--out <folder>', 'learn: cells that the folder has are not learned again')
    .addOption(
      new Option(
        '--text <name=file>',
        'a text for tasks of that name, given again for others; or a folder of NAME.txt',
      ).argParser(namedText),
    )
    .addOption(new Option('--steps <n>', "steps of each cell (default: the tasks' own)").argParser(integer(1)))
    .addOption(new Option('--threads <n>', 'compute threads (default: all cores)').argParser(integer(1)))
    .addOption(new Option('--svg <file>', 'save the picture as FILE.svg'))
    .option('--json', 'rows and runs as one object')
    .addHelpText(
      'after',
      `
A cell that is learned from nothing has the bits of the one that comes with
the package, on the same kernels and the same text. Ctrl-C ends it; the same
command goes on with the cell that was being learned.

Examples:
  $ latentkit grid capacity --svg capacity.svg
  $ latentkit grid capacity pairs/mla-64/0 --out ./again
  $ latentkit grid capacity tales --out ./grid --text tales=tales.txt
  $ latentkit grid capacity tales stories wikitext --out ./grid --text ./texts`,
    )
    .action(capacity)
  addSpeed(grid)
  addRedundancy(grid)
}

async function capacity(names: readonly string[], flags: Flags): Promise<void> {
  const grid = await loadGrid()
  const { out, text: texts, steps, threads, svg, json } = flags
  if (out === undefined && (steps ?? threads ?? texts) !== undefined)
    throw new UsageError('--steps, --threads and --text are for learning; expected --out, where it goes')
  const cells = cellsNamed(grid.cellsOf(), names)
  const kept = await grid.keptRuns()
  const options = { cells, ...(texts && { texts }), ...(steps && { steps }), ...(threads && { threads }) }
  const results =
    out === undefined ? kept.filter(({ cell }) => cells.includes(cell)) : await learned(grid, kept, out, options)
  if (results === null) return
  if (results.length === 0) throw new CliError('none of these cells comes with the package; learn them with --out')
  const { DESIGN } = grid
  const rows = grid.summary(DESIGN, results)
  if (svg !== undefined) {
    const bytes = new TextEncoder().encode(grid.picture(rows, DESIGN.against))
    await writeWhole(svg, append => append(bytes))
  }
  if (json) return writeJson({ rows, runs: results.map(({ type, ...run }) => run) })
  await writeView(gridView(rows, DESIGN, colours(process.stdout)))
}

/** Null: interrupted. */
async function learned(
  grid: Grid,
  kept: readonly CellResult[],
  folder: string,
  options: GridOptions,
): Promise<CellResult[] | null> {
  await mkdir(folder, { recursive: true }).catch(error => {
    throw new CliError(`${folder} cannot be made: ${error.message}`)
  })
  const { signal, release } = watchInterrupt()
  const progress = new Progress()
  const results: CellResult[] = []
  for await (const event of grid.runCells(folder, options)) {
    if (signal.aborted) break
    if (event.type === 'step')
      progress.pieces(event.cell, event.step, event.steps, 'steps', `loss ${format.decimals(event.loss, 3)}`)
    if (event.type !== 'result') continue
    progress.stop()
    results.push(event)
    const own = kept.find(({ cell }) => cell === event.cell)
    const same = sameBits(event, own)
    note(`${event.cell}: loss ${event.loss.toFixed(3)}, ${format.duration(1000 * event.seconds)}${same}`)
  }
  progress.stop()
  release()
  if (!signal.aborted) return results
  note('Interrupted; the same command goes on with the cell that was being learned')
  process.exitCode = EXIT.interrupted
  return null
}

/** Beside the run that comes with the package, if it was learned as this one was. */
function sameBits({ digest, settings, text }: CellResult, kept: CellResult | undefined): string {
  if (!kept || kept.text !== text || JSON.stringify(kept.settings) !== JSON.stringify(settings)) return ''
  return kept.digest === digest
    ? '; the bits of the run that is kept'
    : `; other bits than the run that is kept, of ${kept.kernels}`
}
