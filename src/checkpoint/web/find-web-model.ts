/** A model by its address or its name on the hub, in a browser: from what is kept here, else from the network. */
import { type OpfsFolder, withTabLock } from '../../opfs/opfs.ts'
import { HubError } from '../hub/hub-error.ts'
import { type CheckpointFiles, filesFrom } from '../source/checkpoint-files.ts'
import { mapConcurrently } from '../source/concurrency.ts'
import { memorySource } from '../source/memory-source.ts'
import { forgetFile } from './file-sink.ts'
import { hasChanged } from './has-changed.ts'
import { keptFiles, kindOf, lockOf, openModelFolder, readRecord, writeRecord } from './kept-models.ts'
import { Download, PARALLEL_TEXTS, type WebModelOptions } from './model-download.ts'
import { isOfHub, modelAt, modelOnHub, parseSource, unknownSource } from './remote-model.ts'

/** Throws HubError, OptionError, OutOfMemoryError, UnsupportedModelError, the signal's reason. */
export async function findWebModel(source: string, given: WebModelOptions): Promise<CheckpointFiles> {
  const meant = parseSource(source, given.base)
  if (meant === undefined) throw unknownSource(source)
  const isUrl = meant instanceof URL
  const options = isUrl && !isOfHub(meant, given.endpoint) ? { ...given, token: undefined } : given
  const key = isUrl ? meant.href : source
  const keeps = options.keep && !(isUrl && meant.protocol === 'blob:')
  const find = async () => {
    // Not before its turn has come: the tab before this one may remove it.
    const folder = keeps ? await folderOf(key, options) : null
    const kept = folder && (await findKept(folder, source, options, isUrl))
    if (kept) return kept
    if (options.offline) {
      throw new HubError('model_not_found', `${source} is not kept here, and the network is not to be used`)
    }
    options.report({ status: 'resolve', file: source, loaded: 0, total: 0 })
    const model = isUrl ? modelAt(meant) : await modelOnHub(meant, options.endpoint, options)
    return new Download({ source, key, model, folder, mayChange: isUrl }, options).run()
  }
  // Two tabs that load one model: one downloads, the other finds it.
  return keeps ? withTabLock(lockOf(key), options.signal, find) : find()
}

async function folderOf(key: string, { notice }: WebModelOptions): Promise<OpfsFolder | null> {
  try {
    return await openModelFolder(key)
  } catch (error) {
    notice(`the model is not kept for the next time: ${(error as Error).message}`)
    return null
  }
}

/** A complete model that is kept; null if there is none, or if the server has another one now. */
async function findKept(
  folder: OpfsFolder,
  source: string,
  options: WebModelOptions,
  mayChange: boolean,
): Promise<CheckpointFiles | null> {
  const record = await readRecord(folder)
  const files = record && (await keptFiles(folder, record))
  if (!files) return null
  if (mayChange && !options.offline) {
    const changed = await mapConcurrently(files, PARALLEL_TEXTS, ({ version }) => hasChanged(version, options))
    const gone = files.filter((_, i) => changed[i])
    if (gone.length > 0) {
      for (const { name } of gone) await forgetFile(folder, name)
      return null
    }
  }
  // The model is there, whether this can be written or not.
  await writeRecord(folder, { ...record, used: Date.now() }).catch(() => {})
  const sources = files.map(({ name, file }) => memorySource(name, file))
  return { ...filesFrom(source, sources), ...kindOf(record) }
}
