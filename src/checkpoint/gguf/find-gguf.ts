import { CheckpointError } from '../../errors.ts'
import type { CheckpointFiles } from '../checkpoint-files.ts'
import { quote } from '../quote.ts'
import { INDEX_FILE, SINGLE_FILE } from '../weight-files.ts'
import { partNames } from './part-names.ts'

export function isGgufName(name: string): boolean {
  return /\.gguf$/i.test(name)
}

/**
 * The first part of the one GGUF model among the files; undefined where there is none, or where the hub's own files
 * are the model. Throws CheckpointError where there are several.
 */
export function findGguf(files: CheckpointFiles): string | undefined {
  if (files.names.has(SINGLE_FILE) || files.names.has(INDEX_FILE)) return undefined
  // Beside a model of text may lie the part that sees.
  const own = [...files.names].filter(name => isGgufName(name) && !name.startsWith('mmproj'))
  const models = [...new Set(own.map(name => partNames(name)[0] as string))].sort()
  if (models.length <= 1) return models[0]
  const shown = models.slice(0, 4).map(name => quote(name))
  const more = models.length > 4 ? ` and ${models.length - 4} more` : ''
  throw new CheckpointError(`${files.name} holds several GGUF models: ${shown.join(', ')}${more}; give the path of one`)
}
