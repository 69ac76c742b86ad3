import { CheckpointError } from '../../errors.ts'
import { quote } from '../quote.ts'
import type { CheckpointFiles } from '../source/checkpoint-files.ts'
import { INDEX_FILE, SINGLE_FILE } from '../weight-files.ts'
import { partNames } from './part-names.ts'

export function isGgufName(name: string): boolean {
  return /\.gguf$/i.test(name)
}

/** Beside a model of text may lie the part that sees, or what a quantisation was weighted with. */
const BESIDE_MODELS = /^mmproj|[-_.]mmproj|imatrix/i

/** Whether a GGUF file's name is that of a language model. */
export function isTextModel(name: string): boolean {
  return !BESIDE_MODELS.test(name.slice(name.lastIndexOf('/') + 1))
}

/**
 * The first part of the one GGUF model among the files; undefined where there is none, or where the hub's own files
 * are the model. Throws CheckpointError where there are several.
 */
export function findGguf(files: CheckpointFiles): string | undefined {
  if (files.gguf !== undefined) return partNames(files.gguf)[0]
  if (files.safetensors !== undefined) return undefined
  if (files.names.has(SINGLE_FILE) || files.names.has(INDEX_FILE)) return undefined
  const all = [...files.names].filter(isGgufName)
  const own = all.filter(isTextModel)
  const models = [...new Set((own.length > 0 ? own : all).map(name => partNames(name)[0] as string))].sort()
  if (models.length <= 1) return models[0]
  throw severalGguf(files.name, models)
}

export function severalGguf(name: string, models: readonly string[]): CheckpointError {
  const shown = models.slice(0, 4).map(model => quote(model))
  const more = models.length > 4 ? ` and ${models.length - 4} more` : ''
  return new CheckpointError(`${name} holds several GGUF models: ${shown.join(', ')}${more}; give the path of one`)
}
