/** `latentkit cache`: the blocks on disk that later runs start from. */
import type { Command } from 'commander'
import type { CachedModel } from '../../../src/tools.ts'
import { cacheFolder } from '../environment.ts'
import { EXIT, UsageError } from '../exit.ts'
import { colours } from '../output/colour.ts'
import * as format from '../output/format.ts'
import { writeJson, writeView } from '../output/stdout.ts'
import { pairs, table } from '../output/table.ts'

interface Flags {
  cacheDir?: string
  json?: boolean
  all?: boolean
}

export function addCache(program: Command): void {
  const command = program
    .command('cache')
    .summary('what is kept on disk of texts that models have read')
    .description('Shows, checks and removes the blocks that later runs start from.')
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit cache ls
  $ latentkit cache verify
  $ latentkit cache rm tales-mla-8m`,
    )
  const add = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .option('--cache-dir <folder>', 'another folder than the usual one')
      .option('--json', 'one object instead')
  add('ls', 'one line per model').action((flags: Flags) => list(flags))
  add('stats', 'the folder as a whole').action((flags: Flags) => stats(flags))
  add('verify', 'read every block and check it; exit code 1 if one is damaged').action((flags: Flags) => verify(flags))
  add('rm', 'remove what is kept of models')
    .argument('[model...]', 'names, or beginnings of fingerprints, as ls shows them')
    .option('--all', 'of all models')
    .action((models: string[], flags: Flags) => remove(models, flags))
}

async function list(flags: Flags): Promise<void> {
  const models = await found(flags)
  if (flags.json) return writeJson({ folder: folderOf(flags), models })
  if (models.length === 0) return writeView(`Nothing is kept in ${folderOf(flags)}`)
  const columns = ['fingerprint', 'model', 'blocks', 'size', 'last used'] as const
  const rows = models.map(m => [
    m.fingerprint.slice(0, 12),
    m.label,
    format.integer(m.blocks),
    format.bytes(m.bytes),
    new Date(m.usedAt).toISOString().slice(0, 16).replace('T', ' '),
  ])
  const heads = columns.map((head, i) => ({ head, align: i === 2 || i === 3 ? ('right' as const) : ('left' as const) }))
  return writeView(table(heads, rows, { style: colours(process.stdout).bold }))
}

async function stats(flags: Flags): Promise<void> {
  const models = await found(flags)
  const sum = (of: (model: CachedModel) => number) => models.reduce((n, model) => n + of(model), 0)
  const all = { folder: folderOf(flags), models: models.length, blocks: sum(m => m.blocks), bytes: sum(m => m.bytes) }
  if (flags.json) return writeJson(all)
  const lines: [string, string][] = [
    ['folder', all.folder],
    ['models', format.integer(all.models)],
    ['blocks', format.integer(all.blocks)],
    ['size', format.bytes(all.bytes)],
  ]
  return writeView(pairs(lines, name => name))
}

async function verify(flags: Flags): Promise<void> {
  const { verifyCached } = await import('../../../src/tools.ts')
  const { blocks, bytes, damaged } = await verifyCached(folderOf(flags))
  if (damaged.length > 0) process.exitCode = EXIT.failed
  if (flags.json) return writeJson({ folder: folderOf(flags), blocks, bytes, damaged })
  for (const { path, reason } of damaged) await writeView(`${path}: ${reason}`)
  return writeView(`${format.plural(blocks, 'block')}, ${format.bytes(bytes)}: ${damaged.length} damaged`)
}

async function remove(names: readonly string[], flags: Flags): Promise<void> {
  const { removeCached } = await import('../../../src/tools.ts')
  if (names.length === 0 && !flags.all) throw new UsageError('name models (see latentkit cache ls), or give --all')
  const models = await found(flags)
  const matches = (m: CachedModel, name: string) => m.label === name || m.fingerprint.startsWith(name)
  for (const name of names) {
    if (!models.some(m => matches(m, name))) throw new UsageError(`nothing is kept of ${JSON.stringify(name)}`)
  }
  const chosen = flags.all ? models : models.filter(m => names.some(name => matches(m, name)))
  const bytes = await removeCached(
    folderOf(flags),
    chosen.map(m => m.fingerprint),
  )
  if (flags.json) return writeJson({ removed: chosen, bytes })
  return writeView(`Removed ${format.bytes(bytes)} of ${format.plural(chosen.length, 'model')}`)
}

async function found(flags: Flags): Promise<readonly CachedModel[]> {
  const { cachedModels } = await import('../../../src/tools.ts')
  return cachedModels(folderOf(flags))
}

function folderOf({ cacheDir = cacheFolder() }: Flags): string {
  return cacheDir
}
