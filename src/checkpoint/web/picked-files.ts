/** Files that a page's user has picked or dropped, as a checkpoint. */
import { OptionError } from '../../errors.ts'
import { isModuleConfig } from '../sentence-transformers.ts'
import { type CheckpointFiles, filesFrom } from '../source/checkpoint-files.ts'
import { fileKind } from '../source/file-kind.ts'
import { memorySource } from '../source/memory-source.ts'

/** A file with its place in the folder that was picked. */
export interface PickedFile {
  /** `model.safetensors`, or with folders in front: `my-model/1_Pooling/config.json`. */
  readonly path: string
  /** Its content. */
  readonly file: Blob
}

/** One file is the model itself; of several, those of their common folder are. */
export async function pickedFiles(name: string, picked: readonly PickedFile[]): Promise<CheckpointFiles> {
  const files = withoutCommonFolder(picked).filter(({ path }) => !path.includes('/') || isModuleConfig(path))
  const sources = files.map(({ path, file }) => memorySource(path, file))
  const all = filesFrom(name, sources)
  const [only] = sources
  if (!only) throw new OptionError('source holds no file; expected a GGUF file, or a folder with safetensors')
  if (sources.length > 1) return all
  const kind = await fileKind(only)
  if (kind === 'gguf') return { ...all, gguf: only.name }
  return kind === 'safetensors' ? { ...all, safetensors: only.name } : all
}

/** A folder that was picked stands before each of its files. */
function withoutCommonFolder(picked: readonly PickedFile[]): readonly PickedFile[] {
  const [first] = picked
  const folder = first?.path.split('/', 1)[0]
  if (folder === undefined || !picked.every(({ path }) => path.startsWith(`${folder}/`))) return picked
  return withoutCommonFolder(picked.map(({ path, file }) => ({ path: path.slice(folder.length + 1), file })))
}
