/** `latentkit pull`: downloads a model into the cache of the hub. */
import { type Command, Option } from 'commander'
import { isInterruption } from '../exit.ts'
import { hubOptions, modelsFolder } from '../hub.ts'
import { watchInterrupt } from '../interrupt.ts'
import { PullProgress } from '../models/pull-progress.ts'
import * as format from '../output/format.ts'
import { Progress } from '../output/progress.ts'
import { note, writeJson, writeView } from '../output/stdout.ts'

interface Flags {
  any?: boolean
  json?: boolean
}

export function addPull(program: Command): void {
  program
    .command('pull')
    .summary('download a model of the hub')
    .description(
      'Downloads a model into the cache of the hub, or brings it up to date. What came before is continued, and every file is checked.',
    )
    .argument('<name>', 'org/name, org/name@revision, or org/name:FILE for one of its GGUF models (Q4_K_M, a file)')
    .addOption(new Option('--any', 'also a model that latentkit does not run'))
    .option('--json', 'one object instead')
    .addHelpText(
      'after',
      `
Examples:
  $ latentkit pull deepseek-ai/DeepSeek-V2-Lite
  $ latentkit pull org/name-GGUF:Q4_K_M
  $ latentkit chat org/name-GGUF:Q4_K_M`,
    )
    .action(pull)
}

async function pull(name: string, flags: Flags): Promise<void> {
  const { pullModel, hubStore } = await import('../../../src/for-apps.ts')
  const { signal, release } = watchInterrupt()
  // To pull is to ask for the network: HF_HUB_OFFLINE and LATENTKIT_OFFLINE are for commands that may do without.
  const { hub } = await hubOptions({})
  const cacheDir = hub?.cacheDir ?? (await modelsFolder())
  const line = new Progress()
  const progress = new PullProgress(line)
  const options = { ...hub, cacheDir, signal, onProgress: progress.update, ...(flags.any && { any: true }) }
  const begun = performance.now()
  const path = await pullModel(name, options)
    .catch(error => {
      line.stop()
      if (isInterruption(error)) note('What has come is kept: the same command continues it.')
      throw error
    })
    .finally(() => line.stop())
  release()
  const model = await (await hubStore(cacheDir)).find(name)
  const facts = { name: model?.name ?? name, path, family: model?.family ?? null, format: model?.format ?? null }
  const sizes = { bytes: model?.bytes ?? 0, files: model?.files ?? 0, received: progress.received }
  const { refusal, use } = await whatItIsFor(path)
  if (flags.json) return writeJson({ ...facts, ...sizes, ms: performance.now() - begun, runs: refusal === undefined })
  const amount = `${format.bytes(sizes.bytes)} in ${format.plural(sizes.files, 'file')}, ${facts.family ?? 'family unknown'}`
  await writeView(sizes.received === 0 ? `${facts.name} is up to date: ${amount}` : `Pulled ${facts.name}: ${amount}`)
  if (refusal !== undefined) note(`latentkit does not run it: ${refusal}`)
  else await writeView(`Run it: latentkit ${use} ${facts.name}`)
}

/** The command that runs it, or why it does not run, as far as its config and headers say. */
async function whatItIsFor(path: string): Promise<{ readonly refusal?: string; readonly use?: 'chat' | 'embed' }> {
  const { inspectModel } = await import('../../../src/tools.ts')
  return inspectModel(path, { offline: true }).then(
    // An encoder has no cache, and writes no text.
    ({ cache }) => ({ use: cache.contexts.length > 0 ? 'chat' : 'embed' }),
    (error: Error) => ({ refusal: error.message }),
  )
}
