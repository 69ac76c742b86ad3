/** `latentkit list`: the models that this machine has. */
import type { Command } from 'commander'
import { modelsFolder } from '../hub.ts'
import { modelsView } from '../models/views.ts'
import { writeJson, writeView } from '../output/stdout.ts'

interface Flags {
  json?: boolean
}

export function addList(program: Command): void {
  program
    .command('list')
    .summary('models on this machine')
    .description('Lists the models that were pulled, the newest first: names, as every command takes them, and sizes.')
    .argument('[folder]', 'another folder with models in it (default: the cache of the hub)')
    .option('--json', 'one object instead')
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit list
  $ latentkit list ./models --json`,
    )
    .action(list)
}

async function list(folder: string | undefined, flags: Flags): Promise<void> {
  const { hubStore, openStore } = await import('../../../src/for-apps.ts')
  const store = folder === undefined ? await hubStore(await modelsFolder()) : await openStore(folder)
  const models = await store.list()
  if (flags.json) return writeJson({ folder: store.folder, models })
  if (models.length > 0) return writeView(modelsView(models))
  const hint = folder === undefined ? '; latentkit pull ORG/NAME brings one' : ''
  return writeView(`No model is in ${store.folder}${hint}`)
}
