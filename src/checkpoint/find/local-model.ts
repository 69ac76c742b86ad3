import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CheckpointError } from '../../errors.ts'
import { isGgufName } from '../gguf/find-gguf.ts'
import { parseModelName } from '../hub/model-name.ts'
import { describeContent, fileKind } from '../source/file-kind.ts'
import { openFile } from '../source/file-source.ts'
import { BUNDLED_MODEL, bundledModel } from './bundled-model.ts'
import { ollamaModel } from './ollama.ts'

/**
 * The path of a model on this machine: a folder, a file with GGUF or safetensors content, an Ollama manifest, or the
 * bundled model by name. Undefined for a text that may be a name on the hub. Throws CheckpointError for a file that is
 * not a model, and for a path that does not exist.
 */
export async function findLocal(source: string): Promise<string | undefined> {
  const info = await infoOf(source)
  if (info?.isDirectory()) return source
  if (info !== undefined) return modelFile(source, info)
  if (source === BUNDLED_MODEL) return bundledModel()
  // `org/name:folder/file.gguf` and `hf.co/org/name` look like paths.
  if (/:|^(?:www\.)?(?:hf|huggingface)\.co\//i.test(source) && parseModelName(source) !== undefined) return undefined
  if (isGgufName(source)) throw new CheckpointError(`${source} is not there; expected a GGUF file`)
  if (isPath(source)) {
    throw new CheckpointError(`${source} is not there; expected a folder with config.json and model.safetensors`)
  }
  return undefined
}

/** Undefined if the path does not exist. */
async function infoOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ELOOP') {
      throw new CheckpointError(`${path} is a link that leads back to itself: links go round in a circle (ELOOP)`, {
        cause: error,
      })
    }
    if (code === 'EACCES' || code === 'EPERM') {
      throw new CheckpointError(`${path} cannot be read: permission denied`, { cause: error })
    }
    return undefined
  }
}

async function modelFile(path: string, info: Stats): Promise<string> {
  if (!info.isFile()) {
    throw new CheckpointError(`${path} is neither a file nor a folder; expected a model's folder or a GGUF file`)
  }
  const source = await openFile(path)
  const kind = await fileKind(source)
  if (kind === 'gguf' || kind === 'safetensors') return path
  const blob = kind === 'json' ? await ollamaModel(path) : undefined
  if (blob !== undefined) return blob
  const other = info.size > 0 ? await describeContent(source) : undefined
  if (/\.(gguf|safetensors)$/i.test(path) && other !== undefined) throw new CheckpointError(`${path} ${other}`)
  // The name is right: the GGUF reader will report what is damaged.
  if (isGgufName(path)) return path
  const met = other === undefined ? 'is a file' : `is a file, and ${other.split(';')[0]}`
  const folder = /\.json$/i.test(path) ? `, such as ${dirname(path)}` : ''
  throw new CheckpointError(
    `${path} ${met}; give the folder that holds config.json${folder}, or a GGUF or safetensors file`,
  )
}

/** Whether the text can only be a path, not a name on the hub. */
function isPath(source: string): boolean {
  const [id = ''] = source.split('@')
  return /^[.~/\\]|\\|^[a-z]:|\/.*\/|\/$/i.test(id) || /\.(safetensors|json|bin|pth?|onnx)$/i.test(id)
}
