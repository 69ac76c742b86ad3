/** `latentkit grid speed`: how fast each kind of attention writes behind a long text. */
import { type Command, Option } from 'commander'
import { integer } from '../options/parsers.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { writeJson, writeView } from '../output/stdout.ts'
import { table } from '../output/table.ts'
import { type Interval, ofGrid, plus } from './program.ts'

interface Flags {
  threads?: number
  json?: boolean
}

/** Of one kind of attention, in one round. */
interface SpeedRun {
  readonly attention: string
  readonly bytesPerToken: number
  /** Tokens. */
  readonly perSecond: number
  /** Seconds of all processors, for a token. */
  readonly processor: number
}

interface SpeedRow {
  readonly attention: string
  readonly bytesPerToken: number
  readonly rounds: number
  readonly perSecond: Interval
  /** As a multiple of that of the kind that others are compared with. */
  readonly processor: Interval
}

interface Speed {
  speeds(options: { readonly threads?: number }): AsyncGenerator<SpeedRun, void, void>
  speedRows(runs: readonly SpeedRun[]): SpeedRow[]
}

export function addSpeed(grid: Command): void {
  grid
    .command('speed')
    .description(
      'Measures how fast each kind of attention writes behind 2,048 tokens: models of the same sizes, four times as wide, with drawn weights. They take turns; processor time is compared with that of MHA in the same round.',
    )
    .addOption(new Option('--threads <n>', 'compute threads (default: all cores)').argParser(integer(1)))
    .option('--json', 'rows and runs as one object')
    .action(speed)
}

const COLUMNS = [
  { head: 'attention' },
  { head: 'cache B/token', align: 'right' },
  { head: 'tokens/s', align: 'right' },
  { head: 'processor time', align: 'right' },
] as const

async function speed({ threads, json }: Flags): Promise<void> {
  const { speeds, speedRows } = await ofGrid<Speed>('speed')
  const runs: SpeedRun[] = []
  for await (const run of speeds({ ...(threads && { threads }) })) runs.push(run)
  const rows = speedRows(runs)
  if (json) return writeJson({ rows, runs })
  const cells = rows.map(({ attention, bytesPerToken, perSecond, processor }) => [
    attention,
    format.integer(bytesPerToken),
    plus(perSecond, 1, 0),
    plus(processor, 1, 2),
  ])
  await writeView(table(COLUMNS, cells, { style: colours(process.stdout).dim }))
}
