import { stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CheckpointError } from '../../errors.ts'
import { type JsonObject, readJson } from '../json-file.ts'
import { openFile } from '../source/file-source.ts'

const MAX_MANIFEST = 1 << 20
const MODEL_LAYER = 'application/vnd.ollama.image.model'

/**
 * The GGUF file that an Ollama manifest (`models/manifests/HOST/NAMESPACE/NAME/TAG`) refers to: a blob named by its
 * checksum. Undefined for other JSON. Throws CheckpointError if the blob does not exist.
 */
export async function ollamaModel(manifest: string): Promise<string | undefined> {
  const { layers } = await readJson(await openFile(manifest), MAX_MANIFEST)
  if (!Array.isArray(layers)) return undefined
  const layer = layers.find((l: JsonObject | null) => l?.mediaType === MODEL_LAYER) as JsonObject | undefined
  const digest = layer?.digest
  if (typeof digest !== 'string' || !/^sha256[:-][0-9a-f]{64}$/.test(digest)) return undefined
  const blob = join(blobsFor(manifest), digest.replace(':', '-'))
  if (await stat(blob).catch(() => undefined)) return blob
  throw new CheckpointError(`${manifest} names the model ${blob}, which is not there; pull it again with Ollama`)
}

/** The folder `blobs` beside the manifest's folder `manifests`. */
function blobsFor(manifest: string): string {
  for (let folder = dirname(resolve(manifest)); dirname(folder) !== folder; folder = dirname(folder)) {
    if (basename(folder) === 'manifests') return join(dirname(folder), 'blobs')
  }
  return join(dirname(resolve(manifest)), 'blobs')
}
