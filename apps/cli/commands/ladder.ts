/** `latentkit ladder`: the steps from recurrent networks to MLA, learned and compared. */
import { mkdir } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { CliError, EXIT, UsageError } from '../exit.ts'
import { watchInterrupt } from '../interrupt.ts'
import { loadLadder, type RungResult } from '../ladder/program.ts'
import { ladderView } from '../ladder/views.ts'
import { integer } from '../options/parsers.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { note, writeJson, writeView } from '../output/stdout.ts'

interface Flags {
  out: string
  steps?: number
  texts?: number
  seed: number
  threads?: number
  json?: boolean
}

export function addLadder(program: Command): void {
  program
    .command('ladder')
    .summary('how attention came to MLA, learned and compared')
    .description(
      'Learns the rungs of examples/ladder, from a recurrent network to Multi-head Latent Attention with experts, on tasks that a person can follow, and compares them: numbers learned, cache, what is right by length of the text, loss, and speed with a cache and without.',
    )
    .argument('[rung...]', 'some of them, by name (default: all)')
    .addOption(new Option('--out <folder>', 'where what is learned and the pictures go').default('ladder'))
    .addOption(new Option('--steps <n>', 'steps of each rung (default: its own)').argParser(integer(1)))
    .addOption(
      new Option('--texts <n>', 'texts of each length that are examined (default: 32 or 128)').argParser(integer(1)),
    )
    .addOption(new Option('--seed <n>', 'of weights and texts').argParser(integer(0)).default(0))
    .addOption(new Option('--threads <n>', 'compute threads (default: all cores)').argParser(integer(1)))
    .option('--json', 'results and pictures as one object')
    .addHelpText(
      'after',
      `
Rungs that the folder has already are not learned again. Ctrl-C ends it; the
same command begins the rung that was being learned again.

Examples:
  $ latentkit ladder
  $ latentkit ladder rnn additive transformer
  $ latentkit ladder gqa mla --seed 1 --out ./seed-1 --json`,
    )
    .action(ladder)
}

async function ladder(names: readonly string[], flags: Flags): Promise<void> {
  const { RUNGS, climb } = await loadLadder()
  const unknown = names.find(name => !Object.hasOwn(RUNGS, name))
  if (unknown !== undefined)
    throw new UsageError(`there is no rung ${unknown}; there are ${Object.keys(RUNGS).join(', ')}`)
  const { out, json, ...options } = flags
  await mkdir(out, { recursive: true }).catch(error => {
    throw new CliError(`${out} cannot be made: ${error.message}`)
  })
  const { signal, release } = watchInterrupt()
  const progress = new Progress()
  const results: RungResult[] = []
  const pictures: string[] = []
  for await (const event of climb(out, { ...options, ...(names.length > 0 && { rungs: names }) })) {
    if (signal.aborted) break
    if (event.type === 'step')
      progress.pieces(event.rung, event.step, event.steps, 'steps', `loss ${format.decimals(event.loss, 3)}`)
    else if (event.type === 'picture') pictures.push(event.file)
    else if (event.type === 'result') {
      progress.stop()
      note(`${event.title}: ${format.duration(1000 * event.seconds)}`)
      results.push(event)
    }
  }
  progress.stop()
  release()
  if (signal.aborted) {
    note('Interrupted; the same command begins the rung that was being learned again')
    process.exitCode = EXIT.interrupted
    return
  }
  if (json) return writeJson({ rungs: results.map(({ type, ...result }) => result), pictures })
  await writeView(ladderView(results, colours(process.stdout)))
  note(`Pictures: ${pictures.join(', ')}`)
}
