/** `latentkit rm`: removes pulled models, after a question. */
import type { Command } from 'commander'
import { type ModelStore, nearest, parseModelName, type StoredModel } from '../../../src/for-apps.ts'
import { UsageError } from '../exit.ts'
import { modelsFolder } from '../hub.ts'
import { confirm } from '../models/confirm.ts'
import { amount } from '../models/views.ts'
import * as format from '../output/format.ts'
import { writeJson, writeView } from '../output/stdout.ts'

interface Flags {
  yes?: boolean
  json?: boolean
}

export function addRm(program: Command): void {
  program
    .command('rm')
    .summary('remove models that were pulled')
    .description('Removes models from the cache of the hub, which other programs share. Asks before it does.')
    .argument('<name...>', 'names, as list shows them; org/name: all that is here of it')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'one object instead')
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit rm org/name-GGUF:Q4_K_M
  $ latentkit rm org/name --yes`,
    )
    .action(remove)
}

async function remove(names: readonly string[], flags: Flags): Promise<void> {
  const { hubStore } = await import('../../../src/for-apps.ts')
  const store = await hubStore(await modelsFolder())
  const all = await store.list()
  const chosen = new Map<string, StoredModel>()
  for (const name of names) for (const model of await named(store, all, name)) chosen.set(model.path, model)
  const models = [...chosen.values()]
  const shown = models.map(model => model.name).join(', ')
  if (!flags.yes && !(await confirm(`Remove ${shown} (${amount(models)})?`))) return writeView('Nothing was removed')
  let bytes = 0
  for (const model of models) bytes += await store.remove(model)
  if (flags.json) return writeJson({ removed: models, bytes })
  return writeView(`Removed ${shown}: ${format.bytes(bytes)} are free again`)
}

/** The models that a name means. Throws UsageError for a name that is not here. */
async function named(store: ModelStore, all: readonly StoredModel[], name: string): Promise<readonly StoredModel[]> {
  const wanted = parseModelName(name)
  const isRepo = wanted !== undefined && wanted.file === undefined && !name.includes('@')
  const here = all.filter(model => (isRepo ? parseModelName(model.name)?.id === wanted.id : model.name === name))
  if (here.length > 0) return here
  const found = await store.find(name)
  if (found !== undefined) return [found]
  const near = nearest(
    name,
    all.map(model => model.name),
  )
  const hint = near === undefined ? 'see latentkit list' : `did you mean ${near}?`
  throw new UsageError(`there is no model ${JSON.stringify(name)} in ${store.folder}; ${hint}`)
}
