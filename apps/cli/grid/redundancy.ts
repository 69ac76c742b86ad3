/** `latentkit grid redundancy`: what heads of keys and values have in common. */
import { type Command, Option } from 'commander'
import { CliError, UsageError } from '../exit.ts'
import { integer } from '../options/parsers.ts'
import { colours } from '../output/colour.ts'
import { writeJson, writeView } from '../output/stdout.ts'
import { table } from '../output/table.ts'
import { cellsNamed, loadGrid, namedText, ofGrid } from './program.ts'

interface Flags {
  out?: string
  model?: string
  text?: Readonly<Record<string, string>>
  threads?: number
  json?: boolean
}

/** What a layer loses, by the share of the numbers of all heads that is left. */
interface LayerLosses {
  readonly layer: number
  /** Weights are as they were before anything was learned. */
  readonly drawn: boolean
  /** Shares of the energy: cut together, and head by head. */
  readonly losses: readonly { readonly share: number; readonly together: number; readonly apart: number }[]
}

interface Options {
  readonly threads?: number
}

interface Redundancy {
  redundancyOfCell(
    folder: string,
    cell: string,
    options: Options & { readonly texts?: Readonly<Record<string, string>> },
  ): AsyncGenerator<LayerLosses, void, void>
  redundancyOfModel(path: string, file: string, options: Options): AsyncGenerator<LayerLosses, void, void>
}

export function addRedundancy(grid: Command): void {
  grid
    .command('redundancy')
    .description(
      'Cuts keys and values of all heads together to a part of their numbers, and those of each head by itself, and compares what is lost: of cells of MHA that a folder has, before and after they learned, or of a model.',
    )
    .argument('[cell...]', 'such as pairs/mha/0 or pairs/mha')
    .option('--out <folder>', 'of the cells')
    .option('--model <model>', 'a folder or a GGUF file, in place of cells')
    .addOption(
      new Option('--text <name=file>', 'a text for cells of that name; with --model the one that is read').argParser(
        namedText,
      ),
    )
    .addOption(new Option('--threads <n>', 'compute threads (default: all cores)').argParser(integer(1)))
    .option('--json', 'layers as a list')
    .action(redundancy)
}

async function redundancy(names: readonly string[], flags: Flags): Promise<void> {
  const found: (LayerLosses & { readonly of: string })[] = []
  for await (const one of measured(names, flags)) found.push(one)
  if (flags.json) return writeJson(found)
  const columns = [
    { head: '' },
    { head: 'layer', align: 'right' },
    ...(found[0]?.losses ?? []).flatMap(({ share }) => [
      { head: `${100 * share} %: together`, align: 'right' } as const,
      { head: 'apart', align: 'right' } as const,
    ]),
  ] as const
  const percent = (value: number) => (100 * value).toFixed(1)
  const rows = found.map(({ of, layer, drawn, losses }) => [
    drawn ? `${of}, drawn` : of,
    String(layer),
    ...losses.flatMap(({ together, apart }) => [percent(together), percent(apart)]),
  ])
  const note = 'Energy of keys and values that is lost, %, where so many of their numbers are left'
  await writeView(`${table(columns, rows, { style: colours(process.stdout).dim })}\n\n${note}`)
}

async function* measured(names: readonly string[], { out, model, text: texts = {}, threads }: Flags) {
  const { redundancyOfCell, redundancyOfModel } = await ofGrid<Redundancy>('redundancy')
  const options = threads === undefined ? {} : { threads }
  if (model !== undefined) {
    const [file, ...others] = Object.values(texts)
    if (file === undefined || others.length > 0 || names.length > 0)
      throw new UsageError('--model reads one text and no cells; expected --text text=FILE')
    let layers = 0
    for await (const one of redundancyOfModel(model, file, options)) {
      layers++
      yield { of: model, ...one }
    }
    if (layers === 0) throw new CliError(`${model} has no layer with keys and values of several heads (MHA or GQA)`)
    return
  }
  if (out === undefined || names.length === 0)
    throw new UsageError('expected cells and --out, the folder that has them, or --model')
  const cells = cellsNamed((await loadGrid()).cellsOf(), names)
  const other = cells.find(cell => cell.split('/')[1] !== 'mha')
  if (other !== undefined) throw new UsageError(`${other} has no keys and values for each head; expected cells of mha`)
  for (const cell of cells) {
    for await (const one of redundancyOfCell(out, cell, { ...options, texts })) yield { of: cell, ...one }
  }
}
